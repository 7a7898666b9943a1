"""The examples that a fit reads of a plan's folds."""

import numpy as np

from training.split.plan import Folds

FOLDS = Folds(
    rows=np.array([1, 2, 4, 7, 8]),
    fold=np.array([0, 1, 0, 2, 0]),
    judged=np.array([False, True, True, True, True]),
)


def told(folds: Folds) -> list[tuple[int, int, bool]]:
    return list(zip(folds.rows.tolist(), folds.fold.tolist(), folds.judged.tolist(), strict=True))


def test_among_some_rows_each_keeps_its_fold() -> None:
    assert told(FOLDS.among(np.array([8, 1, 7, 3]))) == [(1, 0, False), (7, 2, True), (8, 0, True)]
    assert told(FOLDS.among(FOLDS.rows)) == told(FOLDS)


def test_among_no_rows_there_is_nothing_to_read() -> None:
    nothing = FOLDS.among(np.empty(0, dtype=np.int64))
    assert told(nothing) == []
