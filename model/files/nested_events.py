"""The column `events` of a customer file: lists of structs, or their JSON texts, into an event log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import types

from model.errors import DataError
from model.files.cells import instants_from, is_readable, is_text, read_column, texts_from
from model.files.names import check_names, listed
from model.files.text.json_lines import array_from
from model.schema import EventSchema
from model.times import MISSING_TIME, describe_format
from model.values.columns import Texts, absent, as_categories, as_numbers
from model.values.history import EventLog, Positions
from model.values.rows import EVENTS, event_fields

_NOT_JSON: Final = f"{EVENTS} must be a JSON list of objects, got something else"
_FAULTS: Final = (msgspec.MsgspecError, RecursionError)
_decode: Final = msgspec.json.Decoder(list[dict[str, Any]] | None).decode


@dataclass(frozen=True)
class UnreadableCells:
    """Cells of one field of the events that could not be read.

    Attributes:
        field: its name.
        rule: what a cell must be.
        owners: (M,) the customers of the cells.
        events: (M,) their numbers in the customer's history, from 1.
        texts: (M,) what stands there; missing where nothing does.
    """

    field: str
    rule: str
    owners: Positions
    events: Positions
    texts: Texts


@dataclass(frozen=True)
class NestedEvents:
    """The events of N customers.

    Attributes:
        log: those with a time; an unreadable value is missing.
        unreadable: the cells that could not be read.
        unread: why the whole cell of a customer could not be read, by his place.
    """

    log: EventLog
    unreadable: tuple[UnreadableCells, ...]
    unread: dict[int, str]


def check_type(kind: Any, schema: EventSchema, owner: str) -> None:
    """Check the Arrow type of a column of events.

    Raises:
        DataError: it is no list of structs and no text, or its structs lack a field.
    """
    if types.is_dictionary(kind) or is_text(kind):
        return
    if not (types.is_list(kind) or types.is_large_list(kind)) or not types.is_struct(kind.value_type):
        raise DataError(f"{owner}: {EVENTS} must be lists of structs, or JSON texts, got {str(kind)[:200]}")
    fields = {field.name: field.type for field in kind.value_type}
    check_names([schema.time, *event_fields(schema)], fields, f"{owner}: {EVENTS}")
    nested = [name for name in event_fields(schema) if not is_readable(fields[name])]
    if nested:
        raise DataError(f"{owner}: the fields of {EVENTS} must be values, got nested {listed(nested)}")


def read_nested(array: Any, schema: EventSchema, zone: str) -> NestedEvents:
    """Read the events of N customers.

    Args:
        array: (N,) a column of a type that `check_type` takes.
    """
    lengths, fields, unread = _of_lists(array) if types.is_nested(array.type) else _of_texts(array, schema)
    owners = np.repeat(np.arange(len(array)), lengths)
    number = np.arange(len(owners)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + 1
    unreadable = []

    def note(name: str, rule: str, bad: NDArray[np.bool_]) -> None:
        if bad.any():
            at = np.flatnonzero(bad)
            unreadable.append(
                UnreadableCells(
                    name, rule, owners[at], number[at], texts_from(fields[name].take(pa.array(at)))
                )
            )

    times = instants_from(fields[schema.time], schema.time_format, zone)
    form = describe_format(schema.time_format)
    note(
        schema.time, f"a time in {form}{' or ISO 8601' if schema.time_format else ''}", times == MISSING_TIME
    )
    columns = {
        value.name: read_column(fields[value.name], exact=False, spelling=value.spelling)
        for value in schema.values
    }
    values = {name: as_numbers(column) for name, column in columns.items()}
    for name, column in columns.items():
        present = ~absent(column)
        note(name, "a finite number", present & np.isnan(values[name]))
    kept = times != MISSING_TIME
    log = EventLog.build(
        owners[kept],
        times[kept],
        n_customers=len(array),
        values={name: numbers[kept] for name, numbers in values.items()},
        categories={
            c.name: as_categories(texts_from(fields[c.name])).take(np.flatnonzero(kept))
            for c in schema.categories
        },
    )
    return NestedEvents(log, tuple(unreadable), unread)


def _of_lists(array: Any) -> tuple[Positions, dict[str, Any], dict[int, str]]:
    array = array.fill_null([]) if array.null_count else array
    structs = array.flatten()
    names = [field.name for field in structs.type]
    lengths = array.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    return lengths, dict(zip(names, structs.flatten(), strict=True)), {}  # a null struct has null fields


def _of_texts(array: Any, schema: EventSchema) -> tuple[Positions, dict[str, Any], dict[int, str]]:
    lengths, events, unread = np.zeros(len(array), dtype=np.int64), list[dict[str, Any]](), dict[int, str]()
    names = (schema.time, *event_fields(schema))
    for place, text in enumerate(array.cast(pa.string()).to_pylist()):
        try:
            history = _decode(text) or () if text and text.strip() else ()
        except _FAULTS as error:
            unread[place] = f"{_NOT_JSON} ({error})"
            continue
        if nested := _nested(history, names):
            unread[place] = nested
            continue
        lengths[place] = len(history)
        events += history
    return lengths, {name: array_from([event.get(name) for event in events]) for name in names}, unread


def _nested(history: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    for number, event in enumerate(history, start=1):
        for name in names:
            if isinstance(event.get(name), dict | list):
                return f"event {number}, {name} must be a number, text, boolean or null, got a nested value"
    return ""
