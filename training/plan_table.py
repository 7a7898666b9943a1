"""The plan of a table study: one example a row, dealt at random within the label, by group, or by time."""

import difflib
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from model.columns import Column, Numbers, Texts, as_instants, as_numbers, as_texts
from model.customers import Examples
from model.errors import DataError
from model.task import ColumnTask
from model.times import MISSING_TIME, Instants
from training.files.dates import fitting_formats
from training.labels import Bools, Labels
from training.plan import CALIBRATION, VALIDATION, Plan, Refit, Slices, SplitKind
from training.split import Rows, deal, duplicate_groups


def plan_table(
    columns: Mapping[str, Column],
    task: ColumnTask,
    *,
    cutoff: int,
    features: Mapping[str, Column],
    group: str | None,
    time: str | None,
    test_fraction: float,
    seed: int,
) -> Plan:
    """Read the label and deal the rows; duplicate rows stay on one side.

    Args:
        columns: all columns of the table.
        features: those that the model may read: rows equal in all of them are duplicates. None of
            them where an event log tells the rows apart.
        cutoff: the instant at which the table was taken.

    Raises:
        DataError: the label column or its positive value is absent, or all labels are equal.
    """
    labelled, positive = read_label(columns, task)
    rows = np.flatnonzero(labelled)
    labels = Labels.of_column(positive[rows])
    deal_rows = _dealer(columns, features, rows, positive[rows], group=group, time=time, seed=seed)
    rest = 1 - test_fraction
    test, validation, calibration, train = deal_rows((test_fraction, rest * VALIDATION, rest * CALIBRATION))
    _, _, final_calibration, final_train = deal_rows((0.0, 0.0, CALIBRATION))
    kind: SplitKind = "time" if time else "groups" if group else "rows"
    return Plan(
        examples=Examples(rows, np.full(len(rows), cutoff, dtype=np.int64)),
        labels=labels,
        measured=Slices(train=train, validation=validation, calibration=calibration),
        measured_labels=labels,
        test=test,
        final=Refit(train=final_train, calibration=final_calibration),
        kind=kind,
        sentence=_SENTENCES[kind].format(share=test_fraction, column=group or time),
        warnings=_unlabelled(labelled, task),
    )


def read_label(columns: Mapping[str, Column], task: ColumnTask) -> tuple[Bools, Bools]:
    """(N,) whether a row has a label, and whether it is the positive one (else False).

    Raises:
        DataError: the column or the positive value is absent, or all labels are equal.
    """
    texts = as_texts(_column(columns, task.column, "target.column"))
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


Dealer = Callable[[tuple[float, float, float]], list[Rows]]


def _dealer(
    columns: Mapping[str, Column],
    features: Mapping[str, Column],
    rows: Rows,
    positive: Bools,
    *,
    group: str | None,
    time: str | None,
    seed: int,
) -> Dealer:
    """How to deal the rows into shares for test, validation and calibration; train gets the rest."""
    if time is not None:
        order = _when(columns, time)[rows]
        return lambda shares: _by_time(order, shares)
    if group is not None:
        texts = as_texts(_column(columns, group, "split.group"))
        alone = len(texts.values) + np.arange(len(texts))
        groups = np.where(texts.codes < 0, alone, texts.codes)[rows]
    else:
        groups = duplicate_groups(features, len(columns[next(iter(columns))]))[rows]
    return lambda shares: deal(groups, positive.astype(np.int64), shares, seed=seed)


def _by_time(when: Instants | Numbers, shares: tuple[float, float, float]) -> list[Rows]:
    """The latest rows are the test, those before them calibrate, then validate; the earliest train.

    Rows of one instant stay together.
    """
    _, group, counts = np.unique(when, return_inverse=True, return_counts=True)
    from_end = (np.cumsum(counts[::-1]) - counts[::-1] / 2)[::-1] / len(when)
    test, validation, calibration = shares
    part = np.searchsorted(np.cumsum([test, calibration, validation]), from_end, side="right")[group]
    return [np.flatnonzero(part == i) for i in (0, 2, 1, 3)]


def _when(columns: Mapping[str, Column], name: str) -> Instants | Numbers:
    """What orders the rows: dates, or any number such as a year."""
    column = _column(columns, name, "split.time")
    when: Instants | Numbers
    if isinstance(column, Texts):
        formats = fitting_formats(column.values)
        when = as_instants(column, formats[0] if formats else None)
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


def _column(columns: Mapping[str, Column], name: str, place: str) -> Column:
    if name not in columns:
        near = difflib.get_close_matches(name, columns, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; the columns are {list(columns)[:30]}"
        raise DataError(f"{place} must be a column of the table, got {name!r}{hint}")
    return columns[name]


def _unlabelled(labelled: Bools, task: ColumnTask) -> tuple[str, ...]:
    missing = int((~labelled).sum())
    return (f"{missing} rows have no {task.column!r} and were left out.",) if missing else ()


_SENTENCES: Final = {
    "rows": "tested on {share:.0%} of the rows, drawn within the label; duplicate rows are on one side",
    "groups": "tested on {share:.0%} of the rows, whole groups of {column!r} at a time",
    "time": "tested on the latest {share:.0%} of the rows by {column!r}",
}
