"""The plan of a table study: one example a row, dealt at random within the label, by group, or by time."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.files.dates import fitting_formats
from model.files.names import check_names
from model.task import ColumnTask
from model.times import MISSING_TIME, Instants
from model.values.columns import Column, Numbers, Texts, as_dates, as_numbers, as_texts
from model.values.customers import Examples
from training.question.labels import Bools, Labels
from training.split.plan import EasySplit, Folds, HeldOut, Plan
from training.split.split import (
    COMMON_SHARE,
    Rows,
    broken_up,
    deal,
    deal_folds,
    duplicate_groups,
    group_numbers,
    groups_of,
    hash_shares,
    joined_groups,
    row_names,
)


def plan_table(
    columns: Mapping[str, Column],
    task: ColumnTask,
    *,
    ids: Sequence[str] | None,
    cutoff: int,
    features: Mapping[str, Column],
    group: str | None,
    time: str | None,
    zone: str,
    test_fraction: float,
    folds: int,
    seed: int,
) -> Plan:
    """Read the label and deal the rows; duplicate rows stay on one side, unless they are common.

    Args:
        columns: all columns of the table.
        ids: what the rows are called; None where they have no names, and are known by what they hold.
        features: those that the model may read: rows equal in all of them are duplicates. None of
            them where an event log tells the rows apart.
        cutoff: the instant at which the table was taken.
        zone: of dates without an offset.
        folds: how many a fit has.

    Raises:
        DataError: the label column or its positive value is absent, or all labels are equal.
    """
    labelled, positive = read_label(columns, task)
    rows = np.flatnonzero(labelled)
    labels = Labels.of_column(positive[rows])
    names, groups, broken = _names(columns, features, ids, group, len(labelled))
    n_broken = int(broken[rows].sum()) if time is None else 0
    groups, strata = groups[rows], positive[rows].astype(np.int64)
    places = hash_shares(names, seed=seed, purpose="test")[rows]
    everybody, when = np.arange(len(rows)), None
    if time is not None:
        when = order_of(columns, time, zone)[rows]
        test, train = _by_time(when, test_fraction)
        since = float(when[test].min()) if len(test) else None
        held_out = HeldOut(kind="time", group=time, since=since)
    else:
        test, train = deal(groups, strata, (test_fraction,), places)
        held_out = HeldOut(
            kind="groups" if group else "rows", group=group, seed=seed, below=_border(groups, places, test)
        )
    fold = deal_folds(groups, strata, folds, hash_shares(names, seed=seed, purpose="fold")[rows])
    same = time is None and group is None and len(np.unique(groups)) == len(rows)
    return Plan(
        examples=Examples(rows, np.full(len(rows), cutoff, dtype=np.int64)),
        groups=groups,
        labels=labels,
        measured=_folds(train, fold, when),
        measured_labels=labels,
        test=test,
        seen_later=np.empty(0, dtype=np.int64),
        easy=None if same else _easy(strata, fold, test_fraction, seed),
        final=_folds(everybody, fold, when),
        kind=held_out.kind,
        sentence=_SENTENCES[held_out.kind].format(share=test_fraction, column=group or time)
        + (" unless they are common" if n_broken else ""),
        held_out=held_out,
        standings=np.empty((0, 0), dtype=np.int64),
        last_standing=np.empty(0, dtype=np.int8),
        warnings=(*_unlabelled(labelled, task), *_coarse(n_broken)),
    )


def read_label(columns: Mapping[str, Column], task: ColumnTask) -> tuple[Bools, Bools]:
    """(N,) whether a row has a label, and whether it is the positive one (else False).

    Raises:
        DataError: the column or the positive value is absent, or all labels are equal.
    """
    check_names([task.column], list(columns), "the customer table")
    texts = as_texts(columns[task.column])
    spellings = [v for v in texts.values if v == task.positive]
    spellings = spellings or [v for v in texts.values if v.casefold() == task.positive.casefold()]
    if not spellings:
        raise DataError(
            f"target.positive must be a value of {task.column!r}, got {task.positive!r}; "
            f"its values are {list(texts.values[:10])}"
        )
    labelled = texts.codes >= 0
    positive = np.isin(texts.codes, [texts.values.index(v) for v in spellings])
    if positive[labelled].all():
        raise DataError(f"a model needs both outcomes, however every {task.column!r} is {task.positive!r}")
    return labelled, positive


def order_of(columns: Mapping[str, Column], name: str, zone: str) -> Instants | Numbers:
    """(N,) what orders the rows: dates, or any number such as a year.

    Raises:
        DataError: the column is absent, or a row has neither.
    """
    check_names([name], list(columns), "the customer table")
    column = columns[name]
    when: Instants | Numbers
    if isinstance(column, Texts):
        formats = fitting_formats(column.values)
        when = as_dates(column, formats[0] if formats else None, zone)
        unreadable = int((when == MISSING_TIME).sum())
    else:
        when = as_numbers(column)
        unreadable = int(np.isnan(when).sum())
    if unreadable:
        raise DataError(
            f"split.time must be a date or a number in every row, however {unreadable} of {len(when)} values "
            f"of {name!r} are missing or unreadable; mend them, or split by another column"
        )
    return when


def _names(
    columns: Mapping[str, Column],
    features: Mapping[str, Column],
    ids: Sequence[str] | None,
    group: str | None,
    n_rows: int,
) -> tuple[Sequence[str], NDArray[np.int64], Bools]:
    """What places each of N rows, (N,) who stays together, and (N,) which duplicate rows do not."""
    rows = [str(n) for n in range(n_rows)]
    if group is not None:
        check_names([group], list(columns), "the customer table")
        names = groups_of(columns, group, ids or rows)
        groups = group_numbers(names)
        return names, groups, np.zeros(n_rows, dtype=bool)
    contents = row_names(features, n_rows) if features else rows
    groups = duplicate_groups(contents)
    if ids is not None:
        groups = joined_groups(groups, group_numbers(ids))
    return contents if ids is None else ids, groups, broken_up(contents, groups)


def _border(groups: NDArray[np.int64], places: NDArray[np.float64], test: Rows) -> float:
    """The place below which every row of either label was held out."""
    _, group_of = np.unique(groups, return_inverse=True)
    lowest = np.full(group_of.max(initial=-1) + 1, np.inf)
    np.minimum.at(lowest, group_of, places)
    kept = np.ones(len(groups), dtype=bool)
    kept[test] = False
    return float(lowest[group_of[kept]].min(initial=1.0))


def _by_time(when: Instants | Numbers, test_fraction: float) -> tuple[Rows, Rows]:
    """The latest rows are the test, all others train. Rows of one instant stay together."""
    _, group, counts = np.unique(when, return_inverse=True, return_counts=True)
    from_end = (np.cumsum(counts[::-1]) - counts[::-1] / 2)[::-1] / len(when)
    tested = (from_end <= test_fraction)[group]
    return np.flatnonzero(tested), np.flatnonzero(~tested)


def _folds(rows: Rows, fold: NDArray[np.int64], when: Instants | Numbers | None) -> Folds:
    """These rows; of rows in time, the later half is judged."""
    judged = np.ones(len(rows), dtype=bool)
    if when is not None and len(rows):
        judged = when[rows] >= np.partition(when[rows], len(rows) // 2)[len(rows) // 2]
    return Folds(rows, fold[rows], judged)


def _easy(strata: NDArray[np.int64], fold: NDArray[np.int64], test_fraction: float, seed: int) -> EasySplit:
    """Rows dealt one by one, as if each were a stranger."""
    generator = np.random.default_rng(seed)
    test, train = deal(np.arange(len(strata)), strata, (test_fraction,), generator.random(len(strata)))
    return EasySplit(_folds(train, generator.permutation(fold), None), test)


def _unlabelled(labelled: Bools, task: ColumnTask) -> tuple[str, ...]:
    missing = int((~labelled).sum())
    return (f"{missing} rows have no {task.column!r} and were left out.",) if missing else ()


def _coarse(n_broken: int) -> tuple[str, ...]:
    if not n_broken:
        return ()
    return (
        f"{n_broken:,} rows are equal in every column to more than {100 * COMMON_SHARE:g} % of all: the "
        "columns are too coarse to tell customers apart, so these were dealt one by one.",
    )


_SENTENCES: Final = {
    "rows": "tested on {share:.0%} of the rows, drawn within the label; duplicate rows are on one side",
    "groups": "tested on {share:.0%} of the rows, whole groups of {column!r} at a time",
    "time": "tested on the latest {share:.0%} of the rows by {column!r}",
}
