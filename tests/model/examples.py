"""A schema that reads all of the log of `tests.strategies`, and batches of (customer, cutoff) examples."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
import torch

from model.features.aggregates import history_features
from model.features.encode import encode
from model.network.batch import Batch, gather
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
)
from model.values.columns import Column, column_of
from model.values.customers import Examples
from model.values.history import EventLog
from tests.model.build import tiny_scaling
from tests.strategies import log_of

LOOKBACK = 20
SCALING = tiny_scaling()
RATES = Rates(log_odds=(-3.0, 0.0, 1.0, 7.5), scaling=SCALING)
KNOWN = ("visit", "buy")  # the log has a third type
NONE = np.array([], dtype=np.int64)
FEATURES = tuple(
    history_features(log_of([]), NONE, NONE, lookback_days=LOOKBACK, type_codes=NONE, types=KNOWN)
)
EVENTS = EventSchema(
    id="id",
    time="date",
    time_format=None,
    type=EventCategory(name="type", vocabulary=KNOWN),
    values=(EventValue(name="amount", scaling=SCALING),),
    attributes=(),
    features=tuple(HistoryFeature(name=name, scaling=SCALING) for name in FEATURES),
    max_events=4,
)
SCHEMA = Schema(
    id="id",
    columns=(
        CategoricalColumn(name="plan", vocabulary=("basic", "3"), rates=RATES),
        NumericColumn(name="tenure", scaling=SCALING, values=(-3.0, 1.5, 1e300)),
        BooleanColumn(name="senior", scaling=SCALING),
        DateColumn(name="since", time_format=None, scaling=SCALING),
    ),
    events=EVENTS,
)
CELLS: Mapping[str, Sequence[object]] = {
    "plan": ["basic", 3, "gold", None],
    "tenure": [1.5, None, "x", 1e300],
    "senior": [True, "no", None, 2],
    "since": ["1970-01-05", "1970-01-20T06:00", None, "1971-01-01"],
    "unread": [1, 2, 3, 4],
}
COLUMNS: Mapping[str, Column] = {name: column_of(cells) for name, cells in CELLS.items()}
N_COLUMNS = 3  # numbers before the history features


def batch_of(
    log: EventLog | None,
    pairs: Sequence[tuple[int, int]],
    *,
    schema: Schema = SCHEMA,
    columns: Mapping[str, Column] = COLUMNS,
    with_steps: bool = True,
) -> Batch:
    """A batch of (customer, cutoff) examples."""
    examples = Examples(np.array([a[0] for a in pairs], np.int64), np.array([a[1] for a in pairs], np.int64))
    inputs = encode(schema, columns, log, examples, lookback_days=LOOKBACK, with_steps=with_steps)
    return gather(inputs, torch.arange(len(pairs)))


def bits(batch: Batch, row: int) -> dict[str, bytes]:
    """Every tensor of one example without its padding, bit for bit; one NaN is as good as another."""
    length = int(batch.lengths[row])
    found = {}
    for field in fields(batch):
        tensor = getattr(batch, field.name)[row]
        own = tensor[:length] if field.name.startswith("step") else tensor
        found[field.name] = torch.where(own.isnan(), torch.nan, own).numpy().tobytes()
    return found
