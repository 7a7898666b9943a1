"""The rules of a study that hold between its sections.

They read the raw values, so that they are reported beside faults of single values, not after them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel

from model.task import ColumnTask, LogTask
from training.studies.faults import closest, show
from training.studies.yaml_places import Place, spell_place

TargetForm = Literal["column", "log"]
Placed = Iterator[tuple[Place, str]]  # a sentence, or a column's name, and where it belongs

_COLUMN_KEYS: Final = ColumnTask.model_fields.keys() - {"kind"}
_LOG_KEYS: Final = LogTask.model_fields.keys() - {"kind"} | {"cutoffs"}


def broken_rules(study: object) -> Placed:
    """Each broken rule as a place and a sentence; what is not there or not of its kind breaks none."""
    raw = _mapping(_plain(study))
    data, target, split = _mapping(raw.get("data")), _mapping(raw.get("target")), _mapping(raw.get("split"))
    customers, events = _mapping(data.get("customers")), _mapping(data.get("events"))
    try:
        form = target_form(target)
    except ValueError:
        form = None
    if "data" in raw:
        yield from _missing_sources(form, data)
        yield from _missing_keys(form, target, customers, events)
    yield from _used_twice(_events_columns(events))
    label = target.get("column") if form == "column" else None
    yield from _used_twice([*_label(label), *_customers_columns(customers)])
    yield from _split_faults(form, split, set(_texts([label, *_texts(customers.get("exclude"))])))


def target_form(target: Mapping[str, Any]) -> TargetForm:
    """Which of the two forms a target has, by its keys; a misspelt key counts as what it was meant to be.

    Raises:
        ValueError: keys of both forms, or of none.
    """
    meant = {key: closest(key, sorted(_COLUMN_KEYS | _LOG_KEYS)) for key in target}
    column = [key for key, name in meant.items() if name in _COLUMN_KEYS - _LOG_KEYS]
    log = [key for key, name in meant.items() if name in _LOG_KEYS - _COLUMN_KEYS]
    if bool(column) != bool(log):
        return "column" if column else "log"
    got = f"both: {', '.join(column + log)}" if column else "neither"
    raise ValueError(
        "must name a column of the customer table (column, positive) or an outcome of the event log"
        f" (outcome, horizons_days), got {got}"
    )


def _missing_sources(form: TargetForm | None, data: Mapping[str, Any]) -> Placed:
    if form == "column" and data.get("customers") is None:
        yield ("data", "customers"), "missing; the target column is read from it"
    if form == "log" and data.get("events") is None:
        yield ("data", "events"), "missing; the target's outcome is compiled from it"


def _missing_keys(
    form: TargetForm | None,
    target: Mapping[str, Any],
    customers: Mapping[str, Any],
    events: Mapping[str, Any],
) -> Placed:
    if customers and events and customers.get("id") is None:
        yield ("data", "customers", "id"), "missing; it joins a customer to the events"
    event = target.get("event")
    typed = form == "log" and isinstance(event, str) and event != "any"
    if typed and events and events.get("type") is None:
        yield ("data", "events", "type"), f"missing; target.event {show(event)} is looked up in this column"


def _split_faults(form: TargetForm | None, split: Mapping[str, Any], unread: set[str]) -> Placed:
    given = [key for key in ("time", "group") if isinstance(split.get(key), str)]
    for key in given:
        if form == "log":
            yield ("split", key), "needs a target column; a log study is always tested on later cutoffs"
        if split[key] in unread:
            yield ("split", key), f"column {show(split[key])} is the label or excluded, so it cannot split"
    if len(given) == 2:
        yield ("split", "group"), "cannot be combined with split.time; keep one of them"


def _used_twice(columns: Iterable[tuple[Place, str]]) -> Placed:
    first: dict[str, Place] = {}
    for place, column in columns:
        if column in first:
            yield place, f"column {show(column)} is already used by {spell_place(first[column])}; keep one"
        first.setdefault(column, place)


def _label(column: object) -> Placed:
    if isinstance(column, str):
        yield ("target", "column"), column


def _customers_columns(customers: Mapping[str, Any]) -> Placed:
    place: Place = ("data", "customers")
    yield from _named(customers, place, "id", "exclude", "categorical", "numeric")
    series = _mapping(customers.get("sequences"))
    yield from _named(series, (*place, "sequences"), *series)


def _events_columns(events: Mapping[str, Any]) -> Placed:
    yield from _named(events, ("data", "events"), "id", "time", "type", "values", "attributes")


def _named(section: Mapping[str, Any], place: Place, *keys: str) -> Placed:
    """The columns under some keys of a section, each key holding one name or a list of names."""
    for key in keys:
        value = section.get(key)
        if isinstance(value, str):
            yield (*place, key), value
        for position, name in enumerate(_texts(value)):
            yield (*place, key, position), name


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _plain(value: object) -> object:
    """Models inside as the mappings they were made of."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    return {key: _plain(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value
