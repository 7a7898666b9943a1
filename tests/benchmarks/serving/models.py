"""The models that are asked: trained by Propense with the network of a study without settings, one epoch."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from model.predictor import load_predictor
from model.store.registry import Registry
from tests.benchmarks.serving.sample import CATEGORIES, NUMBERS, Row, customers, histories, labels
from training.publish.publish import train
from training.study.study import read_study

AS_OF: Final = "2024-02-05"  # after the last event of a history
_FIT: Final = """\
split: {compare: false}
fit: {device: cpu, epochs: 1, refit: false}
"""
_TABLE: Final = f"""\
name: NAME
data:
  customers:
    path: NAME.csv
    numeric: {json.dumps(NUMBERS)}
    categorical: {json.dumps(list(CATEGORIES))}
target: {{column: left, positive: "yes"}}
network: {{head: mlp, choose: false}}
{_FIT}"""
_LOG: Final = f"""\
name: NAME
data:
  events: {{path: NAME.csv, id: customer_id, time: when, type: kind, values: [amount], attributes: [shop]}}
target:
  event: buy
  outcome: occurs
  horizons_days: [30]
  lookback_days: 500
  cutoffs: {{every_days: 20, first: "2023-07-01"}}
network: {{head: HEAD, choose: false}}
{_FIT}"""


@dataclass(frozen=True)
class Trained:
    """A model in the registry.

    Attributes:
        about: its network, in words.
    """

    name: str
    about: str


def train_table(folder: Path, name: str, n: int) -> Trained:
    """A model of n customers with 28 fields."""
    rows = customers(n, seed=1)
    told = zip(rows, labels(rows), strict=True)
    return _train(folder, name, _TABLE, ({**row, "left": left} for row, left in told))


def train_log(folder: Path, name: str, n: int, head: str) -> Trained:
    """A model of n customers with 50 events each."""
    rows = histories(n, seed=1)
    events = ({"customer_id": row["customer_id"], **event} for row in rows for event in row["events"])
    return _train(folder, name, _LOG.replace("HEAD", head), events)


def registry_of(folder: Path) -> Path:
    """Where the models of a folder are."""
    return folder / "registry"


def _train(folder: Path, name: str, study: str, rows: Iterable[Row]) -> Trained:
    _write(folder / f"{name}.csv", rows)
    (folder / f"{name}.yaml").write_text(study.replace("NAME", name))
    made = train(read_study(folder / f"{name}.yaml"), Registry(registry_of(folder)))
    scorer = load_predictor(made.folder).scorer
    weights = sum(weight.size for weight in scorer.weights.values())
    spec = scorer.spec
    about = f"head {spec.head}, {spec.folds} folds, {spec.members} members each, {weights:,} weights"
    return Trained(name, about)


def _write(path: Path, rows: Iterable[Row]) -> None:
    rows = iter(rows)
    first = next(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerows(chain([first], rows))


def question(rows: Sequence[Row]) -> dict[str, Any]:
    """The body of a request about some customers."""
    return {"as_of": AS_OF, "customers": rows}
