"""Numbers beyond those of training and new categories of events: counted over the batches of a file."""

import numpy as np

from model.features.scaling import scale
from model.predictor import Predictions
from model.schema import HistoryFeature, NumericColumn, Schema
from model.scoring.unusual import Unusual
from tests.model.build import tiny_scaling
from tests.model.examples import EVENTS
from training.schema.fit_schema import fit_scaling

SCALING = tiny_scaling()
SCHEMA = Schema(id=None, columns=(NumericColumn(name="tenure", scaling=SCALING),))


def scored(*values: float) -> Predictions:
    numeric = scale(np.array(values), SCALING)[:, None]
    return Predictions(np.zeros((len(values), 1)), numeric, np.zeros((len(values), 0), np.int64))


def test_the_farthest_number_is_the_example() -> None:
    unusual = Unusual(SCHEMA)
    unusual.add(scored(SCALING.high + 1, SCALING.low, np.nan), None)
    unusual.add(scored(SCALING.high + 50, SCALING.low - 2), None)
    (note,) = unusual.notes()
    assert note == (
        f"beyond what training saw: 'tenure' in 3 of 4 rows, such as {SCALING.high + 50:.4g} "
        f"(training: {SCALING.low:.4g} to {SCALING.high:.4g})."
    )


def test_the_range_of_training_is_nothing_to_tell() -> None:
    unusual = Unusual(SCHEMA)
    unusual.add(scored(SCALING.low, SCALING.high, np.nan), None)
    assert unusual.notes() == ()


def test_histories_that_all_are_shorter_than_many_of_training_are_told() -> None:
    """By chance a few customers may be new, many may not."""
    scaling = fit_scaling(np.arange(1.0, 1_001.0))
    events = EVENTS.model_copy(update={"features": (HistoryFeature(name="tenure_days", scaling=scaling),)})
    schema = Schema(id=None, columns=(), events=events)

    def notes(*tenures: float) -> tuple[str, ...]:
        unusual = Unusual(schema)
        for tenure in (*tenures, np.nan):
            numeric = scale(np.array([[tenure]]), scaling)
            unusual.add(Predictions(np.zeros((1, 1)), numeric, np.zeros((1, 0), np.int64)), None)
        return unusual.notes()

    (note,) = notes(*range(300, 366))
    assert note.startswith("no history reaches back more than 365 days; 62% of those of training did, up to")
    assert notes(365.0, 20.0) == notes(*range(300, 366), 1_000.0) == notes() == ()
