"""The probes of all rows: duplicates, an order, and a changed share of positives."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.files.names import agreed, counted
from model.scoring.repeats import repeated_rows, uncounted_rows
from model.values.columns import Column
from training.audit.feature import auc, auc_error
from training.audit.findings import Finding, Level
from training.question.labels import Bools
from training.split.deal import broken_up, duplicate_groups, row_names

_MANY: Final = 0.01
_IN_ORDER: Final = 0.6
_SORTED: Final = 0.99
_PARTS: Final = 5
SURE: Final = 4.0  # standard errors
NOTABLE: Final = 0.2  # relative change of the share of the rarer outcome


def probe_duplicates(features: Mapping[str, Column], positive: Bools) -> list[Finding]:
    """Find rows that are equal in every column that the model may read.

    Args:
        features: columns of N rows by name; rows that are equal because the columns are coarse do not
            count (`training.split.deal.duplicate_groups`).
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
    several = sizes > 1
    mixed = int((several & (hits > 0) & (hits < sizes)).sum())
    common = int(broken_up(names, group).sum())
    level: Level = "warning" if repeats >= _MANY * n else "note"
    return [
        Finding(
            "duplicates",
            level,
            None,
            f"{repeated_rows(repeats, n)}, "
            f"{alike:,} of them in the label too; "
            f"of the {counted(int(several.sum()), 'group')} of equal rows, {mixed:,} "
            f"{agreed(mixed, 'has', 'have')} both outcomes."
            f"{uncounted_rows(common)}",
            "The split keeps them on one side. If they belong to one customer, keep one of them, or name the "
            "column that identifies customers (split: {group: ...}).",
        )
    ]


def probe_order(order: NDArray[np.int64] | None, positive: Bools) -> list[Finding]:
    """Find rows whose number alone predicts the outcome.

    Args:
        order: (N,) the position of each row in its file; None where rows have no order.
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
            f"in five consecutive fifths {rates} % are positive.",
            _UNSORT if by_label else _SPLIT,
        )
    ]


def probe_shift(train: Bools, test: Bools) -> list[Finding]:
    """Find a share of positives that differs between training and test.

    Args:
        train, test: outcomes of the examples of each.
    """
    if not len(train) or not len(test):
        return []
    before, after = float(train.mean()), float(test.mean())
    pooled = float(np.concatenate([train, test]).mean())
    error = np.sqrt(pooled * (1 - pooled) * (1 / len(train) + 1 / len(test)))
    change, rarer = abs(after - before), min(before, 1 - before)
    if not error or change < SURE * error or change < NOTABLE * rarer:
        return []
    return [
        Finding(
            "target_shift",
            "warning",
            None,
            f"{before:.1%} of the {len(train):,} training examples whose outcome is known are "
            f"positive, and {after:.1%} of the {len(test):,} test examples.",
            "Behaviour changes over time: rely on the forward figures only, and retrain often "
            "(propense retrain).",
        )
    ]


_SPLIT: Final = (
    "Test on the latest rows (split: {time: column}, a date or a number that rises with time); "
    "the figures of a random split are too good for a model that predicts later rows."
)
_UNSORT: Final = (
    "Make sure that both outcomes come from one source, and exclude every column that follows the order of "
    "the rows (data.customers.exclude)."
)
