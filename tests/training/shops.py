"""Little shops in files, with planted signal: what the studies of tests train on.

Rows are kept as a request would have them, so that a test can ask the same of a file and of the service.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.predictor import Predictor, load_predictor
from model.store.registry import Registry
from training.publish.publish import Trained, train
from training.study.study import Study, read_study

Row = dict[str, Any]

DATE_FORMAT: Final = "%d.%m.%Y"
OPENED: Final = datetime(2022, 1, 3)  # noqa: DTZ001 - UTC by rule
LOG_DAYS: Final = 240
SMALL: Final = (
    "split.test_fraction=0.2",
    "network.width=8",
    "network.layers=1",
    "network.members=2",
    "network.folds=2",
    "network.embedding=2",
    "network.choose=false",
    "fit.epochs=4",
    "fit.batch_size=32",
    "fit.learning_rate=0.02",
    "fit.device=cpu",
    "split.compare=false",
)

TABLE: Final = """\
name: table
data:
  customers: {path: customers.csv, id: id}
target: {column: churn, positive: "Yes"}
"""

WIDE: Final = """\
name: wide
data:
  customers:
    path: customers.csv
    id: id
    sequences: {bill: [bill_1, bill_2, bill_3], late: [late_2, late_3]}
target: {column: churn, positive: "Yes"}
network: {head: rnn}
"""

LOG: Final = """\
name: log
data:
  customers: {path: customers.csv, id: id}
  events: {path: events.csv, id: who, time: when, type: kind, values: [amount, items], attributes: [shop]}
target:
  event: buy
  outcome: occurs
  horizons_days: [10, 30]
  lookback_days: 90
  eligible_within_days: 60
  cutoffs: {every_days: 20}
"""

CONTRACT: Final = """\
name: contract
data:
  customers: {path: customers.csv, id: id}
target:
  ends: ended
  horizons_days: [10, 30]
  cutoffs: {every_days: 20}
"""

CONTRACT_LOG: Final = """\
name: contract-log
data:
  customers: {path: customers.csv, id: id}
  events: {path: events.csv, id: who, time: when, type: kind}
target:
  ends: ended
  starts: joined
  horizons_days: [10, 30]
  lookback_days: 90
  reactivates_within_days: 2
  cutoffs: {every_days: 20}
"""


@dataclass(frozen=True)
class Shop:
    """Files in a folder, and what they hold.

    Attributes:
        customers: a row each, as a request would have it; `events` in it where there is a log.
        churned: the label of each, for a table.
    """

    folder: Path
    customers: list[Row]
    churned: list[bool]

    def study(self, text: str, *overrides: str) -> Study:
        """A small, quick study of these files."""
        return read_study(self.study_file(text), [*SMALL, *overrides])

    def save_table(self) -> None:
        """Write a table, once more after its rows were changed."""
        labels = ["Yes" if left else "No" for left in self.churned]
        rows = [{**row, "churn": label} for row, label in zip(self.customers, labels, strict=True)]
        write_csv(self.folder / "customers.csv", rows)

    def save_log(self) -> None:
        """Write a table and its log, which is in no order, once more after its rows were changed."""
        rows = [{name: v for name, v in row.items() if name != "events"} for row in self.customers]
        events = [{"who": row["id"], **event} for row in self.customers for event in row["events"]]
        order = np.random.default_rng(0).permutation(len(events))
        write_csv(self.folder / "customers.csv", rows)
        write_csv(self.folder / "events.csv", [events[i] for i in order])

    def study_file(self, text: str) -> Path:
        """The study's file, beside the data."""
        path = self.folder / "study.yaml"
        path.write_text(text, encoding="utf-8")
        return path


@dataclass(frozen=True)
class Published:
    """A small model in a registry of its own, beside the files that it was trained on."""

    shop: Shop
    study: Study
    trained: Trained
    predictor: Predictor

    @property
    def registry(self) -> Path:
        """The registry's folder. Tests that write to it copy it first."""
        return self.trained.folder.parents[1]


def publish(shop: Shop, text: str, *overrides: str) -> Published:
    """Train a study into `registry` in the shop's folder."""
    study = shop.study(text, *overrides)
    trained = train(study, Registry(shop.folder / "registry"))
    return Published(shop, study, trained, load_predictor(trained.folder))


