"""The statistics of a schema, fitted on training examples only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from model.features.encode import event_features, number_of
from model.features.scaling import asinh_transform
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
    TableColumn,
)
from model.times import DAY
from model.values.columns import Column, Numbers, Texts, absent, as_categories, as_numbers
from model.values.customers import Examples
from model.values.history import EventLog
from training.schema.kinds import Kind
from training.study.sections import EventsSource

BINS: Final = 24
MIN_ROWS: Final = 30  # customers with a number that gets an embedding of its own
MIN_CUSTOMERS: Final = 5  # a category of fewer counts as unknown, so that no person is identified
MAX_CATEGORIES: Final = 1000
MAX_TYPES: Final = 12
YEAR_DAYS: Final = 365


@dataclass(frozen=True)
class ModelFields:
    """The columns and event fields that a model reads, before their statistics are fitted.

    Attributes:
        kinds: the kind of each table column.
        date_formats: the strptime format of each date column; None is ISO 8601.
        spellings: of columns of numbers that are not plain, see `model.values.numbers`.
        series: the columns of each sequence, oldest first; each of them is in `kinds` too.
        time_zone: of times without an offset.
        event_format: of the times of the events; None is ISO 8601.
        event_spellings: as `spellings`, of the values of the events.
        max_events: the latest events of a history that a sequence keeps.
    """

    id: str | None
    kinds: Mapping[str, Kind]
    date_formats: Mapping[str, str | None] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)
    series: Mapping[str, Sequence[str]] = field(default_factory=dict)
    time_zone: str = "UTC"
    events: EventsSource | None = None
    event_format: str | None = None
    event_spellings: Mapping[str, str] = field(default_factory=dict)
    max_events: int = 1


def fit_schema(
    fields: ModelFields,
    columns: Mapping[str, Column],
    log: EventLog | None,
    examples: Examples,
    *,
    lookback_days: int | None,
) -> Schema:
    """Fit every scaling and vocabulary on the given examples.

    Args:
        columns: raw table columns by name, one value a customer.
        examples: the training examples; nothing after their cutoffs is read.
    """
    return Schema(
        id=fields.id,
        time_zone=fields.time_zone,
        columns=tuple(
            _table_column(name, kind, fields, columns[name], examples) for name, kind in fields.kinds.items()
        ),
        series=tuple(_series(name, of, columns, examples) for name, of in fields.series.items()),
        events=_event_schema(fields, log, examples, lookback_days) if log else None,
    )


def fit_scaling(values: Numbers) -> Scaling:
    """Return the scaling of the known values; an empty or constant column gets a width of 1."""
    known = values[np.isfinite(values)]
    if not len(known):
        known = np.zeros(1)
    low, quarter, median, three_quarters, high = np.quantile(known, [0, 0.25, 0.5, 0.75, 1])
    width = _width(known, float(three_quarters - quarter))
    squashed = asinh_transform(known, float(median), width)
    mean, deviation = float(squashed.mean()), float(squashed.std()) or 1.0
    scaled = (squashed - mean) / deviation
    edges = np.unique(np.quantile(scaled, np.linspace(0, 1, BINS + 1)).astype(np.float32))
    return Scaling(
        center=float(median),
        scale=width,
        mean=mean,
        deviation=deviation,
        edges=tuple(edges.tolist()) if len(edges) > 1 else (),
        low=float(low),
        high=float(high),
        median=float(median),
    )


def _width(known: Numbers, quartile_range: float) -> float:
    """Return the quartile range, or the deviation where that is 0."""
    with np.errstate(over="ignore"):
        width = quartile_range or float(known.std())
    return width if np.isfinite(width) and width > 0 else 1.0


def _table_column(
    name: str, kind: Kind, fields: ModelFields, column: Column, examples: Examples
) -> TableColumn:
    missing = float(absent(column)[examples.customers].mean()) if len(examples) else 0.0
    if kind == "categorical":
        vocabulary = vocabulary_of(as_categories(column), examples.customers, examples.customers)
        return CategoricalColumn(name=name, vocabulary=vocabulary, missing=missing)
    time_format = fields.date_formats.get(name)
    scaling = fit_scaling(number_of(column, kind, time_format, fields.time_zone, examples))
    if kind == "date":
        return DateColumn(name=name, time_format=time_format, scaling=scaling, missing=missing)
    if kind == "boolean":
        return BooleanColumn(name=name, scaling=scaling, missing=missing)
    customers = np.unique(examples.customers)  # each once, whatever the number of cutoffs
    return NumericColumn(
        name=name,
        scaling=scaling,
        values=_repeated(as_numbers(column)[customers]),
        spelling=fields.spellings.get(name),
        missing=missing,
    )


def _repeated(numbers: Numbers) -> tuple[float, ...]:
    """Return the numbers that many rows share, if most rows have one of them and they outnumber the bins.

    Such numbers are prices of a tariff or interest rates: each has a meaning of its own.
    """
    values, counts = np.unique(numbers[np.isfinite(numbers)], return_counts=True)
    common = counts >= MIN_ROWS
    if common.sum() <= 2 * BINS or counts[common].sum() < len(numbers) / 2:
        return ()
    return tuple(values[common].tolist())


def _series(name: str, of: Sequence[str], columns: Mapping[str, Column], examples: Examples) -> Series:
    values = np.concatenate([as_numbers(columns[c])[examples.customers] for c in of])
    return Series(name=name, columns=tuple(of), scaling=fit_scaling(values))


def vocabulary_of(
    texts: Texts, rows: np.ndarray, customers: np.ndarray, *, most: int = MAX_CATEGORIES
) -> tuple[str, ...]:
    """Return the categories of at least MIN_CUSTOMERS customers in these rows, the most common first.

    Args:
        rows: positions in `texts`.
        customers: the customer of each of them.
    """
    codes, n = texts.codes[rows].astype(np.int64), max(len(texts.values), 1)
    pairs = np.unique((customers * n + codes)[codes >= 0])
    counts = np.bincount(pairs % n, minlength=len(texts.values))
    order = np.argsort(-counts, kind="stable")[:most]
    return tuple(texts.values[i] for i in order if counts[i] >= MIN_CUSTOMERS)


def _event_schema(
    fields: ModelFields, log: EventLog, examples: Examples, lookback_days: int | None
) -> EventSchema | None:
    source = fields.events
    if source is None:
        return None
    seen = _events_seen(log, examples)
    draft = EventSchema(
        id=source.id,
        time=source.time,
        time_format=fields.event_format,
        type=_event_category(source.type, log, seen, most=MAX_TYPES) if source.type else None,
        values=tuple(
            EventValue(
                name=name,
                scaling=fit_scaling(log.values[name][seen]),
                spelling=fields.event_spellings.get(name),
            )
            for name in source.values
        ),
        attributes=tuple(_event_category(n, log, seen) for n in source.attributes),
        features=(),
        max_events=fields.max_events,
    )
    raw = event_features(draft, log, examples, lookback_days=lookback_days)
    return draft.model_copy(update={"features": _features(raw, examples)})


def _features(raw: Mapping[str, Numbers], examples: Examples) -> tuple[HistoryFeature, ...]:
    """Return the aggregates that vary; those of the season only if the cutoffs span two years.

    The network reads them linearly, without edges: they grow with time, so later customers are often beyond
    the ends of the training examples, where a piecewise-linear code is flat.
    """
    cutoffs = examples.cutoffs
    two_years = len(cutoffs) > 0 and (cutoffs.max() - cutoffs.min()) / DAY >= 2 * YEAR_DAYS
    kept = {n: v for n, v in raw.items() if two_years or not n.startswith("cutoff_")}
    fitted = {name: fit_scaling(values).model_copy(update={"edges": ()}) for name, values in kept.items()}
    missing = {name: float(np.isnan(values).mean()) for name, values in kept.items()}
    return tuple(
        HistoryFeature(name=n, scaling=s, missing=missing[n]) for n, s in fitted.items() if s.low < s.high
    )


def _event_category(
    name: str, log: EventLog, seen: np.ndarray, *, most: int = MAX_CATEGORIES
) -> EventCategory:
    vocabulary = vocabulary_of(as_categories(log.categories[name]), seen, log.owners[seen], most=most)
    return EventCategory(name=name, vocabulary=vocabulary)


def _events_seen(log: EventLog, examples: Examples) -> np.ndarray:
    """Return the positions of the events at or before the last cutoff of their training customer."""
    last = np.full(log.n_customers, np.iinfo(np.int64).min)
    np.maximum.at(last, examples.customers, examples.cutoffs)
    return np.flatnonzero(log.times <= last[log.owners])
