"""The Python API: what `import propense` offers."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import propense
from model.errors import CheckpointError, StudyError
from model.scoring.score_file import score_file
from tests.training.shops import SMALL, TABLE, Published, table_shop

HEAVY = ("numpy", "pandas", "sklearn", "torch")


def test_a_study_is_trained_and_its_model_is_loaded(tmp_path: Path) -> None:
    shop = table_shop(tmp_path)
    trained = propense.train(
        shop.study_file(TABLE), tmp_path / "registry", overrides=[*SMALL, "fit.epochs=1"]
    )
    assert (trained.version, trained.champion) == (1, 1)
    for version in (None, 1):
        predictor = propense.load(tmp_path / "registry", trained.name, version)
        assert (predictor.manifest.name, predictor.manifest.version) == (trained.name, 1)
    with pytest.raises(CheckpointError, match="2"):
        propense.load(tmp_path / "registry", trained.name, 2)


def test_a_study_may_be_a_dict(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="data: missing"):
        propense.train({"name": "table", "target": {"column": "churn", "positive": "Yes"}}, tmp_path)


def test_frames_get_the_scores_of_their_csv_files(log_model: Published, tmp_path: Path) -> None:
    model = propense.load(log_model.registry, "log")
    table, log = (pd.read_csv(log_model.shop.folder / name) for name in ("customers.csv", "events.csv"))
    for name in table.select_dtypes(exclude="number"):
        table[name] = table[name].astype("category")
    for frame, name in ((table, "c.csv"), (log, "e.csv")):
        frame.to_csv(tmp_path / name, index=False)
    people, events, out = tmp_path / "c.csv", tmp_path / "e.csv", tmp_path / "out.parquet"
    score_file(model.predictor, out, customers=people, events=events, reasons=2)
    scores = model.predict(table, log, reasons=2)
    pd.testing.assert_frame_equal(scores, pd.read_parquet(tmp_path / "out.parquet"), check_exact=True)
    assert scores.attrs["notes"] is not None
    explained = model.explain(table, log)
    assert len(explained) == len(scores) * model.predictor.n_reasons
    assert explained["reason"][0] == scores["reason_1"][0]
    assert model._repr_html_().startswith("<iframe srcdoc=")


@pytest.mark.parametrize("command", ["import propense", "from training.cli.main import main; main()"])
def test_nothing_heavy_is_imported_before_it_is_needed(command: str) -> None:
    """`main` leaves by os._exit, so that what was imported is printed on the way."""
    script = f"""
import os, sys
leave = os._exit
os._exit = lambda status: (print(status, [m for m in {HEAVY} if m in sys.modules], flush=True), leave(status))
sys.argv = ["propense", "--help"]
{command}
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr
