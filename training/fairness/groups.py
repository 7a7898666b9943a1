"""The groups that the values of a column form: few enough to compare, and no person alone in one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.files.dates import DateFormat
from model.files.names import counted
from model.files.table import RawTable
from model.times import MISSING_TIME, format_instant
from model.values.columns import Column, Numbers, Texts, as_categories, as_dates, as_numbers, format_number
from model.values.numbers import plain_numbers
from model.values.spelling import folded
from training.schema.fit_schema import vocabulary_of
from training.schema.kinds import infer_kinds

MOST: Final = 8  # values that are groups of their own
_QUARTILES: Final = (0.25, 0.5, 0.75)  # where columns of more numbers or dates are cut
_MISSING: Final = "missing"
_DATE: Final = len("2024-05-14")


@dataclass(frozen=True)
class Groups:
    """The group of each of N rows.

    Attributes:
        names: of the groups that have rows: values by falling count, or ascending ranges.
        codes: (N,) int64, index into `names`.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int64]


def groups_by(
    name: str, column: Column, customers: NDArray[np.int64], *, date: DateFormat | None, zone: str
) -> Groups:
    """Return the groups of N examples by a column of the customer table.

    A column of more than `MOST` numbers or dates is cut at the quartiles of the examples. Others have a group
    for each value, its spellings together; values that are rare, and those after the first `MOST`, are one
    group. Missing values are the last.

    Args:
        customers: (N,) positions in the column; one may come several times.
        date: how the column is read if it holds dates.
    """
    kinds = infer_kinds(RawTable({name: column}, len(column), ()), dates={name: date} if date else {})
    kind, spelling = kinds.kinds.get(name), kinds.spellings.get(name)
    if kind == "date" and date:
        times = as_dates(column, date.time_format, zone)[customers]
        days = np.where(times == MISSING_TIME, np.nan, times.astype(np.float64))
        if _are_many(days):
            return _ranges(days, lambda time: format_instant(int(time), zone)[:_DATE])
    elif kind == "numeric":
        numbers = as_numbers(plain_numbers(column, spelling) if spelling else column)[customers]
        if _are_many(numbers):
            return _ranges(numbers, lambda number: format_number(round(float(number), 6)))
    return _values(_spelt_alike(as_categories(column)), customers)


def _are_many(values: Numbers) -> bool:
    return len(np.unique(values[~np.isnan(values)])) > MOST


def _ranges(values: Numbers, shown: Callable[[float], str]) -> Groups:
    known = values[~np.isnan(values)]
    edges = np.unique(np.quantile(known, _QUARTILES))
    codes = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values))
    names = []
    for code in range(len(edges) + 1):
        inside = values[codes == code]
        ends = map(shown, (inside.min(), inside.max())) if len(inside) else ()
        names.append(" to ".join(dict.fromkeys(ends)))
    return _used([*names, _MISSING], codes)


def _values(texts: Texts, customers: NDArray[np.int64]) -> Groups:
    kept = vocabulary_of(texts, customers, customers, most=MOST)
    place = {value: code for code, value in enumerate(kept)}
    lookup = [*(place.get(value, len(kept)) for value in texts.values), len(kept) + 1]
    own, codes = texts.codes[customers], np.array(lookup)[texts.codes[customers]]
    others = counted(len(np.unique(own[codes == len(kept)])), "other value")
    return _used([*kept, others, _MISSING], codes)


def _spelt_alike(texts: Texts) -> Texts:
    """The texts with one value for all spellings of a name: the most common of them."""
    counts = np.bincount(texts.codes[texts.codes >= 0], minlength=len(texts.values))
    common = {folded(texts.values[code]): code for code in np.argsort(counts, kind="stable").tolist()}
    lookup = [*(common[folded(value)] for value in texts.values), -1]
    return Texts(np.array(lookup, dtype=np.int32)[texts.codes], texts.values)


def _used(names: list[str], codes: NDArray[np.int64]) -> Groups:
    """Only the groups that have rows."""
    used, codes = np.unique(codes, return_inverse=True)
    return Groups(tuple(names[code] for code in used.tolist()), codes)
