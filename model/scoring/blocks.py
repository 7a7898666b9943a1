"""The customers of files, some thousand at a time, with the reasons of those that have no score."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.files.batch import Batch
from model.files.cells import read_column
from model.files.names import MissingColumnsError, check_names, counted
from model.files.nested_events import check_type, read_nested
from model.files.source import Source, StrictRows, open_source, parts
from model.schema import Schema
from model.scoring.as_of import AsOf, LaterDates, today
from model.scoring.eligible import not_eligible_because
from model.scoring.misread import Misread, shown
from model.scoring.repeats import Repeats
from model.task import ContractTask, Task
from model.times import MISSING_TIME
from model.values.columns import Column, Texts, absent, as_dates, as_texts
from model.values.customers import Customers
from model.values.history import Positions
from model.values.rows import EVENTS, id_field

CHUNK_ROWS: Final = 16_384


@dataclass(frozen=True)
class Block:
    """N consecutive rows of the result, n of them with a customer to score.

    Attributes:
        ids: N ids; None where a row could not be read.
        customers: n customers.
        places: (n,) their rows.
        not_eligible: (n,) why a customer is not eligible, missing if it is; None for a column task.
        errors: why a row has no score, by its place in the block.
        numbered: (n,) whether a customer's id is but the number of its row; None where none is.
    """

    ids: Sequence[str | None]
    customers: Customers
    places: Positions
    not_eligible: Texts | None
    errors: Mapping[int, str]
    numbered: NDArray[np.bool_] | None = None


class TableBlocks:
    """The rows of a customer file, which has the events nested in it if the model reads any.

    Args:
        as_of: None for today.
        reject: whether a row with an unreadable cell has no score, and a file may have any number of
            unreadable rows. Else such a cell is missing, and a file of many is refused.
    """

    def __init__(self, path: Path, task: Task, schema: Schema, as_of: AsOf | None, *, reject: bool) -> None:
        self._task, self._schema, self._reject = task, schema, reject
        self._source = open_source(path)
        self._names = _columns(self._source, task, schema)
        self._id = name if (name := id_field(schema)) in self._source.names else None
        self._rows = StrictRows(self._source)
        self._misread, self._repeats = Misread(schema), Repeats(task, schema)
        self._n_rejected = self._n_without_id = 0
        self.as_of = as_of or today(schema.time_zone)
        self._later = LaterDates(schema.date_formats, self.as_of, schema.time_zone)

    @property
    def ignored(self) -> list[str]:
        """The columns of the file that the model does not read."""
        read = {*self._names, self._id}
        return [name for name in (*self._source.names, *self._source.unreadable) if name not in read]

    def __iter__(self) -> Iterator[Block]:
        """Yield all rows, in order.

        Raises:
            DataError: the file is damaged, or too much of it cannot be read.
        """
        names = [*self._names, *([self._id] if self._id else [])]
        batches = (self._source if self._reject else self._rows).batches(names)
        n_rows = 0
        for batch in parts(batches, CHUNK_ROWS):
            yield self._block(batch, n_rows)
            n_rows += batch.n_rows

    def notes(self) -> tuple[str, ...]:
        """What was read otherwise than it stands there, after the last row.

        Raises:
            DataError: most values of a column cannot be read, and no row is rejected for it.
        """
        name = self._schema.id
        lacks_id = name is not None and self._id is None
        numbers = [f"the file has no column {name!r}; ids are the numbers of its rows."] if lacks_id else []
        if self._n_without_id:
            numbers = [
                f"{counted(self._n_without_id, 'row')} without an id: the number of the row is the id."
            ]
        why = "the column 'error' says why"
        rejected = [f"{counted(self._n_rejected, 'row')} without a score: {why}."] if self._n_rejected else []
        said = [*self._source.notes, *rejected] if self._reject else self._rows.notes
        unread = self._misread.notes(reject=self._reject)
        return (*said, *numbers, *self._repeats.notes(), *unread, *self._later.notes())

    def _block(self, batch: Batch, n_before: int) -> Block:
        schema, n, places = self._schema, len(batch.cells), batch.places
        exact = {column.name for column in schema.categorical}
        spelt = schema.spellings
        columns = {
            name: read_column(batch.cells[name], exact=name in exact, spelling=spelt.get(name))
            for name in self._names
            if name != EVENTS
        }
        unreadable, log = self._misread.add(columns), None
        self._later.add(columns)
        reasons = {**unreadable, **_missing_dates(columns, self._task, schema)} if self._reject else {}
        if schema.events:
            check_type(batch.cells[EVENTS].type, schema.events, self._source.path.name)
            nested = read_nested(batch.cells[EVENTS], schema.events, schema.time_zone)
            log, found = nested.log, self._misread.add_events(nested)
            reasons = (found if self._reject else nested.unread) | reasons
        given = read_column(batch.cells[self._id], exact=True) if self._id else None
        without_id = np.ones(n, dtype=bool) if given is None else absent(given)
        self._n_without_id += 0 if given is None else int(without_id.sum())
        self._repeats.add(columns, n, given, log)
        customers = Customers([""] * n, np.full(n, self.as_of.instant, dtype=np.int64), columns, log)
        errors = {**batch.unread, **{int(places[row]): why for row, why in reasons.items()}}
        self._n_rejected += len(errors)
        return Block(
            _ids(batch, given, n_before),
            customers,
            places,
            not_eligible_because(self._task, schema, customers),
            {place: numbered(n_before + place + 1, why) for place, why in errors.items()},
            without_id,
        )


def _ids(batch: Batch, given: Column | None, n_before: int) -> list[str | None]:
    """The ids of all rows; a row without one has its number, an unreadable row of a file with ids none."""
    ids: list[str | None] = [str(number) for number in range(n_before + 1, n_before + batch.n_rows + 1)]
    if given is None:
        return ids
    for place in batch.unread:
        ids[place] = None
    texts = as_texts(given)
    for place, code in zip(batch.places.tolist(), texts.codes.tolist(), strict=True):
        if code >= 0:
            ids[place] = texts.values[code]
    return ids


def _columns(source: Source, task: Task, schema: Schema) -> list[str]:
    """The columns to read of a customer file, without the id.

    Raises:
        DataError: the file lacks one, or has one that is nested.
    """
    names = list(dict.fromkeys([*schema.column_names, *task_columns(task, source.names)]))
    for name in names:
        if kind := source.unreadable.get(name):
            raise DataError(f"{source.path.name}: {name} must be a column of values, got one of type {kind}")
    needed = [*names, EVENTS] if schema.events else names
    try:
        check_names([] if source.optional else needed, [*source.names, *source.unreadable], source.path.name)
    except MissingColumnsError as error:
        if EVENTS not in dict(error.missing):
            raise
        log = f"this model reads an event log; name it with --events FILE, or as a column {EVENTS!r}"
        raise MissingColumnsError(f"{log}: {error}", error.missing) from None
    return needed


def task_columns(task: Task, names: Sequence[str]) -> list[str]:
    """The columns that the task itself reads, of those of a customer file: all of them, or none is needed.

    Raises:
        DataError: the file has an end of contracts, but not the column that says whether it came.
    """
    if isinstance(task, ContractTask) and task.ended_when and task.ends in names:
        check_names([task.ended_when.column], list(names), "the customer table")
    return [name for name in task.columns if name in names]


def _missing_dates(columns: dict[str, Column], task: Task, schema: Schema) -> dict[int, str]:
    """Make the unreadable dates of contracts missing; returns why their rows have no score."""
    reasons: dict[int, str] = {}
    for name, form in task.dates.items():
        if name not in columns:
            continue
        texts = as_texts(columns[name])
        bad = (texts.codes >= 0) & (as_dates(texts, form, schema.time_zone) == MISSING_TIME)
        for row in np.flatnonzero(bad).tolist():
            reasons.setdefault(row, f"{name} must be a date, got {shown(texts, row)}")
        columns[name] = Texts(np.where(bad, -1, texts.codes).astype(np.int32), texts.values)
    return reasons


def numbered(number: int, why: str) -> str:
    """A reason with its row; one that begins with a column's name after a comma."""
    return f"row {number} {why}" if why.startswith("must ") else f"row {number}, {why}"
