"""Cells of a file that say nothing to the model: counted over its batches, or a reason for each row."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.files.names import agreed, counted, some_of
from model.files.nested_events import NestedEvents
from model.schema import CategoricalColumn, DateColumn, Schema, TableColumn
from model.times import MISSING_TIME
from model.values.columns import Column, Texts, absent, as_booleans, as_codes, as_dates, as_numbers
from model.values.spelling import is_no_value

_RULES: Final = {"numeric": "a number", "boolean": "yes or no", "date": "a date"}
_MOST: Final = 0.5  # of a column's values; beyond it the file is not what the model was trained on
_MORE: Final = 0.1  # of the rows: by as much more than in training a column is missing, until that is noted
_FEW: Final = 3  # rows are nothing to note
_SHOWN: Final = 80  # letters of a value
_COLUMNS: Final = 5  # of one sentence


@dataclass
class Misread:
    """Counts over the batches of one file, by column.

    Attributes:
        n_rows: rows so far.
        present: values that are there.
        lost: those of them that cannot be read.
        example: the first of these.
        events: the same for the fields of nested events.
        event_example: the first cell of each that cannot be read.
    """

    schema: Schema
    n_rows: int = 0
    present: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    example: dict[str, str] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    event_example: dict[str, str] = field(default_factory=dict)

    def add(self, columns: Mapping[str, Column]) -> dict[int, str]:
        """Count the cells of some rows.

        Returns:
            Why a row has no score, if none of its cells may be unreadable; unknown categories are no reason.
        """
        reasons: dict[int, str] = {}
        self.n_rows += max(map(len, columns.values()), default=0)
        for column in self.schema.columns:
            values = columns[column.name]
            present = _present(values, marks=isinstance(column, CategoricalColumn))
            bad = np.flatnonzero(present & _says_nothing(column, values, self.schema.time_zone)).tolist()
            self.present[column.name] += int(present.sum())
            self.lost[column.name] += len(bad)
            if bad:
                self.example.setdefault(column.name, shown(values, bad[0]))
            for row in bad if not isinstance(column, CategoricalColumn) else ():
                reasons.setdefault(row, f"{column.name} must be {_rule(column)}, got {shown(values, row)}")
        return reasons

    def add_events(self, nested: NestedEvents) -> dict[int, str]:
        """Count the cells of the events of some customers; returns the same."""
        reasons = dict(nested.unread)
        for cells in nested.unreadable:
            self.events[cells.field] += len(cells.owners)
            self.event_example.setdefault(cells.field, shown(cells.texts, 0))
            for at, (owner, number) in enumerate(
                zip(cells.owners.tolist(), cells.events.tolist(), strict=True)
            ):
                what = f"event {number}, {cells.field} must be {cells.rule}, got {shown(cells.texts, at)}"
                reasons.setdefault(owner, what)
        return reasons

    def notes(self, *, reject: bool = False) -> tuple[str, ...]:
        """A sentence for each column and field that lost some.

        Args:
            reject: whether such a cell costs its row the score, which says why. Unknown categories do not.

        Raises:
            DataError: a column of numbers, booleans or dates lost more than half of its values.
        """
        noted = [c for c in self.schema.columns if not reject or isinstance(c, CategoricalColumn)]
        columns = [self._note(column) for column in noted if self.lost[column.name]]
        return (*self._missing(), *columns, *([] if reject else map(self._event_note, self.events)))

    def _missing(self) -> list[str]:
        """A sentence on the columns that are missing far more often than in training, beyond chance."""
        much: list[str] = []
        for column in self.schema.columns:
            n, usual = self.n_rows - self.present[column.name], column.missing
            chance = self.n_rows * usual + 3 * (self.n_rows * usual * (1 - usual)) ** 0.5 + _FEW
            beyond = n > chance and n > (usual + _MORE) * self.n_rows
            if beyond or (usual < 1 and n == self.n_rows > 0):
                much.append(f"{column.name!r} in {some_of(n, self.n_rows, 'row')} (training: {usual:.0%})")
        more = [f"{len(much) - _COLUMNS} more"] if len(much) > _COLUMNS else []
        shown = "; ".join([*much[:_COLUMNS], *more])
        return [f"missing more often than in training: {shown}."] if much else []

    def _note(self, column: TableColumn) -> str:
        lost, present = self.lost[column.name], self.present[column.name]
        share = f"{some_of(lost, present, 'value')} of {column.name!r}"
        example = f"such as {self.example[column.name]}"
        if isinstance(column, CategoricalColumn):
            are = agreed(lost, "is", "are")
            return f"{share} {are} no category that training knew, {example}; read as unknown."
        if lost > _MOST * present:
            raise DataError(
                f"a column must hold what it held in training, got {share} that cannot be read as "
                f"{_rule(column)}, {example}. Write them as in training (numbers with a decimal point)."
            )
        return f"{share} cannot be read as {_rule(column)}, {example}; read as missing."

    def _event_note(self, name: str) -> str:
        count, example = self.events[name], self.event_example[name]
        assert self.schema.events
        if name == self.schema.events.time:
            lost = f"left out {counted(count, 'event')} whose {name!r} cannot be read as a time"
            return f"{lost}, such as {example}."
        what = f"{counted(count, 'value')} of {name!r} of events {agreed(count, 'is', 'are')} no number"
        return f"{what}, such as {example}; read as missing."


def _present(column: Column, *, marks: bool) -> NDArray[np.bool_]:
    """(N,) bool, True where a cell has a value; a mark of nothing, such as `-`, is one of a category only."""
    if not isinstance(column, Texts):
        return ~absent(column)
    known = [marks or not is_no_value(text.removeprefix("'")) for text in column.values]
    return np.array([*known, False], dtype=bool)[column.codes]


def shown(column: Column, row: int) -> str:
    """A cell as a message shows it."""
    if isinstance(column, Texts):
        code = int(column.codes[row])
        return repr(column.values[code].removeprefix("'")[:_SHOWN]) if code >= 0 else "nothing"
    return f"{column[row]:g}"


def _says_nothing(column: TableColumn, values: Column, zone: str) -> NDArray[np.bool_]:
    """(N,) bool, True where a value cannot be read as the column's kind; missing ones are True too."""
    if isinstance(column, CategoricalColumn):
        return np.equal(as_codes(values, column.vocabulary), 1)
    if isinstance(column, DateColumn):
        return np.equal(as_dates(values, column.time_format, zone), MISSING_TIME)
    return np.isnan(as_booleans(values) if column.kind == "boolean" else as_numbers(values))


def _rule(column: TableColumn) -> str:
    if not isinstance(column, DateColumn):
        return _RULES[column.kind]
    return f"a date ({column.time_format!r} or ISO 8601)" if column.time_format else "a date (ISO 8601)"
