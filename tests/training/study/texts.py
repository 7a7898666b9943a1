"""Studies that the tests of reading one start from."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from model.errors import StudyError
from model.task import Eligible
from training.study.sections import (
    CustomersSource,
    DataSources,
    EventsSource,
    FairnessOptions,
    FitOptions,
    NetworkOptions,
    ReasonOptions,
)
from training.study.study import Cutoffs, LogTarget, Study, read_study

TABLE = """\
name: telecom
data:
  customers:
    path: customers.csv
target:
  column: Churn
  positive: Yes
"""

LOG = """\
name: shop
data:
  events:
    path: events.csv
    id: customer_id
    time: date
target:
  outcome: occurs
  horizons_days: [30, 90]
"""

CONTRACTS = """\
name: contracts
data:
  customers:
    path: customers.csv
    id: customer_id
target:
  ends: cancelled_at
  horizons_days: [30, 90]
"""

EVERYTHING: dict[str, Any] = {
    "title": "Who leaves?",
    "name": "all",
    "data": {
        "customers": {
            "path": "customers.csv",
            "id": "id",
            "exclude": ["a"],
            "categorical": ["b"],
            "numeric": ["c"],
            "sequences": {"bill": ["d", "e"]},
            "dates": {"joined": "%d/%m/%Y"},
        },
        "events": {
            "path": "events.csv",
            "id": "id",
            "time": "date",
            "time_format": "unix",
            "type": "kind",
            "values": ["amount"],
            "attributes": ["category"],
        },
        "time_zone": "Europe/Berlin",
    },
    "target": {
        "event": ["cancel", "expire"],
        "outcome": "occurs",
        "terminal": True,
        "horizons_days": [30, 90],
        "gap_days": 1,
        "lookback_days": 300,
        "ingestion_lag_days": 2,
        "eligible": {"min_events": 3, "min_history_days": 60, "max_history_days": 900},
        "eligible_within_days": 200,
        "reactivates_within_days": 14,
        "returns": ["join"],
        "involuntary": ["fail"],
        "involuntary_within_days": 5,
        "cutoffs": {"every_days": 7, "first": "2011-01-01", "last": "2011-09-10", "dates": []},
        "observed_until": "2012-01-31",
    },
    "split": {"test_fraction": 0.3, "seed": 1, "group": "region", "compare": False},
    "network": {
        "head": "cnn",
        "width": 64,
        "layers": 1,
        "dropout": 0.2,
        "embedding": 8,
        "folds": 3,
        "members": 4,
        "piecewise": False,
        "choose": False,
        "max_events": 32,
    },
    "fit": {
        "device": "cpu",
        "epochs": 3,
        "patience": 2,
        "batch_size": 16,
        "learning_rate": 0.01,
        "weight_decay": 0.0,
        "seed": 2,
        "refit": False,
    },
    "fairness": {"groups": ["gender"], "threshold": 0.3},
    "reasons": {"groups": {"price": ["a", "b"]}, "changeable": ["a"]},
    "allow_leaks": ["c"],
    "retention_days": 365,
}

SECTIONS: dict[tuple[str, ...], type[BaseModel]] = {
    (): Study,
    ("data",): DataSources,
    ("data", "customers"): CustomersSource,
    ("data", "events"): EventsSource,
    ("target",): LogTarget,
    ("target", "eligible"): Eligible,
    ("target", "cutoffs"): Cutoffs,
    ("network",): NetworkOptions,
    ("fit",): FitOptions,
    ("fairness",): FairnessOptions,
    ("reasons",): ReasonOptions,
}


def write(folder: Path, text: str) -> Path:
    """A study file with that text."""
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path, *overrides: str) -> str:
    """The text with which a study is refused."""
    with pytest.raises(StudyError) as caught:
        read_study(path, overrides)
    return str(caught.value)
