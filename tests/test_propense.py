"""The Python API: what `import propense` offers."""

import subprocess
import sys
from pathlib import Path

import pytest

import propense
from model.errors import CheckpointError
from tests.training.shops import SMALL, TABLE, table_shop

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
