"""The column of events: JSON texts in a CSV file, lists of structs in Arrow and Parquet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from pyarrow import types

from app.errors import Fault, Problem
from app.request import explain as careful
from app.request.decoder import Decoder
from app.request.faults import unknown_field
from app.request.schemas import RequestModel
from app.request.values import Histories as Told
from app.request.values import NotTaken
from app.score.block import Flaws, Places
from app.score.cells import Array, Bad, instants, is_readable, is_text, kind_of, numbers, texts
from model.schema import EventSchema, Schema
from model.times import MISSING_TIME
from model.values.columns import Numbers
from model.values.history import EventLog
from model.values.rows import EVENTS, RequestRows, event_fields

_NEITHER: Final = "a column of lists of structs, or of JSON texts"
_NONE: Final = Told((0,), (), (), 0, ())


def check_type(kind: Any, schema: EventSchema) -> list[Fault]:
    """What is wrong with the Arrow type of a column of events."""
    if is_text(kind) or types.is_null(kind):
        return []
    if not (types.is_list(kind) or types.is_large_list(kind)) or not types.is_struct(kind.value_type):
        return [Fault(field=EVENTS, got=f"one of type {kind}"[:200], allowed=_NEITHER)]
    fields = {field.name: field.type for field in kind.value_type}
    needed = (schema.time, *event_fields(schema))
    unknown = [replace(unknown_field(name, needed), event=None) for name in fields if name not in needed]
    absent = [
        Fault(field=f"{EVENTS}.{n}", got="nothing", allowed="a field") for n in needed if n not in fields
    ]
    unread = [
        Fault(field=f"{EVENTS}.{name}", got=f"one of type {kind}"[:200], allowed="a field of values")
        for name, kind in fields.items()
        if not is_readable(kind)
    ]
    return [*unknown, *absent, *unread]


@dataclass(frozen=True)
class Histories:
    """Reads the events of some customers into a log."""

    schema: Schema
    allowed: RequestModel
    decoder: Decoder

    def log(self, array: Array, places: Places, flaws: Flaws) -> EventLog:
        """The log of the n customers at these places of a block; one at fault has no events."""
        if types.is_null(array.type) or is_text(array.type):
            return self._of_texts(array.to_pylist(), places, flaws)
        return self._of_lists(array, places, flaws)

    def _of_texts(self, told: Sequence[str | None], places: Places, flaws: Flaws) -> EventLog:
        lines = [(text or "null").replace("\n", " ").encode() for text in told]
        read = self._read(lines, places, flaws)
        assert self.schema.events
        fields = [[cell for part in read for cell in part.events[n]] for n in range(self._n_fields) if read]
        rows = RequestRows(
            [None] * len(told),
            [0] * len(told),
            [None] * (len(told) * len(self.schema.columns)),
            [length for part in read for length in part.lengths],
            [time for part in read for time in part.times],
            fields,
        )
        log = rows.customers(self.schema).log
        assert log
        return log

    @property
    def _n_fields(self) -> int:
        assert self.schema.events
        return len(event_fields(self.schema.events))

    def _read(self, lines: Sequence[bytes], places: Places, flaws: Flaws) -> list[Told]:
        """Read all at once; where that fails, the halves, down to the line that is at fault."""
        if not lines:
            return []
        try:
            return [self.decoder.histories(b"\n".join(lines))]
        except NotTaken:
            middle = len(lines) // 2
        if middle:
            return self._read(lines[:middle], places[:middle], flaws) + self._read(
                lines[middle:], places[middle:], flaws
            )
        place = int(places[0])
        try:
            rows = careful.read_history(lines[0], place + flaws.first, self.allowed, self.schema)
        except Problem as problem:
            flaws.note(place, problem.errors[0])
            return [replace(_NONE, events=((),) * self._n_fields)]
        return [Told(rows.lengths, rows.times, rows.events, 0, ())]

    def _of_lists(self, array: Array, places: Places, flaws: Flaws) -> EventLog:
        schema = self.schema.events
        assert schema
        array = array.fill_null([]) if array.null_count else array
        lengths = array.value_lengths().to_numpy(zero_copy_only=False)
        owners, ends = np.repeat(np.arange(len(array)), lengths), np.cumsum(lengths)
        structs = array.flatten()
        names = [field.name for field in structs.type]
        fields = dict(zip(names, structs.flatten(), strict=True))  # a null struct has null fields

        def note(name: str, bad: Bad, got: str) -> None:
            for at in np.flatnonzero(bad).tolist():
                row = int(owners[at])
                event = at - int(ends[row]) + int(lengths[row]) + 1
                allowed = self.allowed.event_fields[name]
                flaws.note(int(places[row]), Fault(None, event, name, got, allowed))

        times, bad = instants(fields[schema.time], schema.time_format, self.schema.time_zone)
        note(schema.time, bad, "a text that is no such time")
        note(schema.time, (times == MISSING_TIME) & ~bad, "nothing")
        values: dict[str, Numbers] = {}
        for value in schema.values:
            values[value.name], bad = numbers(fields[value.name])
            first = np.flatnonzero(bad)[:1].tolist()
            note(value.name, bad, kind_of(fields[value.name][first[0]].as_py(), "numeric") if first else "")
        kept = times != MISSING_TIME
        return EventLog.build(
            owners[kept],
            times[kept],
            n_customers=len(array),
            values={name: column[kept] for name, column in values.items()},
            categories={c.name: texts(fields[c.name]).take(kept) for c in schema.categories},
        )
