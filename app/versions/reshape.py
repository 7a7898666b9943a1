"""Rows that were read for one version, as another version of the same model reads them."""

from collections.abc import Sequence
from typing import TypeVar

from model.schema import Schema
from model.values.rows import RequestRows, cells_by_row, event_fields

_Field = TypeVar("_Field")


def reshaped(rows: RequestRows, read: Schema, wanted: Schema) -> RequestRows:
    """The same customers with the fields of another schema; a field that nobody sent is missing.

    Args:
        read: the schema that the rows were read by.
        wanted: the other.
    """
    places = _places(wanted.column_names, read.column_names)
    cells = rows.cells
    if places != list(range(len(read.column_names))):
        columns, missing = rows.columns(), [None] * len(rows)
        cells = cells_by_row([missing if at is None else columns[at] for at in places])
    if wanted.events is None:
        return RequestRows(rows.ids, rows.cutoffs, cells)
    if read.events is None:
        return RequestRows(
            rows.ids, rows.cutoffs, cells, [0] * len(rows), [], [[] for _ in event_fields(wanted.events)]
        )
    fields = _places(event_fields(wanted.events), event_fields(read.events))
    absent = [None] * len(rows.times)
    events = [absent if at is None else rows.events[at] for at in fields]
    return RequestRows(rows.ids, rows.cutoffs, cells, rows.lengths, rows.times, events)


def _places(wanted: Sequence[str], read: Sequence[str]) -> list[int | None]:
    places = {name: position for position, name in enumerate(read)}
    return [places.get(name) for name in wanted]
