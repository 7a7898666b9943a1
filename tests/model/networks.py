"""A schema of every kind, with rows, batches, networks and scorers for it."""

from dataclasses import fields, replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from model.features.encode import encode
from model.network.batch import Batch, gather
from model.network.inference import weights_of
from model.network.layout import Layout
from model.network.network import Network, build_network
from model.probability import Calibration
from model.schema import (
    BooleanColumn,
    CategoricalColumn,
    DateColumn,
    EventCategory,
    EventSchema,
    EventValue,
    HistoryFeature,
    NumericColumn,
    Rates,
    Schema,
    Series,
)
from model.scorer import Scorer, build_scorer
from model.store.checkpoint import Weights
from model.store.manifest import HeadName, ModelDescription, NetworkSpec
from model.task import ColumnTask, LogTask, Task
from model.times import days, format_instant, parse_time
from model.values.customers import Customers
from model.values.rows import customers_from_rows
from tests.model.build import tiny_scaling

AS_OF: Final = parse_time("1997-12-31")
HEADS: Final[tuple[HeadName, ...]] = ("mlp", "cnn", "rnn")  # those of `Network`
FOLDS: Final = 3
MEMBERS: Final = 2
REPEATED: Final = (0.0, 2.5, 10.0)  # some of the numbers in `some_rows`

_PLAN: Final = CategoricalColumn(name="plan", vocabulary=("basic", "größer"))
_RATED: Final = _PLAN.model_copy(
    update={"rates": Rates(log_odds=(-2.0, 0.5, 1.5, 9.0), scaling=tiny_scaling(center=0.0))}
)
_BILLS: Final = ("bill_1", "bill_2", "bill_3")
_DATA: Final = ("data_1", "data_2")

TABLE: Final = Schema(
    id="customer_id",
    columns=(
        NumericColumn(name="Total Charges", scaling=tiny_scaling(), values=REPEATED),
        _RATED,
        BooleanColumn(name="senior", scaling=tiny_scaling(low=0.0, high=1.0, median=1.0)),
        DateColumn(
            name="since",
            time_format="%d.%m.%Y",
            scaling=tiny_scaling(center=300.0, scale=99.0, low=2.0, high=900.0, median=300.0),
        ),
    ),
)
SERIES: Final = Schema(
    id=None,
    columns=(_PLAN, *(NumericColumn(name=n, scaling=tiny_scaling()) for n in (*_BILLS, *_DATA))),
    series=(
        Series(name="bill", columns=_BILLS, scaling=tiny_scaling()),
        Series(name="data", columns=_DATA, scaling=tiny_scaling(center=2.0)),
    ),
)
LOG: Final = Schema(
    id="customer_id",
    columns=(NumericColumn(name="tenure", scaling=tiny_scaling(), values=REPEATED), _RATED),
    events=EventSchema(
        id="customer_id",
        time="date",
        time_format=None,
        type=EventCategory(name="kind", vocabulary=("buy", "visit")),
        values=(EventValue(name="amount", scaling=tiny_scaling()),),
        attributes=(EventCategory(name="shop", vocabulary=("north",)),),
        features=tuple(
            HistoryFeature(name=name, scaling=tiny_scaling())
            for name in ("recency_days", "count_30d", "sum(amount)[buy]_365d", "mean_gap_days")
        ),
        max_events=5,
    ),
)
SCHEMAS: Final = {"table": TABLE, "series": SERIES, "log": LOG}
TASKS: Final[dict[str, Task]] = {
    "table": ColumnTask(column="Churn", positive="Yes"),
    "series": ColumnTask(column="Churn", positive="Yes"),
    "log": LogTask(outcome="absent", horizons_days=(30, 90, 180)),
}


def some_rows(schema: Schema, n: int = 12, *, seed: int = 0) -> list[dict[str, Any]]:
    """Request rows with missing, unseen and far values; the first has no event, the second has one."""
    draw = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for number in range(n):
        row = {column.name: _cell(column.kind, draw) for column in schema.columns}
        if schema.id:
            row[schema.id] = f"c{number}"
        if schema.events:
            row["events"] = [_event(draw) for _ in range(number % 9 if number < 3 else draw.integers(0, 9))]
        rows.append({name: value for name, value in row.items() if value is not None})
    return rows


def customers_of(schema: Schema, rows: list[dict[str, Any]]) -> Customers:
    """The customers of request rows with the cutoff AS_OF."""
    return customers_from_rows(rows, schema, AS_OF)