def table_shop(folder: Path, n: int = 240, *, seed: int = 0) -> Shop:
    """Customers of every kind of column, with missing cells; who is new, monthly and billed more leaves."""
    draw = np.random.default_rng(seed)
    customers, churned = [], []
    for number in range(1, n + 1):
        tenure, rise = float(draw.integers(1, 73)), float(draw.normal())
        monthly = bool(draw.random() < 0.5)
        logit = 2.0 * monthly - tenure / 18 + 1.5 * rise + 0.5
        churned.append(bool(draw.random() < 1 / (1 + np.exp(-logit))))
        row: Row = {
            "id": f"{number:04d}",
            "tenure": tenure,
            "contract": "monthly" if monthly else _one_of(draw, "one year", "two years", "à vie"),
            "senior": bool(draw.random() < 0.3),
            "since": _day(int(draw.integers(0, 900))),
            **{f"bill_{i}": round(50 + 10 * i * rise + float(draw.normal()), 2) for i in (1, 2, 3)},
            **{f"late_{i}": float(draw.poisson(1)) for i in (2, 3)},
        }
        for name in ("tenure", "contract", "senior", "since", "bill_1", "late_2"):
            if draw.random() < 0.08:
                row[name] = None
        customers.append(row)
    shop = Shop(folder, customers, churned)
    shop.save_table()
    return shop


def log_shop(folder: Path, n: int = 160, *, seed: int = 0) -> Shop:
    """Customers who visit and buy at their own pace until they leave; one in ten never comes."""
    draw = np.random.default_rng(seed)
    customers = []
    for number in range(1, n + 1):
        pace = float(draw.choice([2.0, 12.0]))
        until = float(draw.uniform(20, 1.6 * LOG_DAYS))
        days = np.cumsum(draw.exponential(pace, 200)) + draw.uniform(0, 40)
        days = days[days < min(until, LOG_DAYS)] if draw.random() > 0.1 else days[:0]
        row: Row = {"id": f"{number:04d}", "plan": _one_of(draw, "free", "paid"), "since": _day(-number)}
        customers.append({**row, "events": [_event(draw, day) for day in days]})
    shop = Shop(folder, customers, [])
    shop.save_log()
    return shop


def contract_shop(folder: Path, n: int = 240, *, seed: int = 0) -> Shop:
    """Customers under contract, who come every few days while it runs; a monthly plan ends sooner."""
    draw = np.random.default_rng(seed)
    customers = []
    for number in range(1, n + 1):
        monthly = bool(draw.random() < 0.5)
        start = int(draw.integers(-200, LOG_DAYS - 20))
        end = start + 1 + int(draw.exponential(60 if monthly else 500))
        visits = start + np.cumsum(draw.exponential(6, 150))
        row: Row = {
            "id": f"{number:04d}",
            "plan": "monthly" if monthly else "yearly",
            "age": float(draw.integers(18, 80)),
            "joined": _day(start),
            "ended": _day(end) if end < LOG_DAYS else None,
        }
        days = visits[visits < min(end, LOG_DAYS)]
        customers.append({**row, "events": [_event(draw, day) for day in days]})
    shop = Shop(folder, customers, [])
    shop.save_log()
    return shop


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Rows as a spreadsheet would have them: yes and no, dates in a format of the country's own."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: _cell(value, name) for name, value in row.items()} for row in rows)
    return path


def _event(draw: np.random.Generator, day: float) -> Row:
    return {
        "when": (OPENED + timedelta(seconds=round(day * 86_400))).isoformat(),
        "kind": "buy" if draw.random() < 0.6 else "visit",
        "amount": None if draw.random() < 0.1 else round(float(draw.lognormal(3, 1)), 2),
        "items": float(draw.integers(1, 5)),
        "shop": None if draw.random() < 0.1 else _one_of(draw, "north", "south", "web"),
    }


def _one_of(draw: np.random.Generator, *texts: str) -> str:
    return texts[draw.integers(len(texts))]  # ten times as fast as its `choice`


def _day(number: int) -> str:
    return (OPENED + timedelta(days=number)).date().isoformat()


def _cell(value: object, name: str) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "since":
        return datetime.fromisoformat(str(value)).strftime(DATE_FORMAT)
    return value
