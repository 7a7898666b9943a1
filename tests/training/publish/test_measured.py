"""A version's twin comes back as it was, is sealed with the version, and answers what the fit answered."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import CheckpointError, ComparisonError
from model.store.checkpoint import read_checkpoint
from model.store.registry import Registry
from tests.model.stored import seal_again
from tests.training.champions import training_customers
from tests.training.shops import LOG, TABLE, Published, log_shop, table_shop
from training.publish.measured import MEASURED, MEASURED_WEIGHTS, read_measured_model
from training.publish.publish import publish
from training.run.run import Run, run_study


@pytest.fixture(scope="module", params=[TABLE, LOG], ids=["table", "log"])
def refitted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    folder = tmp_path_factory.mktemp("twin")
    shop = table_shop(folder) if request.param is TABLE else log_shop(folder)
    run = run_study(shop.study(request.param, "split.compare=false"))
    return run, publish(run, Registry(folder / "registry")).folder


def test_a_twin_answers_as_the_fit_that_never_saw_the_test(refitted: tuple[Run, Path]) -> None:
    run, folder = refitted
    champion, data, asked = read_measured_model(folder), run.prepared.dataset, run.prepared.plan.examples
    answers = champion.scorer.score(data.columns, data.log, asked)
    assert np.array_equal(answers, run.measured.scorer.score(data.columns, data.log, asked))
    assert not np.allclose(answers, run.published.scorer.score(data.columns, data.log, asked))
    assert champion.held_out == run.prepared.plan.held_out
    assert (champion.version, champion.data_end) == (1, run.prepared.as_of)


def test_a_twin_is_a_part_of_its_version(refitted: tuple[Run, Path]) -> None:
    _, folder = refitted
    assert read_checkpoint(folder).kept == {}
    kept = read_checkpoint(folder, keep=[MEASURED, MEASURED_WEIGHTS]).kept
    assert kept == {name: (folder / name).read_bytes() for name in (MEASURED, MEASURED_WEIGHTS)}


def test_nobody_is_in_a_twin(refitted: tuple[Run, Path]) -> None:
    run, folder = refitted
    text = (folder / MEASURED).read_text(encoding="utf-8")
    assert len(training_customers(run.prepared))
    assert not [name for name in run.prepared.dataset.ids if f'"{name}"' in text]


def test_without_a_refit_the_published_model_is_the_twin(table_model: Published) -> None:
    folder = table_model.trained.folder
    assert not {MEASURED, MEASURED_WEIGHTS} & {path.name for path in folder.iterdir()}
    champion, published = read_measured_model(folder).scorer, table_model.predictor.scorer
    assert (champion.schema, champion.calibration) == (published.schema, published.calibration)


@pytest.mark.parametrize("name", [MEASURED, MEASURED_WEIGHTS])
def test_a_damaged_twin_is_refused_with_its_version(copied: Path, name: str) -> None:
    data = bytearray((copied / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copied / name).write_bytes(data)
    for read in (read_measured_model, read_checkpoint):
        with pytest.raises(CheckpointError, match=f"{name} is damaged or exchanged"):
            read(copied)


@pytest.fixture
def copied(refitted: tuple[Run, Path], tmp_path: Path) -> Path:
    folder = tmp_path / "1"
    folder.mkdir()
    for path in refitted[1].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_a_forged_description_is_refused(copied: Path) -> None:
    told = json.loads((copied / MEASURED).read_text())
    (copied / MEASURED).write_text(json.dumps({**told, "code": "import os"}))
    seal_again(copied)
    with pytest.raises(CheckpointError, match=r"measured\.json must describe a model: .*code"):
        read_measured_model(copied)
    wider = {**told, "network": {**told["network"], "width": 16}}
    (copied / MEASURED).write_text(json.dumps(wider))
    seal_again(copied)
    with pytest.raises(CheckpointError, match="the weights must fit"):
        read_measured_model(copied)


@pytest.mark.parametrize("lost", ["held_out", "files"])
def test_a_version_without_its_record_cannot_be_compared(copied: Path, lost: str) -> None:
    def forget(fields: dict[str, Any]) -> None:
        if lost == "files":
            del fields["files"][MEASURED], fields["files"][MEASURED_WEIGHTS]
        else:
            del fields["provenance"]["held_out"]

    seal_again(copied, forget)
    if lost == "files":
        (copied / MEASURED).unlink()
        (copied / MEASURED_WEIGHTS).unlink()
    with pytest.raises(ComparisonError) as caught:
        read_measured_model(copied)
    assert str(caught.value) == ("version 1 must have a record of its held-out customers, got none.")