def some_batch(kind: str, n: int = 12, *, with_steps: bool = True) -> Batch:
    """A batch of made-up customers."""
    customers = customers_of(SCHEMAS[kind], some_rows(SCHEMAS[kind], n))
    inputs = encode(
        SCHEMAS[kind],
        customers.columns,
        customers.log,
        customers.examples(),
        lookback_days=365,
        with_steps=with_steps,
    )
    return gather(inputs, torch.arange(n))


def rows_of(batch: Batch, rows: Tensor) -> Batch:
    """Some rows of a batch, no wider than they need."""
    taken = {field.name: getattr(batch, field.name)[rows] for field in fields(batch)}
    longest = int(taken["lengths"].max())
    taken["steps"] = taken["steps"][:, :longest]
    taken["step_categories"] = taken["step_categories"][:, :longest]
    return Batch(**taken)


def repeated(batch: Batch, times: int) -> Batch:
    """The same rows so many times, one copy after another."""
    tensors = (getattr(batch, field.name) for field in fields(batch))
    return Batch(*(torch.cat([tensor] * times) for tensor in tensors))


def padded(batch: Batch, extra: int) -> Batch:
    """The same batch with more padding, and with anything at all in it."""
    steps = torch.nn.functional.pad(batch.steps, (0, 0, 0, extra))
    codes = torch.nn.functional.pad(batch.step_categories, (0, 0, 0, extra))
    padding = (torch.arange(steps.shape[1]) >= batch.lengths[:, None])[..., None]
    rubbish = torch.randn(steps.shape) * 9
    rubbish[:, ::2] = torch.nan
    return replace(
        batch,
        steps=torch.where(padding, rubbish, steps),
        step_categories=torch.where(padding, 1, codes),
    )


def spec(head: HeadName, **changes: Any) -> NetworkSpec:
    """A small network."""
    plain = {
        "width": 16,
        "layers": 2,
        "dropout": 0.0,
        "embedding": 4,
        "folds": FOLDS,
        "members": MEMBERS,
        "piecewise": True,
    }
    return NetworkSpec(head=head, **{**plain, **changes})


def random_network(
    head: HeadName, kind: str, *, n_outputs: int | None = None, seed: int = 0, **changes: Any
) -> Network:
    """A network in eval mode, every weight of which is random: those that start at zero as well."""
    outputs = TASKS[kind].n_outputs if n_outputs is None else n_outputs
    network = build_network(spec(head, **changes), SCHEMAS[kind], n_outputs=outputs)
    draw = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2, generator=draw)
    return network.eval()


def random_weights(head: HeadName, kind: str, *, seed: int = 0) -> Weights:
    """Random weights of any head."""
    if head != "linear":
        return weights_of(random_network(head, kind, seed=seed))
    layout, K = Layout.of(SCHEMAS[kind], piecewise=False), TASKS[kind].n_outputs
    rows = {"numbers": len(layout.edges), "missing": len(layout.edges), "codes": sum(layout.sizes)}
    draw = np.random.default_rng(seed)
    weights = {name: draw.normal(size=(n, K)).astype(np.float32) for name, n in rows.items()}
    return {**weights, "bias": draw.normal(size=K).astype(np.float32)}


def random_scorer(head: HeadName, kind: str, *, device: str = "cpu", seed: int = 0) -> Scorer:
    """A scorer with a random network and a calibration that matters."""
    k = TASKS[kind].n_outputs
    model = ModelDescription(
        task=TASKS[kind],
        schema_=SCHEMAS[kind],
        network=spec(head),
        calibration=Calibration(slopes=(1.2, 0.8, 1.1)[:k], intercepts=(-0.3, 0.1, 0.2)[:k]),
    )
    return build_scorer(model, random_weights(head, kind, seed=seed), device=device)


def _cell(kind: str, draw: np.random.Generator) -> object:
    choices: dict[str, list[object]] = {
        "numeric": [0.0, 2.5, 7, 10.0, -1e9, None],
        "categorical": ["basic", "größer", "never seen", 3, None],
        "boolean": [True, False, 1, 0, None],
        "date": ["1990-02-28", "1997-03-01T10:00:00+02:00", "1997-12-31", "1998-01-01", None],
    }
    return choices[kind][draw.integers(0, len(choices[kind]))]


def _event(draw: np.random.Generator) -> dict[str, Any]:
    ago = float(draw.choice([-1.0, 0.0, 0.5, 3.0, 30.0, 31.25, 364.0, 365.0, 400.0]))
    return {
        "date": format_instant(AS_OF - days(ago)),
        "amount": _cell("numeric", draw),
        "kind": (None, "buy", "visit", "call")[draw.integers(0, 4)],
        "shop": ("north", "south")[draw.integers(0, 2)],
    }
