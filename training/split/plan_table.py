"""The plan of a table study: one example a row, dealt at random within the label, by group, or by time."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.files.dataset import Dataset
from model.files.names import check_names
from model.task import ColumnTask
from model.times import MISSING_TIME, Instants
from model.values.columns import Numbers, Texts, as_dates, as_numbers
from model.values.customers import Examples
from model.values.duplicates import COMMON_SHARE
from training.question.label_column import read_label
from training.question.labels import Bools, Labels
from training.question.timeline import group_numbers
from training.schema.fit_schema import ModelFields
from training.split.deal import (
    Rows,
    broken_up,
    deal,
    deal_folds,
    duplicate_groups,
    groups_of,
    hash_shares,
    joined_groups,
    n_rarer,
    row_names,
    test_share,
)
from training.split.plan import Folds, HeldOut, Plan, ShuffledSplit
from training.study.sections import SplitOptions


def plan_table(
    dataset: Dataset, fields: ModelFields, task: ColumnTask, options: SplitOptions, *, cutoff: int, folds: int
) -> Plan:
    """Read the label and deal the rows; duplicate rows stay on one side, unless they are common.

    Rows are duplicates if they are equal in all fields, unless an event log distinguishes them. A row
    without an id is known by its contents.

    Args:
        cutoff: the instant at which the table was taken.
        folds: of a fit.

    Raises:
        DataError: the label cannot be read.
    """
    columns, seed, time, group = dataset.columns, options.seed, options.time, options.group
    label = read_label(columns, task)
    rows = np.flatnonzero(label.labelled)
    labels = Labels.of_column(label.positive[rows])
    names, groups, broken = _names(dataset, fields, group)
    n_broken = int(broken[rows].sum()) if time is None else 0
    groups, strata = groups[rows], label.positive[rows].astype(np.int64)
    places = hash_shares(names, seed=seed, purpose="test")[rows]
    when = None if time is None else order_of(dataset, time, fields.time_zone)[rows]

    def dealt(share: float) -> list[Rows]:
        return deal(groups, strata, (share,), places) if when is None else _by_time(when, share)

    share = test_share(options.test_fraction, lambda share: n_rarer(strata[dealt(share)[0]] > 0))
    test, train = dealt(share)
    if when is not None:
        since = float(when[test].min()) if len(test) else None
        held_out = HeldOut(kind="time", group=time, since=since)
    else:
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
        test_fold=np.full(len(test), -1, dtype=np.int64),
        shuffled=None if same else _shuffled(strata, fold, share, options.seed),
        final=_folds(np.arange(len(rows)), fold, when),
        kind=held_out.kind,
        sentence=_SENTENCES[held_out.kind].format(share=share, column=group or time)
        + (" unless they are common" if n_broken else ""),
        held_out=held_out,
        standings=np.empty((0, 0), dtype=np.int64),
        last_standing=np.empty(0, dtype=np.int8),
        warnings=(*label.notes, *_coarse(n_broken)),
    )


def order_of(dataset: Dataset, name: str, zone: str) -> Instants | Numbers:
    """Return (N,) dates as instants, or numbers such as years, that order the rows.

    Raises:
        DataError: the column is absent, or a row has neither.
    """
    check_names([name], list(dataset.columns), "the customer table")
    column = dataset.columns[name]
    when: Instants | Numbers
    if isinstance(column, Texts) or name in dataset.stated_dates:
        found = dataset.dates.get(name)
        when = as_dates(column, found.time_format if found else None, zone)
        unreadable = int((when == MISSING_TIME).sum())
    else:
        when = as_numbers(column)
        unreadable = int(np.isnan(when).sum())
    if unreadable:
        raise DataError(
            f"split.time {name!r} must be a date or a number in every row, got {unreadable} of {len(when)} "
            "values missing or unreadable. Correct them, or name another column."
        )
    return when


def _names(
    dataset: Dataset, fields: ModelFields, group: str | None
) -> tuple[Sequence[str], NDArray[np.int64], Bools]:
    """The texts that place N rows, (N,) the group of each, and (N,) whether it is a common row."""
    columns, n_rows = dataset.columns, len(dataset)
    ids = dataset.ids if fields.id else None
    numbers = [str(n) for n in range(n_rows)]
    if group is not None:
        check_names([group], list(columns), "the customer table")
        names = groups_of(columns, group, ids or numbers)
        return names, group_numbers(names), np.zeros(n_rows, dtype=bool)
    read = {} if dataset.log else {name: columns[name] for name in fields.kinds}
    contents = row_names(read, n_rows) if read else numbers
    groups = duplicate_groups(contents)
    if ids is not None:
        groups = joined_groups(groups, group_numbers(ids))
    return contents if ids is None else ids, groups, broken_up(contents, groups)


def _border(groups: NDArray[np.int64], places: NDArray[np.float64], test: Rows) -> float:
    """Return the place below which every row of either label is held out."""
    _, group_of = np.unique(groups, return_inverse=True)
    lowest = np.full(group_of.max(initial=-1) + 1, np.inf)
    np.minimum.at(lowest, group_of, places)
    kept = np.ones(len(groups), dtype=bool)
    kept[test] = False
    return float(lowest[group_of[kept]].min(initial=1.0))


def _by_time(when: Instants | Numbers, share: float) -> list[Rows]:
    """Return the latest rows, which are the test, and all others. Rows of one instant stay together."""
    _, group, counts = np.unique(when, return_inverse=True, return_counts=True)
    from_end = (np.cumsum(counts[::-1]) - counts[::-1] / 2)[::-1] / len(when)
    tested = (from_end <= share)[group]
    return [np.flatnonzero(tested), np.flatnonzero(~tested)]


def _folds(rows: Rows, fold: NDArray[np.int64], when: Instants | Numbers | None) -> Folds:
    """Return the folds of these rows; of rows in time, the later half is judged."""
    judged = np.ones(len(rows), dtype=bool)
    if when is not None and len(rows):
        judged = when[rows] >= np.partition(when[rows], len(rows) // 2)[len(rows) // 2]
    return Folds(rows, fold[rows], judged)


def _shuffled(strata: NDArray[np.int64], fold: NDArray[np.int64], share: float, seed: int) -> ShuffledSplit:
    """Deal the rows one by one."""
    generator, alone = np.random.default_rng(seed), np.arange(len(strata))
    test, train = deal(alone, strata, (share,), generator.random(len(strata)))
    return ShuffledSplit(_folds(train, generator.permutation(fold), None), test)


def _coarse(n_broken: int) -> tuple[str, ...]:
    if not n_broken:
        return ()
    return (
        f"{n_broken:,} rows are equal in every column to more than {100 * COMMON_SHARE:g} % of all rows. The "
        "columns are too coarse to identify customers, so these rows are dealt one by one.",
    )


_SENTENCES: Final = {
    "rows": "tested on {share:.0%} of the rows, stratified by the label; duplicate rows are on one side",
    "groups": "tested on {share:.0%} of the rows, whole groups of {column!r} at a time",
    "time": "tested on the latest {share:.0%} of the rows by {column!r}",
}
