"""Junk through the public readers: each file is read, or refused with a message."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from model.errors import DataError, SchemaError
from model.files.dataset import load_dataset
from model.files.events import EventColumns
from model.predictor import Predictor, load_predictor
from model.scoring.as_of import AsOf
from model.scoring.score_file import score_file
from model.times import parse_time
from tests.app.toys import AS_OF, LOG_SCHEMA, LOG_TASK, TABLE_SCHEMA, TABLE_TASK, publish
from tests.model.files.junk import junk
from tests.model.files.written import write

SEED = 7


@pytest.fixture(scope="module")
def predictors(tmp_path_factory: pytest.TempPathFactory) -> tuple[Predictor, Predictor]:
    """A model of a table and one of a log."""
    root = tmp_path_factory.mktemp("registry")
    publish(root, "churn", TABLE_SCHEMA, TABLE_TASK)
    publish(root, "purchase", LOG_SCHEMA, LOG_TASK)
    return load_predictor(root / "churn" / "1"), load_predictor(root / "purchase" / "1")


@pytest.mark.parametrize("n_files", [50, pytest.param(2_000, marks=pytest.mark.heavy)], ids=["some", "many"])
def test_a_file_is_read_or_refused(
    predictors: tuple[Predictor, Predictor], tmp_path: Path, n_files: int
) -> None:
    n_read = n_refused = 0
    for number in range(n_files):
        chance = random.Random(SEED + number)
        path = junk(chance, tmp_path)
        for name, read in _ways(predictors, path).items():
            try:
                read()
                n_read += 1
            except (DataError, SchemaError):
                n_refused += 1
            except Exception as error:
                error.add_note(f"file {number}, {path.name}, {name}")
                raise
        path.unlink()
    assert n_read > n_files / 4
    assert n_refused > n_files / 4


def _ways(predictors: tuple[Predictor, Predictor], path: Path) -> dict[str, Callable[[], object]]:
    table, log = predictors
    out, when = path.with_name("scores.csv"), AsOf(parse_time(AS_OF), "the test")
    sound = write(path.parent, "customer_id,tenure\nc1,5\nc2,7\n", "sound.csv")
    events = EventColumns("customer_id", "date", None, "kind", ["amount"], ["shop"], any_format=True)
    return {
        "a table": lambda: load_dataset(path).dates,
        "a log": lambda: load_dataset(None, path, event_columns=events),
        "scores of a table": lambda: score_file(table, out, customers=path, as_of=when),
        "scores over HTTP": lambda: score_file(table, out, customers=path, as_of=when, reject=True),
        "scores of nested events": lambda: score_file(log, out, customers=path, as_of=when, reject=True),
        "scores of a log": lambda: score_file(log, out, customers=sound, events=path),
    }
