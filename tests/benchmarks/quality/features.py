"""What the peers read: table columns unscaled, and the aggregates of histories that Propense computes."""

import numpy as np
from numpy.typing import NDArray

from model.features.encode import event_features, number_of
from model.schema import EventSchema
from model.values.columns import as_categories
from model.values.customers import Examples
from tests.benchmarks.quality.problem import Features, Floats
from training.prepare import Prepared
from training.schema.fit_schema import fit_schema

Codes = NDArray[np.int64]


def read_features(prepared: Prepared, train: Examples, test: Examples) -> tuple[Features, Features]:
    """Both sides' features; statistics and vocabularies are those of the training examples."""
    everybody = Examples(
        np.concatenate([train.customers, test.customers]), np.concatenate([train.cutoffs, test.cutoffs])
    )
    numbers, codes = _table_numbers(prepared, everybody), _table_codes(prepared, everybody)
    if prepared.dataset.log is not None:
        schema = fit_schema(
            prepared.fields,
            prepared.dataset.columns,
            prepared.dataset.log,
            train,
            lookback_days=prepared.task.lookback_days,
        )
        assert schema.events is not None
        numbers += _history_numbers(prepared, schema.events, everybody)
        codes += _last_codes(prepared, schema.events, everybody)
    n = len(everybody)
    features = Features(
        np.stack(numbers, axis=1) if numbers else np.empty((n, 0)),
        np.stack([_by_frequency(c, len(train)) for c in codes], axis=1)
        if codes
        else np.empty((n, 0), dtype=np.int64),
    )
    return features.take(np.arange(len(train))), features.take(np.arange(len(train), n))


def _table_numbers(prepared: Prepared, examples: Examples) -> list[Floats]:
    fields, columns = prepared.fields, prepared.dataset.columns
    return [
        number_of(columns[name], kind, fields.date_formats.get(name), fields.time_zone, examples)
        for name, kind in fields.kinds.items()
        if kind != "categorical"
    ]


def _table_codes(prepared: Prepared, examples: Examples) -> list[Codes]:
    return [
        as_categories(prepared.dataset.columns[name]).codes[examples.customers].astype(np.int64)
        for name, kind in prepared.fields.kinds.items()
        if kind == "categorical"
    ]


def _history_numbers(prepared: Prepared, schema: EventSchema, examples: Examples) -> list[Floats]:
    """The aggregates that vary."""
    log = prepared.dataset.log
    assert log is not None
    found = event_features(schema, log, examples, lookback_days=prepared.task.lookback_days)
    return [found[feature.name] for feature in schema.features]


def _last_codes(prepared: Prepared, schema: EventSchema, examples: Examples) -> list[Codes]:
    """Type and attributes of the last event."""
    log = prepared.dataset.log
    assert log is not None
    start, end = log.history(examples.customers, examples.cutoffs, prepared.task.lookback_days)
    last = np.where(end > start, end - 1, -1)
    fields = [as_categories(log.categories[field.name]) for field in schema.categories]
    return [np.append(field.codes.astype(np.int64), -1)[last] for field in fields]


def _by_frequency(codes: Codes, n_train: int) -> Codes:
    """(N,) other codes for the same categories, see `Features`."""
    counts = np.bincount(codes[:n_train][codes[:n_train] >= 0], minlength=int(codes.max(initial=-1)) + 1)
    place = np.empty(len(counts) + 1, dtype=np.int64)
    place[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    place[np.append(counts == 0, True)] = -1
    return place[codes]
