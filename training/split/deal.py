"""Rows dealt to training and test by a hash, whole groups at a time.

A hash of the customer's name (the id, the group, or all columns of a row without an id) gives a place in
[0, 1). So a customer stays on the same side when more data arrive, and the test customers of an earlier
version can be recognised later.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from model.values.columns import Column, as_texts
from model.values.duplicates import COMMON_ROWS, COMMON_SHARE, row_hashes
from training.question.timeline import group_numbers

Rows = NDArray[np.int64]
Places = NDArray[np.float64]

RARER: Final = 200  # examples of the rarer outcome that a test should have
TEST_SHARES: Final = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)  # held out for it, unless the study says so


def hash_shares(ids: Sequence[str], *, seed: int, purpose: str) -> Places:
    """Return (N,) places in [0, 1), the same for the same id, seed and purpose on any machine."""
    key = f"{purpose}:{seed}".ljust(16, ".")[:16]
    hashed = pd.util.hash_array(np.asarray(ids, dtype=object), hash_key=key, categorize=False)
    return np.asarray(hashed, dtype=np.float64) / 2.0**64


def row_names(columns: Mapping[str, Column], n_rows: int) -> list[str]:
    """Return a text for each of N rows, equal for rows that are equal in every column."""
    names: list[str] = row_hashes(columns, n_rows, _stable).astype(str).tolist()
    return names


def _stable(texts: Sequence[str]) -> NDArray[np.uint64]:
    hashed: NDArray[np.uint64] = pd.util.hash_array(np.asarray(texts, dtype=object), categorize=False)
    return hashed


def groups_of(columns: Mapping[str, Column], group: str, ids: Sequence[str]) -> list[str]:
    """Return a text for each of N rows: its value of the group column, or its id where that is missing."""
    texts = as_texts(columns[group])
    return [
        f"={texts.values[c]}" if c >= 0 else id_ for c, id_ in zip(texts.codes.tolist(), ids, strict=True)
    ]


def deal(
    groups: NDArray[np.integer], strata: NDArray[np.integer], shares: Sequence[float], places: Places
) -> list[Rows]:
    """Deal N rows into parts of about these shares, whole groups at a time.

    Args:
        groups: (N,) equal numbers stay together.
        strata: (N,) a group belongs to the highest stratum of its rows; each part gets its share of
            every stratum.
        shares: of each part but the last, which is the rest.
        places: (N,) the order of the deal; a group has the lowest place of its rows.

    Returns:
        One array of row positions for each share, then one for the rest.
    """
    _, group_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    lowest, highest = np.full(len(sizes), np.inf), np.zeros(len(sizes), dtype=np.int64)
    np.minimum.at(lowest, group_of, places)
    np.maximum.at(highest, group_of, strata)
    order = np.lexsort((lowest, highest))
    stratum = highest[order]
    ends = np.cumsum(sizes[order])
    total = np.bincount(highest, weights=sizes)
    before = np.concatenate([[0.0], np.cumsum(total)])
    # the middle of each group within its stratum, from 0 to 1
    middle = (ends - sizes[order] / 2 - before[stratum]) / total[stratum]
    part_of_group = np.empty(len(sizes), dtype=np.int64)
    part_of_group[order] = np.searchsorted(np.cumsum(shares), middle, side="right")
    part = part_of_group[group_of]
    return [np.flatnonzero(part == i) for i in range(len(shares) + 1)]


def deal_folds(
    groups: NDArray[np.integer], strata: NDArray[np.integer], n_folds: int, places: Places
) -> NDArray[np.int64]:
    """Return (N,) int64 folds, 0 to n_folds - 1, of about equal size; arguments as in `deal`."""
    fold = np.zeros(len(groups), dtype=np.int64)
    for number, rows in enumerate(deal(groups, strata, [1 / n_folds] * (n_folds - 1), places)):
        fold[rows] = number
    return fold


def test_share(stated: float | None, rarer: Callable[[float], int]) -> float:
    """Return the share to hold out: the stated one, or the smallest of TEST_SHARES with RARER examples.

    Args:
        rarer: a share to the number of test examples of the rarer outcome. If none suffices, the largest
            share is returned.
    """
    if stated is not None:
        return stated
    return next((share for share in TEST_SHARES if rarer(share) >= RARER), TEST_SHARES[-1])


def n_rarer(happened: NDArray[np.bool_]) -> int:
    """Return the number of the rarer of two outcomes."""
    return int(min(happened.sum(), (~happened).sum()))


def duplicate_groups(names: Sequence[str]) -> NDArray[np.int64]:
    """Return (N,) group numbers: rows of one name share one, unless they are common."""
    alone = np.arange(len(names), dtype=np.int64)
    groups = group_numbers(names)
    common = np.bincount(groups)[groups] > max(COMMON_ROWS, COMMON_SHARE * len(names))
    return np.where(common, len(names) + alone, groups)


def broken_up(names: Sequence[str], groups: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return (N,) whether rows of the same name are in several groups, because they are common."""
    n_groups = pd.Series(groups).groupby(np.asarray(names, dtype=object)).transform("nunique")
    return np.asarray(n_groups > 1, dtype=np.bool_)


def joined_groups(one: NDArray[np.integer], other: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return (N,) group numbers: rows connected through either grouping share one."""
    _, left = np.unique(one, return_inverse=True)
    _, right = np.unique(other, return_inverse=True)
    size = len(one)
    links = (np.ones(size, dtype=bool), (left, size + right))
    _, group_of = connected_components(coo_array(links, shape=(2 * size, 2 * size)), directed=False)
    return np.asarray(group_of[left], dtype=np.int64)
