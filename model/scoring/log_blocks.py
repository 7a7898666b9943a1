"""The customers of a log, with or without a customer file, some thousand at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from model.errors import DataError
from model.files.batch import read_places
from model.files.dataset import Dataset, load_dataset
from model.files.events import EventColumns
from model.files.source import open_source
from model.schema import EventSchema, Schema
from model.scoring import blocks
from model.scoring.as_of import AsOf, LaterDates, later_events, log_date
from model.scoring.blocks import Block, numbered, task_columns
from model.scoring.eligible import not_eligible_because
from model.scoring.misread import Misread
from model.scoring.repeats import Repeats
from model.task import Task
from model.values.columns import take
from model.values.customers import Customers


class LogBlocks:
    """The customers of a log, those of a customer file first, in its order.

    Args:
        as_of: None for the end of the log.
    """

    def __init__(
        self, customers: Path | None, events: Path | None, task: Task, schema: Schema, as_of: AsOf | None
    ) -> None:
        self._task, self._schema = task, schema
        there = open_source(customers).names if customers else ()
        self._dataset = read_for(schema, customers, events, also=task_columns(task, there))
        self.ignored = [name for name in there if name not in self._dataset.columns]
        self._misread = Misread(schema)
        self.as_of = as_of or log_date(self._dataset, task, schema)
        self._later = LaterDates(schema.date_formats, self.as_of, schema.time_zone)

    def __iter__(self) -> Iterator[Block]:
        """Yield all customers."""
        dataset, unread = self._dataset, self._dataset.unread
        cutoffs = np.full(len(dataset), self.as_of.instant, dtype=np.int64)
        everyone = Customers(dataset.ids, cutoffs, dataset.columns, dataset.log)
        why = not_eligible_because(self._task, self._schema, everyone, listed=dataset.listed)
        n_rows = len(dataset) + len(unread)
        places = read_places(n_rows, unread)
        for start in range(0, n_rows, blocks.CHUNK_ROWS):
            stop = min(start + blocks.CHUNK_ROWS, n_rows)
            first, last = np.searchsorted(places, [start, stop]).tolist()
            columns = {name: take(column, slice(first, last)) for name, column in dataset.columns.items()}
            self._misread.add(columns)
            self._later.add(columns)
            assert dataset.log is not None
            inside = places[first:last] - start
            ids: list[str | None] = [None] * (stop - start)
            for place, id_ in zip(inside.tolist(), dataset.ids[first:last], strict=True):
                ids[place] = id_
            yield Block(
                ids,
                Customers(
                    dataset.ids[first:last], cutoffs[first:last], columns, dataset.log.part(first, last)
                ),
                inside,
                None if why is None else why.take(slice(first, last)),
                {at - start: numbered(at + 1, text) for at, text in unread.items() if start <= at < stop},
            )

    def notes(self) -> tuple[str, ...]:
        """What was read otherwise than it stands there, after the last customer.

        Raises:
            DataError: most values of a column cannot be read.
        """
        zone, (instant, source) = self._schema.time_zone, (self.as_of.instant, self.as_of.source)
        later = later_events(self._dataset, instant, zone, f"the instant of prediction ({source})")
        repeats = Repeats(self._task, self._schema)
        repeats.add({}, 0, None, self._dataset.log)
        return (*self._dataset.notes, *repeats.notes(), *self._misread.notes(), *later, *self._later.notes())


def read_for(
    schema: Schema, customers: Path | None, events: Path | None, *, also: Sequence[str] = ()
) -> Dataset:
    """The fields that a model reads, from files that hold at least these.

    Args:
        also: further columns of the table, such as the label.

    Raises:
        DataError: a file is not named, cannot be used, or lacks such a field.
    """
    fields = schema.events
    if fields is not None and events is None:
        raise DataError("this model reads an event log; name it with --events FILE")
    if (schema.column_names or also) and customers is None:
        raise DataError("this model reads a customer table; name it with --customers FILE")
    return load_dataset(
        customers if schema.column_names or also or fields is None else None,
        events if fields else None,
        customer_id=schema.id,
        only=(*schema.column_names, *also),
        categorical=[c.name for c in schema.categorical],
        spellings=schema.spellings,
        event_columns=_event_columns(fields) if fields else None,
        time_zone=schema.time_zone,
    )


def _event_columns(fields: EventSchema) -> EventColumns:
    return EventColumns(
        fields.id,
        fields.time,
        fields.time_format,
        fields.type.name if fields.type else None,
        [value.name for value in fields.values],
        [attribute.name for attribute in fields.attributes],
        spellings={value.name: value.spelling for value in fields.values if value.spelling},
    )
