"""The test examples of a challenger that an earlier version was certainly not trained on."""

import numpy as np
from numpy.typing import NDArray

from model.errors import ComparisonError, DataError
from model.files.names import listed
from model.schema import EventSchema
from model.values.columns import as_texts
from training.prepare import Prepared
from training.publish.measured import MeasuredModel
from training.split.deal import Places, duplicate_groups, groups_of, hash_shares, row_names
from training.split.plan_table import order_of
from training.study.sections import EventsSource

Bools = NDArray[np.bool_]


def unseen(champion: MeasuredModel, prepared: Prepared) -> Bools:
    """Return (N,) whether the champion held out the customer of each example in `plan.unseen`.

    A customer is recognised by the rule of the champion's split: id, group, contents of the row, or time. A
    customer who cannot be recognised counts as seen. Present values count for a customer whose group, or
    whose row without an id, has changed.

    Raises:
        ComparisonError: the data lack the column of that rule.
    """
    plan = prepared.plan
    held_out = (
        _by_time(champion, prepared) if champion.held_out.kind == "time" else _by_place(champion, prepared)
    )
    found: Bools = held_out[plan.examples.customers[plan.unseen]]
    return found


def _by_time(champion: MeasuredModel, prepared: Prepared) -> Bools:
    held_out = champion.held_out
    assert held_out.group is not None
    assert held_out.since is not None
    _check_there(held_out.group, champion, prepared)
    try:
        when = order_of(prepared.dataset, held_out.group, champion.scorer.schema.time_zone)
    except DataError as why:
        raise ComparisonError(f"version {champion.version} is split by {held_out.group!r}: {why}") from why
    later: Bools = when >= held_out.since
    return later


def _by_place(champion: MeasuredModel, prepared: Prepared) -> Bools:
    held_out, schema, dataset = champion.held_out, champion.scorer.schema, prepared.dataset
    alone = held_out.kind == "rows" and schema.events is None  # no log identifies the rows
    contents = _contents(champion, prepared) if alone else []
    if alone and schema.id is None:
        names, known = contents, np.ones(len(dataset), dtype=bool)
    else:
        names, known = _names(champion, prepared)
    places = hash_shares(names, seed=held_out.seed, purpose="test")
    if alone:
        places = _highest(places, duplicate_groups(contents))
    return known & (places < held_out.below)


def _contents(champion: MeasuredModel, prepared: Prepared) -> list[str]:
    """The contents of each row in the columns that the version reads."""
    names = champion.scorer.schema.column_names
    for name in names:
        _check_there(name, champion, prepared)
    columns = prepared.dataset.columns
    return row_names({name: columns[name] for name in names}, len(prepared.dataset))


def _highest(places: Places, groups: NDArray[np.int64]) -> Places:
    """(N,) the highest place among the duplicates of a row.

    The lowest place dealt them, but a newer duplicate may have a lower place than a training row.
    """
    _, group_of = np.unique(groups, return_inverse=True)
    highest = np.zeros(group_of.max(initial=-1) + 1)
    np.maximum.at(highest, group_of, places)
    found: Places = highest[group_of]
    return found


def _names(champion: MeasuredModel, prepared: Prepared) -> tuple[list[str], Bools]:
    """The names that deal each row, and (N,) whether they are the same as for the champion."""
    group, dataset = champion.held_out.group, prepared.dataset
    ids, known = list(dataset.ids), _named(prepared)
    schema = champion.scorer.schema
    then, now = _id_columns(schema.id, schema.events), _id_columns(prepared.fields.id, prepared.fields.events)
    same = bool(then & now)
    if group is None and not same:
        raise ComparisonError(
            f"both models must have the same id column, got {listed(sorted(then)) or 'none'} in version "
            f"{champion.version} and {listed(sorted(now)) or 'none'} in the study."
        )
    if group is None:
        return ids, known
    _check_there(group, champion, prepared)
    filled = as_texts(dataset.columns[group]).codes >= 0
    return groups_of(dataset.columns, group, ids), filled | (known & same)


def _named(prepared: Prepared) -> Bools:
    """(N,) whether a row has an id; a row without an id has its number, which may change."""
    name, dataset = prepared.fields.id, prepared.dataset
    if dataset.log is not None:
        return np.ones(len(dataset), dtype=bool)
    if name is None:
        return np.zeros(len(dataset), dtype=bool)
    return np.asarray(as_texts(dataset.columns[name]).codes >= 0)


def _id_columns(table_id: str | None, events: EventSchema | EventsSource | None) -> set[str]:
    return {name for name in (table_id, events.id if events else None) if name}


def _check_there(name: str, champion: MeasuredModel, prepared: Prepared) -> None:
    if name not in prepared.dataset.columns:
        raise ComparisonError(
            f"the data must have the column {name!r} that identifies rows in version {champion.version}, got "
            "none: the file lacks it, or the study excludes it."
        )
