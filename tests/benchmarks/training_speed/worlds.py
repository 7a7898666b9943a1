"""Made-up examples to time fits on: a table, and a log in which the order of the events matters."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.features.aggregates import history_features
from model.task import ColumnTask
from model.times import DAY, Instants
from model.values.columns import Column, Numbers, Texts, as_codes
from model.values.customers import Examples
from model.values.history import EventLog
from training.question.labels import Bools, LabelledExamples, Labels
from training.schema.fit_schema import ModelFields
from training.study.sections import EventsSource

WorldName = Literal["table", "log"]

CUTOFF: Final = 20_089 * DAY  # 2025-01-01
LOOKBACK: Final = 365  # days
TEST_SHARE: Final = 0.2  # as many more examples as these are for the log loss, up to MAX_TEST
MAX_TEST: Final = 20_000
TYPES: Final = ("visit", "buy", "ticket")
MAX_EVENTS: Final = 64
_SHARES: Final = (0.6, 0.3, 0.1)  # of the types
_SIZES: Final = {"plan": 3, "channel": 5, "device": 4, "region": 12, "payment": 5, "job": 30, "city": 300}
_LEVELS: Final = {"table": -1.3, "log": -3.1}  # a base rate of about 15 %

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """Examples of which the first `n_train` may be read by a fit.

    Attributes:
        labelled: the raw data and the labels of all of them.
        task, fields: how to read them.
    """

    labelled: LabelledExamples
    task: ColumnTask
    fields: ModelFields
    n_train: int

    @property
    def positive(self) -> Bools:
        """(N,) the labels."""
        return self.labelled.labels.outcomes[:, 0]


def make_world(name: WorldName, n_train: int) -> World:
    """The same world for the same name and size, and some more customers to measure the log loss on."""
    rng = np.random.default_rng(0)
    n = n_train + min(max(int(n_train * TEST_SHARE), 1), MAX_TEST)
    return (_table_world if name == "table" else _log_world)(rng, n, n_train)


def boosting_frame(world: World) -> pd.DataFrame:
    """(N, columns) what boosting reads: the columns as they are, or the aggregates and the last event.

    The names are numbers, since LightGBM takes no brackets.
    """
    columns = (
        world.labelled.columns
        if world.labelled.log is None
        else _aggregates(world.labelled, world.labelled.log)
    )
    return pd.DataFrame({f"x{i}": _series(column) for i, column in enumerate(columns.values())})


def _aggregates(about: LabelledExamples, log: EventLog) -> dict[str, Column]:
    kinds = log.categories["type"]
    aggregates = history_features(
        log,
        about.examples.customers,
        about.examples.cutoffs,
        lookback_days=LOOKBACK,
        type_codes=as_codes(kinds, TYPES),
        types=TYPES,
    )
    last = log.offsets[1:] - 1  # every customer has an event, the last at or before the cutoff
    return {**aggregates, **{f"last {name}": texts.take(last) for name, texts in log.categories.items()}}


def _series(column: Column) -> "pd.Series[float]":
    if isinstance(column, Texts):
        return pd.Series(pd.Categorical.from_codes(column.codes, list(column.values)))
    return pd.Series(column)


def _table_world(rng: np.random.Generator, n: int, n_train: int) -> World:
    numbers, codes = _numbers(rng, n), _categories(rng, n)
    z = _LEVELS["table"] + _table_logits(numbers, codes)
    for name in ("income", "discount", "last_rating"):
        numbers[name][rng.random(n) < 0.08] = np.nan
    texts = {f: Texts(c, tuple(f"{f}{i}" for i in range(_SIZES[f]))) for f, c in codes.items()}
    kinds = ModelFields(None, {**dict.fromkeys(numbers, "numeric"), **dict.fromkeys(texts, "categorical")})
    return _world({**numbers, **texts}, None, _drawn(rng, z), kinds, n_train)


def _numbers(rng: np.random.Generator, n: int) -> dict[str, Numbers]:
    """13 columns: money with heavy tails, counts, ages and three that say nothing."""
    income, tenure = rng.lognormal(10, 0.7, n), rng.gamma(1.2, 500, n)
    spent = income * rng.beta(1, 20, n)
    return {
        "age": np.clip(np.round(rng.normal(42, 14, n)), 18, 90),
        "tenure_days": np.round(tenure),
        "income": np.round(income, 2),
        "spent": np.round(spent, 2),
        "spent_before": np.round(spent * rng.lognormal(0, 0.6, n), 2),
        "orders": rng.poisson(1 + tenure / 200).astype(np.float64),
        "tickets": rng.poisson(0.6, n).astype(np.float64),
        "days_silent": np.round(rng.exponential(30, n)),
        "discount": np.round(rng.beta(2, 6, n), 2),
        "last_rating": rng.integers(1, 6, n).astype(np.float64),
        **{f"noise_{i}": rng.normal(size=n) for i in range(3)},
    }


def _categories(rng: np.random.Generator, n: int) -> dict[str, NDArray[np.int32]]:
    """7 columns of 3 to 300 categories, the later ones of each column rarer."""
    shares = {name: 1 / np.arange(1, size + 1) ** 0.7 for name, size in _SIZES.items()}
    return {
        name: rng.choice(len(share), n, p=share / share.sum()).astype(np.int32)
        for name, share in shares.items()
    }


def _table_logits(numbers: dict[str, Numbers], codes: dict[str, NDArray[np.int32]]) -> Numbers:
    """Steps, bends and products of columns: neither a line nor a few trees tell all of it."""
    effects = np.random.default_rng(7)
    trend = np.log(numbers["spent"] + 1) - np.log(numbers["spent_before"] + 1)
    unhappy = (numbers["last_rating"] <= 2) * (0.5 + 0.5 * numbers["tickets"])
    silent = np.tanh(numbers["days_silent"] / 40 - numbers["orders"] / 8)
    z = 1.2 * silent - 0.9 * trend + 0.8 * unhappy * (codes["plan"] == 0)
    z = z + 0.7 * np.sin(numbers["age"] / 8) - 2.0 * numbers["discount"] * (codes["channel"] <= 1)
    for name, size in _SIZES.items():
        z = z + effects.normal(0, 0.35, size)[codes[name]]
    return np.asarray(z, dtype=np.float64)


def _log_world(rng: np.random.Generator, n: int, n_train: int) -> World:
    log, hurry = _draw_log(rng, n)
    z = _LEVELS["log"] + _log_logits(log, hurry)
    source = EventsSource(
        path="-", id="id", time="time", type="type", values=("amount",), attributes=("shelf",)
    )
    fields = ModelFields(None, {}, events=source, max_events=MAX_EVENTS)
    return _world({}, log, _drawn(rng, z), fields, n_train)


def _draw_log(rng: np.random.Generator, n: int) -> tuple[EventLog, Numbers]:
    """About 12 events a customer, who may hurry towards the end (above 1) or fall asleep (below)."""
    counts = np.minimum(1 + rng.negative_binomial(1.5, 0.12, n), MAX_EVENTS)
    owners, life, hurry = (
        np.repeat(np.arange(n), counts),
        rng.uniform(30, LOOKBACK, n),
        rng.lognormal(0, 0.5, n),
    )
    ages = life[owners] * rng.random(len(owners)) ** hurry[owners]
    types = np.searchsorted(np.cumsum(_SHARES[:-1]), rng.random(len(owners))).astype(np.int32)
    amounts = np.where(types == TYPES.index("buy"), np.round(rng.lognormal(3, 1, len(owners)), 2), np.nan)
    shelves = rng.integers(0, 20, len(owners)).astype(np.int32)
    log = EventLog.build(
        owners,
        CUTOFF - (ages * DAY).astype(np.int64),
        n_customers=n,
        values={"amount": amounts},
        categories={"type": Texts(types, TYPES), "shelf": Texts(shelves, tuple(f"s{i}" for i in range(20)))},
    )
    return log, hurry


def _log_logits(log: EventLog, hurry: Numbers) -> Numbers:
    """Recent purchases, whether the last ticket came after the last purchase, and the customer's hurry."""
    last_buy, last_ticket = (_last(log, TYPES.index(kind)) for kind in ("buy", "ticket"))
    fresh = np.exp(-(CUTOFF - np.maximum(last_buy, 0)) / (60 * DAY))
    return np.asarray(
        1.5 * fresh + 1.3 * (last_ticket > last_buy) + 0.9 * np.log(hurry) * (fresh > 0.5), dtype=np.float64
    )


def _last(log: EventLog, kind: int) -> Instants:
    """(C,) the time of each customer's last event of a type; 0 for none."""
    last = np.zeros(log.n_customers, dtype=np.int64)
    chosen = np.flatnonzero(log.categories["type"].codes == kind)
    last[log.owners[chosen]] = log.times[chosen]  # sorted by time: the latest is written last
    return last


def _drawn(rng: np.random.Generator, logits: Numbers) -> Bools:
    return np.asarray(rng.random(len(logits)) < 1 / (1 + np.exp(-logits)))


def _world(
    columns: dict[str, Column],
    log: EventLog | None,
    positive: Bools,
    fields: ModelFields,
    n_train: int,
) -> World:
    n = len(positive)
    examples = Examples(np.arange(n), np.full(n, CUTOFF, dtype=np.int64))
    task = ColumnTask(column="left", positive="1", lookback_days=LOOKBACK)
    return World(LabelledExamples(columns, log, examples, Labels.of_column(positive)), task, fields, n_train)
