"""The typical customer that reasons compare with: medians and most frequent categories of training.

Every value is of the schema, so none is a customer's row. What most customers lack, the typical one lacks.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.features.inputs import Inputs, Steps
from model.features.scaling import Scales, scale
from model.features.sequence import AGE, GAP, n_step_numbers
from model.schema import CategoricalColumn, EventCategory, EventSchema, HistoryFeature, Scaling, Schema

_MISSING: Final = 0
_FIRST: Final = 2  # the code of the most frequent category
_MOSTLY: Final = 0.5


def reference_inputs(schema: Schema, *, with_steps: bool) -> Inputs:
    """Return the inputs of the typical customer, as one example."""
    features = schema.events.features if schema.events else ()
    numbers = [_median(one.scaling, one.missing) for one in (*schema.numeric, *features)]
    codes = [_most_frequent(c, c.missing) for c in schema.categorical]
    if schema.events:
        without = _n_events(schema.events) == 0
        codes += [_most_frequent(c, float(without)) for c in schema.events.categories]
    rated = [(c.rates, code) for c, code in zip(schema.categorical, codes, strict=False) if c.rates]
    numbers += [rates.log_odds[code] for rates, code in rated]
    for at, column in schema.valued:
        values = [*column.values]
        codes.append(values.index(numbers[at]) + 1 if numbers[at] in values else 0)
    scalings = [scaling for _, scaling in schema.numbers] + [rates.scaling for rates in schema.rated]
    return Inputs(
        _scaled(numbers, scalings),
        np.array([codes], dtype=np.int64),
        _steps(schema) if with_steps else None,
    )


def _median(scaling: Scaling, missing: float) -> float:
    return np.nan if missing > _MOSTLY else scaling.median


def _most_frequent(column: CategoricalColumn | EventCategory, missing: float) -> int:
    return _MISSING if missing > _MOSTLY or not column.vocabulary else _FIRST


def _scaled(numbers: Sequence[float], scalings: Sequence[Scaling]) -> NDArray[np.float32]:
    return scale(np.array([numbers], dtype=np.float64), Scales.of(scalings))


def _steps(schema: Schema) -> Steps | None:
    """The sequence: of series their medians, of a log as many events, as far apart and as old, as usual.

    Without any event it would be like few customers, and the reason of a sequence would be that there is one.
    """
    if schema.events:
        numbers, codes = _typical_events(schema.events)
    elif schema.series:
        scaling = {c.name: c.scaling for c in schema.numeric}
        length = max(len(one.columns) for one in schema.series)
        numbers = np.full((length, len(schema.series)), np.nan, dtype=np.float32)
        for at, one in enumerate(schema.series):
            medians = np.array([scaling[name].median for name in one.columns])
            numbers[length - len(medians) :, at] = scale(medians, one.scaling)
        codes = np.zeros((length, 0), dtype=np.int64)
    else:
        return None
    return Steps(numbers, codes, np.array([0]), np.array([len(numbers)]))


def _typical_events(events: EventSchema) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(L, S) float32 numbers and (L, T) int64 codes; times of the day and week are 0, their middle."""
    of = {feature.name: feature for feature in events.features}
    n = _n_events(events)
    gap, recency = (_usual(of.get(name), 0.0) for name in ("mean_gap_days", "recency_days"))
    numbers = np.zeros((n, n_step_numbers(events)), dtype=np.float32)
    numbers[:, AGE] = np.log1p(recency + gap * np.arange(n)[::-1])
    numbers[:, GAP] = np.log1p(gap)
    numbers[:1, GAP] = np.nan  # as in every sequence
    for at, value in enumerate(events.values, start=n_step_numbers(events) - len(events.values)):
        numbers[:, at] = scale(np.array([value.scaling.median]), value.scaling)
    codes = [_most_frequent(category, 0.0) for category in events.categories]
    return numbers, np.tile(np.array(codes, dtype=np.int64), (n, 1))


def _n_events(events: EventSchema) -> int:
    """The usual number of events in a history, as far as a sequence keeps them."""
    counts = [f for f in events.features if f.name.startswith("count_")]
    longest = counts[-1] if counts else None
    return min(round(max(_usual(longest, 1.0), 0.0)), events.max_events)


def _usual(feature: HistoryFeature | None, otherwise: float) -> float:
    if feature is None or feature.missing > _MOSTLY:
        return otherwise
    return feature.scaling.median
