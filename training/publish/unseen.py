"""Which of a challenger's test examples an earlier version has surely never learnt from."""

import numpy as np
from numpy.typing import NDArray

from model.errors import ComparisonError, DataError
from model.files.names import listed
from model.schema import EventSchema
from model.values.columns import as_texts
from training.prepare import Prepared
from training.publish.twin import Twin
from training.schema.fit_schema import EventFields
from training.split.plan_table import order_of
from training.split.split import Places, duplicate_groups, groups_of, hash_shares, row_names

Bools = NDArray[np.bool_]


def unseen(twin: Twin, prepared: Prepared) -> Bools:
    """(N,) for each test example of the plan: did the twin hold out whoever it is about?

    A customer is known by what dealt it then: its id, its group, the row's contents, or its time. Who
    cannot be recognised counts as seen. A customer that changed its group since, or whose row without id
    holds other values now, goes by what it is today.

    Raises:
        ComparisonError: today's data lack what dealt the customers then.
    """
    plan = prepared.plan
    held_out = _by_time(twin, prepared) if twin.held_out.kind == "time" else _by_place(twin, prepared)
    found: Bools = held_out[plan.examples.customers[plan.test]]
    return found


def _by_time(twin: Twin, prepared: Prepared) -> Bools:
    held_out = twin.held_out
    assert held_out.group is not None
    assert held_out.since is not None
    _check_there(held_out.group, twin, prepared)
    try:
        when = order_of(prepared.dataset.columns, held_out.group, twin.scorer.schema.time_zone)
    except DataError as why:
        raise ComparisonError(f"version {twin.version} was split by {held_out.group!r}: {why}") from why
    later: Bools = when >= held_out.since
    return later


def _by_place(twin: Twin, prepared: Prepared) -> Bools:
    held_out, schema, dataset = twin.held_out, twin.scorer.schema, prepared.dataset
    alone = held_out.kind == "rows" and schema.events is None  # no log tells the rows apart
    contents = _contents(twin, prepared) if alone else []
    if alone and schema.id is None:
        names, known = contents, np.ones(len(dataset), dtype=bool)
    else:
        names, known = _names(twin, prepared)
    places = hash_shares(names, seed=held_out.seed, purpose="test")
    if alone:
        places = _highest(places, duplicate_groups(contents))
    return known & (places < held_out.below)


def _contents(twin: Twin, prepared: Prepared) -> list[str]:
    """What each row holds of that which the version reads."""
    names = twin.scorer.schema.column_names
    for name in names:
        _check_there(name, twin, prepared)
    columns = prepared.dataset.columns
    return row_names({name: columns[name] for name in names}, len(prepared.dataset))


def _highest(places: Places, groups: NDArray[np.int64]) -> Places:
    """(N,) the highest place of a row's duplicates.

    The lowest dealt them then; but a duplicate that came since may be low while the old one was learnt from.
    """
    _, group_of = np.unique(groups, return_inverse=True)
    highest = np.zeros(group_of.max(initial=-1) + 1)
    np.maximum.at(highest, group_of, places)
    found: Places = highest[group_of]
    return found


def _names(twin: Twin, prepared: Prepared) -> tuple[list[str], Bools]:
    """What dealt each row of the data, and (N,) whether that is the same as it was then."""
    group, dataset = twin.held_out.group, prepared.dataset
    ids, known = list(dataset.ids), _named(prepared)
    schema = twin.scorer.schema
    then, now = _id_columns(schema.id, schema.events), _id_columns(prepared.table.id, prepared.events)
    same = bool(then & now)
    if group is None and not same:
        raise ComparisonError(
            f"both must know a customer by the same id, however version {twin.version} has "
            f"{listed(sorted(then)) or 'none'} and today's study {listed(sorted(now)) or 'none'}"
        )
    if group is None:
        return ids, known
    _check_there(group, twin, prepared)
    filled = as_texts(dataset.columns[group]).codes >= 0
    return groups_of(dataset.columns, group, ids), filled | (known & same)


def _named(prepared: Prepared) -> Bools:
    """(N,) whether a row has an id of its own; one without is called by its number, which may change."""
    name, dataset = prepared.table.id, prepared.dataset
    if dataset.log is not None:
        return np.ones(len(dataset), dtype=bool)
    if name is None:
        return np.zeros(len(dataset), dtype=bool)
    return np.asarray(as_texts(dataset.columns[name]).codes >= 0)


def _id_columns(table_id: str | None, events: EventSchema | EventFields | None) -> set[str]:
    return {name for name in (table_id, events.id if events else None) if name}


def _check_there(name: str, twin: Twin, prepared: Prepared) -> None:
    if name not in prepared.dataset.columns:
        raise ComparisonError(
            f"today's data must hold what version {twin.version} knows rows by, however they lack {name!r}: "
            "its file has no such column, or the study excludes it"
        )
