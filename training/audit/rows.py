"""What the rows of a table are like: twins among them, and an order."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.values.columns import Column
from training.audit.findings import Finding, Level
from training.audit.ranking import auc, auc_error
from training.question.labels import Bools
from training.split.split import COMMON_SHARE, broken_up, duplicate_groups, row_names

_MANY: Final = 0.01
_IN_ORDER: Final = 0.6
_SORTED: Final = 0.99
_PARTS: Final = 5


def probe_duplicates(features: Mapping[str, Column], positive: Bools) -> list[Finding]:
    """A finding if rows are equal in every column that the model may read.

    Args:
        features: columns of N rows by name; rows that are equal because the columns are coarse are
            no duplicates (`training.split.split.duplicate_groups`).
        positive: (N,) bool.
    """
    n = len(positive)
    names = row_names(features, n)
    _, group = np.unique(duplicate_groups(names), return_inverse=True)
    sizes, hits = np.bincount(group), np.bincount(group, weights=positive)
    repeats = n - len(sizes)
    if not repeats:
        return []
    alike = n - len(np.unique(2 * group + positive))
    twins = sizes > 1
    mixed = int((twins & (hits > 0) & (hits < sizes)).sum())
    common = int(broken_up(names, group).sum())
    level: Level = "warning" if repeats >= _MANY * n else "note"
    return [
        Finding(
            "duplicates",
            level,
            None,
            f"{repeats:,} of {n:,} rows ({repeats / n:.1%}) repeat an earlier row in every column, "
            f"{alike:,} of them in the label too; "
            f"of the {int(twins.sum()):,} groups of equal rows {mixed:,} hold both outcomes."
            f"{_UNCOUNTED.format(common, 100 * COMMON_SHARE) if common else ''}",
            "A split by rows keeps these on one side; if they are one customer's, keep one of them, "
            "or name the column that tells customers apart (split: {group: ...}).",
        )
    ]


def probe_order(order: NDArray[np.int64] | None, positive: Bools) -> list[Finding]:
    """A finding if the row number alone tells the outcomes apart.

    Args:
        order: (N,) the place of each row in its file; None where rows have no order.
        positive: (N,) bool.
    """
    if order is None or len(order) < _PARTS:
        return []
    value = auc(order.astype(np.float64), positive)
    alone = max(value, 1 - value)
    if alone - 2 * auc_error(alone, positive) <= _IN_ORDER:
        return []
    parts = np.array_split(positive[np.argsort(order, kind="stable")], _PARTS)
    rates = ", ".join(f"{100 * part.mean():.1f}" for part in parts)
    by_label = alone >= _SORTED
    seem = "are sorted by the label" if by_label else "seem to be in order of time"
    return [
        Finding(
            "row_order",
            "warning",
            None,
            f"The rows {seem}: the row number alone has an AUC of {alone:.3f}; "
            f"of the five consecutive fifths {rates} % are positive.",
            _UNSORT if by_label else _SPLIT,
        )
    ]


_UNCOUNTED: Final = " Not counted are {:,} rows that equal more than {:g} % of all: the columns are coarse."
_SPLIT: Final = (
    "Test on the latest rows (split: {time: column}, a date or a number that rises with time); "
    "a split drawn at random flatters a model that will be asked about later rows."
)
_UNSORT: Final = (
    "Make sure that both outcomes come from one source, and leave out every column that follows "
    "the order of the rows (data.customers.exclude)."
)
