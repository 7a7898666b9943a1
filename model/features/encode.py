"""Raw columns and an event log to network inputs by a schema, in training and serving alike."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import SchemaError
from model.features.aggregates import TENURE, history_features
from model.features.inputs import Inputs, Steps
from model.features.scaling import Scales, scale
from model.features.sequence import event_steps, series_steps, stack_codes
from model.schema import EventSchema, HistoryFeature, Schema
from model.times import DAY, age_days
from model.values.columns import Column, Numbers, Texts, as_booleans, as_codes, as_dates, as_numbers
from model.values.customers import Examples
from model.values.history import EventLog

_BLOCK: Final = 1 << 11  # rows scaled at a time


def encode(
    schema: Schema,
    columns: Mapping[str, Column],
    log: EventLog | None,
    examples: Examples,
    *,
    lookback_days: int | None,
    with_steps: bool,
    scales: Scales | None = None,
) -> Inputs:
    """Encode N examples.

    Args:
        columns: raw table columns by name, one value per customer.
        log: the customers' events; None where the schema has none.
        with_steps: whether to encode sequences, for a head that reads them.
        scales: the `scales_of` the schema, which for few examples take longer than to scale them.

    Raises:
        SchemaError: a column, event field or history feature that the schema reads is absent.
    """
    check_fields(schema, columns, log)
    numbers = [
        number_of(columns[c.name], c.kind, getattr(c, "time_format", None), schema.time_zone, examples)
        for c in schema.numeric
    ]
    codes = [as_codes(columns[c.name], c.vocabulary)[examples.customers] for c in schema.categorical]
    if schema.events and log:
        aggregates = event_features(schema.events, log, examples, lookback_days=lookback_days)
        _check_features(schema.events, aggregates)
        numbers += [_bounded(f, aggregates[f.name]) for f in schema.events.features]
        codes += _last_codes(schema.events, log, examples, lookback_days)
    for column, code in zip(schema.categorical, codes, strict=False):
        if column.rates:
            numbers.append(np.asarray(column.rates.log_odds)[code])
    for _, valued in schema.valued:
        codes.append(_value_codes(as_numbers(columns[valued.name])[examples.customers], valued.values))
    return Inputs(
        numeric=_scaled(numbers, scales or scales_of(schema), len(examples)),
        categories=stack_codes(codes, len(examples)),
        steps=_steps(schema, columns, log, examples, lookback_days) if with_steps else None,
    )


def scales_of(schema: Schema) -> Scales:
    """The scalings of the numbers of the inputs: columns, history aggregates, rates."""
    return Scales.of([*(scaling for _, scaling in schema.numbers), *(r.scaling for r in schema.rated)])


def check_fields(schema: Schema, columns: Mapping[str, Column], log: EventLog | None) -> None:
    """Raise a SchemaError where the data lack a field of the schema."""
    absent = [name for name in schema.column_names if name not in columns]
    if absent:
        raise SchemaError(f"the data must have the columns {absent} of the model, got {sorted(columns)}")
    if schema.events and log is None:
        raise SchemaError("the model reads an event log, got none. Name it with --events.")
    if schema.events and log:
        numbers = {v.name for v in schema.events.values} - set(log.values)
        lacking = sorted(numbers | {c.name for c in schema.events.categories} - set(log.categories))
        if lacking:
            raise SchemaError(f"the log must have the event fields {lacking} of the model")


def _check_features(schema: EventSchema, aggregates: Mapping[str, Numbers]) -> None:
    """Raise a SchemaError where the schema has aggregates of another version of Propense."""
    unknown = [f.name for f in schema.features if f.name not in aggregates]
    if unknown:
        raise SchemaError(
            f"this Propense must compute the history features {unknown}. Train the model again."
        )


def number_of(column: Column, kind: str, time_format: str | None, zone: str, examples: Examples) -> Numbers:
    """(N,) float64 unscaled values of a numeric, boolean or date column."""
    if kind == "date":
        return age_days(as_dates(column, time_format, zone)[examples.customers], examples.cutoffs)
    values = as_booleans(column) if kind == "boolean" else as_numbers(column)
    return values[examples.customers]


def event_features(
    schema: EventSchema, log: EventLog, examples: Examples, *, lookback_days: int | None
) -> dict[str, Numbers]:
    """(N,) float64 unscaled history aggregates by name."""
    kind = schema.type
    return history_features(
        log,
        examples.customers,
        examples.cutoffs,
        lookback_days=lookback_days,
        type_codes=as_codes(log.categories[kind.name], kind.vocabulary) if kind else None,
        types=kind.vocabulary if kind else (),
    )


def _bounded(feature: HistoryFeature, values: Numbers) -> Numbers:
    """Return the values; a tenure, which the calendar makes longer, is at most the longest of training."""
    return np.minimum(values, feature.scaling.high) if feature.name == TENURE else values


def _value_codes(numbers: Numbers, values: Sequence[float]) -> NDArray[np.int64]:
    """(N,) int64: 1 + position of each number among the ascending values; 0 for any other."""
    known = np.asarray(values)
    place = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    return np.where(known[place] == numbers, place + 1, 0)


def _last_codes(
    schema: EventSchema, log: EventLog, examples: Examples, lookback_days: int | None
) -> list[NDArray[np.int64]]:
    """Return (N,) int64 codes of the last event's type and attributes; 0 for an empty history."""
    start, end = log.history(examples.customers, examples.cutoffs, lookback_days)
    last = np.where(end > start, end - 1, len(log.times))
    texts = [log.categories[c.name] for c in schema.categories]
    ends = [Texts(np.append(t.codes, np.int32(-1))[last], t.values) for t in texts]
    return [as_codes(text, c.vocabulary) for text, c in zip(ends, schema.categories, strict=True)]


def _steps(
    schema: Schema,
    columns: Mapping[str, Column],
    log: EventLog | None,
    examples: Examples,
    lookback_days: int | None,
) -> Steps | None:
    """Return events if the schema has them, else the series, else None: the head reads columns as tokens."""
    if schema.events and log:
        numbers, categories = event_steps(log, schema.events)
        start, end = log.history(examples.customers, examples.cutoffs, lookback_days)
        start = np.maximum(start, end - schema.events.max_events)
        ages = log.times / DAY, examples.cutoffs / DAY
    elif schema.series:
        numbers = series_steps(columns, schema.series)
        categories = np.zeros((len(numbers), 0), dtype=np.int64)
        length = max(len(s.columns) for s in schema.series)
        start, end, ages = examples.customers * length, (examples.customers + 1) * length, None
    else:
        return None
    return Steps(numbers, categories, start, end, ages)


def _scaled(columns: Sequence[Numbers], scales: Scales, length: int) -> NDArray[np.float32]:
    """(N, D) float32, some rows at a time to save memory: their float64 copy is small."""
    scaled = np.empty((length, len(columns)), dtype=np.float32)
    for start in range(0, length if columns else 0, _BLOCK):
        rows = slice(start, start + _BLOCK)
        scaled[rows] = scale(np.column_stack([column[rows] for column in columns]), scales)
    return scaled
