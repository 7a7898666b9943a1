"""A column that names rows rather than describing them."""

import json
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from model.values.columns import Column, Numbers, as_categories, as_numbers, take
from training.audit.findings import Finding
from training.schema.kinds import Kind

_FEWEST: Final = 50
_SHARE: Final = 0.95
_CHANCE: Final = 1e-6
_ID_DIGITS: Final = 7


def near_unique(name: str, column: Column, kind: Kind, groups: NDArray[np.int64]) -> Finding | None:
    """A finding if nearly every customer has a text or whole number of their own.

    Args:
        groups: (N,) one number a customer, whose first row counts.
    """
    if kind not in ("numeric", "categorical"):
        return None
    values = take(column, np.unique(groups, return_index=True)[1])
    if kind == "categorical":
        codes = as_categories(values).codes
        known, is_id, what = codes[codes >= 0].astype(np.float64), True, "texts"
    else:
        numbers = as_numbers(values)
        known = numbers[~np.isnan(numbers)]
        is_id, what = _are_ids(known), "whole numbers"
    distinct = len(np.unique(known))
    if not is_id or len(known) < _FEWEST or distinct <= _SHARE * len(known):
        return None
    return Finding(
        "near_unique",
        "warning",
        name,
        f"{name!r} names rows rather than describing them: "
        f"it has {distinct:,} distinct {what} in {len(known):,} rows.",
        f"Leave it out (data.customers.exclude: [{json.dumps(name, ensure_ascii=False)}]).",
    )


def _are_ids(known: Numbers) -> bool:
    """Whether whole numbers were given out rather than measured.

    They all have the same number of digits, many; or fewer of them are equal than chance would
    have among as many numbers of that range, however evenly these were spread.
    """
    if not len(known) or (known != np.floor(known)).any():
        return False
    low, high, n = float(known.min()), float(known.max()), len(known)
    if low > 0 and np.floor(np.log10(low)) == np.floor(np.log10(high)) >= _ID_DIGITS - 1:
        return True
    size = high - low + 1
    expected = n - size * -np.expm1(n * np.log1p(-1 / size)) if size > 1 else 0.0
    return bool(poisson.cdf(n - len(np.unique(known)), expected) < _CHANCE)
