"""The rules between the sections of a study.

They are checked on the raw values, so that they are reported together with the faults of single values.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel

from model.files.names import nearest
from model.task import ANY_EVENT, ColumnTask, ContractTask, LogTask
from model.values.spelling import folded
from training.study.faults import show
from training.study.yaml_file import Place, spell_place

TargetForm = Literal["column", "log", "contract"]
Placed = Iterator[tuple[Place, str]]  # a message, or a column name, with its place

_OF_STUDY: Final = {"cutoffs", "observed_until"}  # no part of a task
# The keys of each form of a target.
_KEYS: Final[dict[TargetForm, frozenset[str]]] = {
    "column": frozenset(ColumnTask.model_fields.keys() - {"kind"} | {"as_of"}),
    "log": frozenset(LogTask.model_fields.keys() - {"kind"} | _OF_STUDY),
    "contract": frozenset(
        ContractTask.model_fields.keys() - {"kind", "ends_format", "starts_format", "last_day_runs"}
        | _OF_STUDY
    ),
}
_OF_ENDINGS: Final = ("reactivates_within_days", "returns", "involuntary")


def broken_rules(study: object) -> Placed:
    """Yield each broken rule as a place and a message; absent and malformed values are skipped."""
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
    own = list(_own_columns(form, target))
    yield from _used_twice([*own, *_customers_columns(customers)])
    yield from _ending_faults(form, target)
    yield from _spelling_faults(target)
    unread = set(_texts([target.get("column"), target.get("ends"), *_texts(customers.get("exclude"))]))
    yield from _split_faults(form, split, customers, unread)
    yield from _fairness_faults(_mapping(raw.get("fairness")), customers, [column for _, column in own])


def target_form(target: Mapping[str, Any]) -> TargetForm:
    """Return the form of a target by its keys; a misspelt key counts as the nearest known one.

    Raises:
        ValueError: keys of several forms, or of none.
    """
    every = sorted(frozenset().union(*_KEYS.values()))
    meant = {key: nearest(key, every) for key in target}
    owners = {name: [form for form in _KEYS if name in _KEYS[form]] for name in every}
    decisive = {key: owners[name][0] for key, name in meant.items() if name and len(owners[name]) == 1}
    if len(set(decisive.values())) == 1:
        return next(iter(decisive.values()))
    got = f"several: {', '.join(decisive)}" if decisive else "none of them"
    raise ValueError(
        "must name a column of the customer table (column, positive), an outcome of the event log"
        f" (outcome, horizons_days) or the end of a contract (ends, horizons_days), got {got}"
    )


def _missing_sources(form: TargetForm | None, data: Mapping[str, Any]) -> Placed:
    if form in ("column", "contract") and data.get("customers") is None:
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
    if events and events.get("type") is None:
        for key in ("event", "returns", "involuntary"):
            named = target.get(key)
            if named and named != ANY_EVENT and form != "column":
                yield (
                    ("data", "events", "type"),
                    f"missing; target.{key} {show(named)} is looked up in this column",
                )
    if form == "contract" and not events:
        eligible = _mapping(target.get("eligible"))
        keys = [("returns",), ("involuntary",), ("eligible_within_days",)]
        found = [place for place in keys if target.get(place[0])]
        for place in [*found, *([("eligible", "min_events")] if eligible.get("min_events") else [])]:
            yield ("target", *place), "needs data.events, which the study does not name"


def _ending_faults(form: TargetForm | None, target: Mapping[str, Any]) -> Placed:
    """Yield the keys that need a terminal event and have none."""
    if form != "log":
        return
    named = target.get("event") not in (None, ANY_EVENT)
    for key in (*_OF_ENDINGS, "terminal"):
        if target.get(key) and not (named and target.get("outcome") == "occurs"):
            yield ("target", key), "needs target.event to name a terminal event type, with outcome: occurs"
        elif key in _OF_ENDINGS and target.get(key) and target.get("terminal") is False:
            yield ("target", key), "needs a terminal event; leave out terminal: false"


def _spelling_faults(target: Mapping[str, Any]) -> Placed:
    """Yield event types that another key names in another spelling: all spellings of a type count as one."""
    first: dict[str, tuple[str, str]] = {}
    for place, name in _named(target, ("target",), "event", "returns", "involuntary"):
        key, other = first.setdefault(folded(name), (str(place[1]), name))
        if key != place[1] and other != name:
            yield place, f"{show(name)} and {show(other)} of target.{key} are spellings of one event type"


def _split_faults(
    form: TargetForm | None, split: Mapping[str, Any], customers: Mapping[str, Any], unread: set[str]
) -> Placed:
    given = [key for key in ("time", "group") if isinstance(split.get(key), str)]
    for key in given:
        if form != "column" and key == "time":
            yield ("split", key), "needs a target column; other studies are always tested on later cutoffs"
        if form == "log" and key == "group" and not customers:
            yield ("split", key), "needs data.customers, which has the column"
        if split[key] in unread:
            yield ("split", key), f"column {show(split[key])} is the label or excluded, so it cannot split"
    if len(given) == 2:
        yield ("split", "group"), "cannot be combined with split.time; keep one of them"


def _fairness_faults(
    fairness: Mapping[str, Any], customers: Mapping[str, Any], of_target: list[str]
) -> Placed:
    named = list(_named(fairness, ("fairness",), "groups"))
    yield from _used_twice(named)
    for place, column in named:
        if not customers:
            yield place, "needs data.customers, which has the column"
        elif column in (*of_target, customers.get("id")):
            yield place, f"column {show(column)} is the id or the target's, so it forms no groups"


def _used_twice(columns: Iterable[tuple[Place, str]]) -> Placed:
    first: dict[str, Place] = {}
    for place, column in columns:
        if column in first:
            yield place, f"column {show(column)} is already used by {spell_place(first[column])}; keep one"
        first.setdefault(column, place)


def _own_columns(form: TargetForm | None, target: Mapping[str, Any]) -> Placed:
    """Yield the columns that the target itself reads."""
    keys = {"column": ["column"], "contract": ["ends", "starts"]}.get(form or "", [])
    for key in keys:
        if isinstance(target.get(key), str):
            yield ("target", key), target[key]
    if form == "contract":
        yield from _named(_mapping(target.get("ended_when")), ("target", "ended_when"), "column")


def _customers_columns(customers: Mapping[str, Any]) -> Placed:
    place: Place = ("data", "customers")
    yield from _named(customers, place, "id", "exclude", "categorical", "numeric")
    series = _mapping(customers.get("sequences"))
    yield from _named(series, (*place, "sequences"), *series)


def _events_columns(events: Mapping[str, Any]) -> Placed:
    yield from _named(events, ("data", "events"), "id", "time", "type", "values", "attributes")


def _named(section: Mapping[str, Any], place: Place, *keys: str) -> Placed:
    """Yield the columns under some keys of a section; each key holds one name or a list of names."""
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
    """Return the value with the models in it as mappings."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    return {key: _plain(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value
