"""The steps of a sequence: one row of numbers and codes per step, oldest first."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.features.scaling import scale
from model.schema import EventSchema, Series
from model.times import DAY
from model.values.columns import Column, as_codes, as_numbers
from model.values.history import EventLog

# The numbers of every event, before its own values. Age and the first gap are filled in per example.
STEP_NUMBERS: Final = ("age", "gap", "week_sin", "week_cos", "day_sin", "day_cos")
AGE: Final = 0
GAP: Final = 1


def event_steps(log: EventLog, schema: EventSchema) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the (E, S) float32 numbers and (E, T) int64 codes of a log's events; the age is left at 0."""
    steps = np.zeros((len(log.times), n_step_numbers(schema)), dtype=np.float32)
    steps[:, GAP] = np.log1p(np.maximum(np.diff(log.times, prepend=log.times[:1]), 0) / DAY)
    for column, period_days in ((2, 7.0), (4, 1.0)):
        angle = 2 * np.pi * ((log.times / DAY) % period_days) / period_days
        steps[:, column], steps[:, column + 1] = np.sin(angle), np.cos(angle)
    for column, value in enumerate(schema.values, start=len(STEP_NUMBERS)):
        steps[:, column] = scale(log.values[value.name], value.scaling)
    codes = [as_codes(log.categories[c.name], c.vocabulary) for c in schema.categories]
    return steps, stack_codes(codes, len(log.times))


def series_steps(columns: Mapping[str, Column], series: tuple[Series, ...]) -> NDArray[np.float32]:
    """(N * L, S) float32: wide columns as L steps per customer, shorter series padded in front with NaN."""
    length = max(len(s.columns) for s in series)
    n_customers = len(columns[series[0].columns[0]])
    steps = np.full((n_customers, length, len(series)), np.nan, dtype=np.float32)
    for index, one in enumerate(series):
        for position, name in enumerate(one.columns, start=length - len(one.columns)):
            steps[:, position, index] = scale(as_numbers(columns[name]), one.scaling)
    return steps.reshape(n_customers * length, len(series))


def n_step_numbers(schema: EventSchema) -> int:
    """Return S, the numbers of an event's step."""
    return len(STEP_NUMBERS) + len(schema.values)


def stack_codes(codes: Sequence[NDArray[np.int64]], length: int) -> NDArray[np.int64]:
    """Stack C columns of codes as an array of (length, C)."""
    return np.column_stack(codes) if codes else np.zeros((length, 0), dtype=np.int64)
