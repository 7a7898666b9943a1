"""Small valid parts for tests, built by hand."""

from typing import Any

from model.probability import Calibration
from model.schema import (
    CategoricalColumn,
    EventCategory,
    EventSchema,
    EventValue,
    HistoryFeature,
    NumericColumn,
    Scaling,
    Schema,
)
from model.store.manifest import Golden, Manifest, NetworkSpec
from model.task import LogTask


def tiny_scaling(**changes: Any) -> Scaling:
    """A scaling of numbers in 0 to 10."""
    plain = {
        "center": 5.0,
        "scale": 2.0,
        "mean": 0.1,
        "deviation": 0.9,
        "edges": (-1.0, 0.0, 1.0),
        "low": 0.0,
        "high": 10.0,
        "median": 5.0,
    }
    return Scaling(**{**plain, **changes})


def tiny_schema() -> Schema:
    """One number, one category with letters beyond ASCII, and events with a type and an amount."""
    scaling = tiny_scaling()
    return Schema(
        id="customer_id",
        columns=(
            NumericColumn(name="tenure", scaling=scaling),
            CategoricalColumn(name="plan", vocabulary=("basic", "größer")),
        ),
        events=EventSchema(
            id="customer_id",
            time="date",
            time_format=None,
            type=EventCategory(name="kind", vocabulary=("buy", "visit")),
            values=(EventValue(name="amount", scaling=scaling),),
            attributes=(),
            features=(HistoryFeature(name="events", scaling=scaling),),
            max_events=8,
        ),
    )


def tiny_manifest(name: str = "churn", version: int = 1, **changes: Any) -> Manifest:
    """A valid manifest of a two-horizon log study; `changes` replace whole fields."""
    rows: tuple[dict[str, Any], ...] = (
        {"customer_id": "golden-1", "tenure": 3.0, "plan": "basic", "events": []},
        {"customer_id": "golden-2", "tenure": None, "events": [{"date": "1997-11-30", "amount": 12.5}]},
    )
    plain: dict[str, Any] = {
        "created": "1998-01-01T00:00:00Z",
        "task": LogTask(outcome="absent", horizons_days=(30, 90)),
        "schema": tiny_schema(),
        "network": NetworkSpec(
            head="mlp", width=4, layers=1, dropout=0.1, embedding=2, folds=2, members=1, piecewise=True
        ),
        "calibration": Calibration(slopes=(1.0, 1.1), intercepts=(0.0, -0.2)),
        "golden": Golden(as_of="1997-12-31", customers=rows, probabilities=((0.25, 0.5), (0.125, 0.75))),
        "metrics": {"auc": 0.81, "n_test": 120},
        "provenance": {"study": "churn.yaml", "seed": 0},
    }
    return Manifest(name=name, version=version, **{**plain, **changes})
