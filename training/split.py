"""Who is trained on and who is tested on: whole groups on one side, and test dates after training labels.

Customers of a log are dealt by a hash of their id, so that a customer stays on the same side when
more data arrive; rows of a table are dealt within their label, so that the shares of positives agree.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.columns import Column, Texts

Rows = NDArray[np.int64]

COMMON_SHARE: Final = 0.01  # rows equal to more than this share of all, and to more than so many, are
COMMON_ROWS: Final = 10  # no duplicates: the columns are coarse


def hash_shares(ids: Sequence[str], *, seed: int, purpose: str) -> NDArray[np.float64]:
    """(N,) number in [0, 1) for each id: the same for the same id, seed and purpose, on any machine."""
    key = f"{purpose}:{seed}".ljust(16, ".")[:16]
    hashed = pd.util.hash_array(np.asarray(ids, dtype=object), hash_key=key, categorize=False)
    return np.asarray(hashed, dtype=np.float64) / 2.0**64


def deal(
    groups: NDArray[np.integer], strata: NDArray[np.integer], shares: Sequence[float], *, seed: int
) -> list[Rows]:
    """Deal N rows into parts of about these shares, whole groups at a time.

    Args:
        groups: (N,) equal numbers stay together.
        strata: (N,) a group belongs to the stratum of its first row; each part gets its share of
            every stratum.
        shares: what each part gets; the rest is the last part of the answer.

    Returns:
        One array of row positions for each share, then one for the rest.
    """
    _, first, group_of = np.unique(groups, return_index=True, return_inverse=True)
    sizes = np.bincount(group_of)
    shuffled = np.random.default_rng(seed).permutation(len(first))
    order = shuffled[np.argsort(strata[first][shuffled], kind="stable")]
    stratum = strata[first][order]
    ends = np.cumsum(sizes[order])
    total = np.bincount(strata[first], weights=sizes)
    before = np.concatenate([[0.0], np.cumsum(total)])
    # where each group's middle lies within its stratum, from 0 to 1
    place = (ends - sizes[order] / 2 - before[stratum]) / total[stratum]
    part_of_group = np.empty(len(first), dtype=np.int64)
    part_of_group[order] = np.searchsorted(np.cumsum(shares), place, side="right")
    part = part_of_group[group_of]
    return [np.flatnonzero(part == i) for i in range(len(shares) + 1)]


def duplicate_groups(columns: Mapping[str, Column], n_rows: int) -> NDArray[np.int64]:
    """(N,) group numbers: rows that are equal in every column share one, unless they are common."""
    everyone = np.arange(n_rows, dtype=np.int64)
    if not columns:
        return everyone
    frame = pd.DataFrame(
        {str(i): c.codes if isinstance(c, Texts) else c for i, c in enumerate(columns.values())}
    )
    groups = pd.factorize(pd.util.hash_pandas_object(frame, index=False))[0].astype(np.int64)
    common = np.bincount(groups)[groups] > max(COMMON_ROWS, COMMON_SHARE * n_rows)
    return np.where(common, n_rows + everyone, groups)
