"""Small untrained models in a real registry, for the service to serve."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

import torch

from model.network.inference import weights_of
from model.network.network import build_network
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
    Scaling,
    Schema,
    Series,
)
from model.scorer import build_scorer
from model.store.checkpoint import write_checkpoint
from model.store.golden import synthetic_rows
from model.store.manifest import Golden, HeadName, Manifest, NetworkSpec
from model.store.registry import Registry
from model.task import ColumnTask, LogTask, Task
from model.times import parse_time
from model.values.rows import customers_from_rows

AS_OF: Final = "1997-12-31"


def scaling(*, median: float = 5.0) -> Scaling:
    """Of numbers from 0 to 10."""
    return Scaling(
        center=5.0,
        scale=2.0,
        mean=0.1,
        deviation=0.9,
        edges=(-1.0, 0.0, 1.0),
        low=0.0,
        high=10.0,
        median=median,
    )


CONTRACTS: Final = tuple(f"contract {number}" for number in range(60))

TABLE_SCHEMA: Final = Schema(
    id=None,
    columns=(
        NumericColumn(name="Total Charges", scaling=scaling(), values=(0.0, 2.5, 7.5)),
        CategoricalColumn(name="contract", vocabulary=CONTRACTS),
        CategoricalColumn(name="copy", vocabulary=("1", "2.5", "true")),
        BooleanColumn(name="_senior", scaling=scaling(median=1.0)),
        DateColumn(name="since", time_format="%d.%m.%Y", scaling=scaling(median=700.0)),
        NumericColumn(name="bill_1", scaling=scaling()),
        NumericColumn(name="bill_2", scaling=scaling()),
    ),
    series=(Series(name="bill", columns=("bill_1", "bill_2"), scaling=scaling()),),
)
TABLE_TASK: Final = ColumnTask(column="Churn", positive="Yes")

LOG_SCHEMA: Final = Schema(
    id="customer_id",
    columns=(NumericColumn(name="tenure", scaling=scaling()),),
    events=EventSchema(
        id="customer_id",
        time="date",
        time_format="%Y%m%d",
        type=EventCategory(name="kind", vocabulary=("buy", "visit")),
        values=(EventValue(name="amount", scaling=scaling()),),
        attributes=(EventCategory(name="shop", vocabulary=("north",)),),
        features=(
            HistoryFeature(name="recency_days", scaling=scaling()),
            HistoryFeature(name="sum(amount)_365d", scaling=scaling()),
        ),
        max_events=8,
    ),
)
LOG_TASK: Final = LogTask(outcome="occurs", horizons_days=(30, 90))


def publish(
    root: Path, name: str, schema: Schema, task: Task, *, seed: int = 0, head: HeadName = "mlp"
) -> int:
    """Add a version with random weights to a registry."""
    torch.manual_seed(seed)
    spec = NetworkSpec(
        head=head, width=16, layers=1, dropout=0.0, embedding=4, folds=2, members=1, piecewise=True
    )
    network = build_network(spec, schema, n_outputs=task.n_outputs).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    weights = weights_of(network)

    def write(folder: Path, version: int) -> None:
        draft = _manifest(name, version, schema, task, spec)
        scorer = build_scorer(draft, weights)
        customers = customers_from_rows(draft.golden.customers, schema, _as_of(schema))
        probabilities = scorer.score(customers.columns, customers.log, customers.examples())
        rows = cast(Sequence[Sequence[float]], probabilities.tolist())
        golden = draft.golden.model_copy(update={"probabilities": tuple(map(tuple, rows))})
        write_checkpoint(folder, draft.model_copy(update={"golden": golden}), weights, {})

    return Registry(root).publish(name, write)


def _as_of(schema: Schema) -> int:
    return parse_time(AS_OF, zone=schema.time_zone)


def _manifest(name: str, version: int, schema: Schema, task: Task, spec: NetworkSpec) -> Manifest:
    fields: dict[str, Any] = {
        "created": "1998-01-01T00:00:00Z",
        "task": task,
        "schema": schema,
        "network": spec,
        "calibration": Calibration(slopes=(1.0,) * task.n_outputs, intercepts=(0.0,) * task.n_outputs),
        "golden": Golden(as_of=AS_OF, customers=synthetic_rows(schema, _as_of(schema)), probabilities=()),
        "metrics": {"test": {"auc": 0.81}},
        "provenance": {},
    }
    return Manifest(name=name, version=version, **fields)
