"""The rows of a table, whatever file they came in, into blocks; first of all, its columns are checked."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc

from app.errors import Fault, Problem
from app.request.faults import unknown_field
from app.request.schemas import MAX_ID_LENGTH, RequestModel
from app.score.block import Block, Flaws, Places
from app.score.cells import Array, id_texts, is_readable, kind_of, read_cells
from app.score.histories import Histories, check_type
from app.versions.served import Served
from model.schema import Schema
from model.values.customers import Customers
from model.values.rows import EVENTS, id_field


@dataclass(frozen=True)
class Table:
    """What the columns of one file are to a model.

    Attributes:
        allowed: what each field may hold, in words.
        names: of the file's columns, in its order.
        as_of: the instant of the question.
    """

    schema: Schema
    allowed: RequestModel
    histories: Histories | None
    names: tuple[str, ...]
    as_of: int

    @classmethod
    def of(cls, served: Served, names: Sequence[str], as_of: int) -> Self:
        """A file with these columns.

        Raises:
            Problem: a column is missing, unknown or there twice.
        """
        schema, stripped = served.manifest.schema_, tuple(name.strip() for name in names)
        faults = [*_names_at_fault(stripped, schema, served.request.customer_fields)]
        if faults:
            raise _refusal(faults)
        histories = Histories(schema, served.request, served.decoder) if schema.events else None
        return cls(schema, served.request, histories, stripped, as_of)

    def check_types(self, arrow: Any) -> None:
        """Check that each column of an Arrow schema has a type that can be read.

        Raises:
            Problem: one has not; the text names it.
        """
        faults = []
        for name, kind in zip(self.names, arrow.types, strict=True):
            if name == EVENTS and self.schema.events:
                faults += check_type(kind, self.schema.events)
            elif not is_readable(kind):
                faults.append(
                    Fault(field=name, got=f"one of type {kind}"[:200], allowed="a column of values")
                )
        if faults:
            raise _refusal(faults)

    def block(self, batch: Any, places: Places, n_rows: int, flaws: Flaws) -> Block:
        """A block of the rows that a parser could read.

        Args:
            batch: a record batch of n rows.
            places: (n,) which of the `n_rows` of the block these are.
            flaws: what the parser has found wrong with others.
        """
        arrays = dict(zip(self.names, batch.columns, strict=True))
        columns = {}
        for column in self.schema.columns:
            columns[column.name], bad = read_cells(column, arrays[column.name], self.schema.time_zone)
            for row in np.flatnonzero(bad).tolist():
                got = kind_of(arrays[column.name][row].as_py(), column.kind)
                allowed = self.allowed.customer_fields[column.name]
                flaws.note(int(places[row]), Fault(field=column.name, got=got, allowed=allowed))
        log = self.histories.log(arrays[EVENTS], places, flaws) if self.histories else None
        cutoffs = np.full(len(batch), self.as_of, dtype=np.int64)
        asked = Customers([""] * len(batch), cutoffs, columns, log)
        return Block(n_rows, asked, places, self._ids(arrays, places, n_rows, flaws), flaws)

    def _ids(self, arrays: dict[str, Array], places: Places, n_rows: int, flaws: Flaws) -> Array:
        """Of all rows: that of the file, else the row's number; null where the row could not be read."""
        numbers = pa.array(places + flaws.first).cast(pa.string())
        ids = pc.coalesce(self._own_ids(arrays, places, flaws), numbers)
        if len(places) == n_rows:
            return ids
        rows = np.full(n_rows, -1)
        rows[places] = np.arange(len(places))
        return ids.take(pa.array(rows, mask=rows < 0))

    def _own_ids(self, arrays: dict[str, Array], places: Places, flaws: Flaws) -> Array:
        name = id_field(self.schema)
        if name not in arrays:
            return pa.nulls(len(places), pa.string())
        ids = id_texts(arrays[name])
        long = pc.greater(pc.utf8_length(ids), MAX_ID_LENGTH).fill_null(False)
        if pc.any(long).as_py():
            fault = Fault(None, None, name, "a text that is too long", self.allowed.customer_fields[name])
            for row in np.flatnonzero(long.to_numpy(zero_copy_only=False)).tolist():
                flaws.note(int(places[row]), fault)
            ids = pc.if_else(long, None, ids)
        return ids


def _names_at_fault(names: Sequence[str], schema: Schema, known: Collection[str]) -> list[Fault]:
    faults = [unknown_field(name, known) for name in names if name not in known]
    faults += [
        Fault(None, None, name[:64], "the column twice", "given once", "leave one of the two out")
        for name, count in Counter(names).items()
        if count > 1
    ]
    needed = [*schema.column_names, *([EVENTS] if schema.events else [])]
    return faults + [
        Fault(None, None, name, "nothing", "a column of the file; its cells may be empty")
        for name in needed
        if name not in names
    ]


def _refusal(faults: Sequence[Fault]) -> Problem:
    return Problem(422, "invalid-columns", str(faults[0]), errors=faults)
