"""What is asked and what a network reads at a cutoff never depends on what happens after it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from model.scoring.eligible import standing
from model.task import ContractTask, LogTask
from model.times import DAY, format_instant
from model.values.columns import Column, column_of
from tests.model.examples import CELLS, SCHEMA, batch_of, bits
from tests.strategies import TYPES, Event, event_lists, instants, log_of
from tests.training.drawn_timelines import (
    N,
    ask,
    contract_tasks,
    contract_timeline_of,
    log_tasks,
    lone_contract_tasks,
    lone_timeline_of,
    row_lists,
    timeline_of,
)
from tests.training.question.naive import Row

later_events = st.lists(
    st.builds(
        Event,
        customer=st.integers(0, N - 1),
        time=st.sampled_from([1, DAY, 3 * DAY, 100 * DAY]),  # after the cutoff
        type=st.sampled_from(TYPES),
        amount=st.sampled_from([0.0, 7.0, float("nan")]),
    ),
    max_size=8,
)


def two_futures(listed: list[Event], cutoff: int, later: list[Event]) -> tuple[list[Event], list[Event]]:
    """Two logs that are equal up to a cutoff: one goes on as it did, the other as `later` says."""
    moved = [Event(e.customer, cutoff + e.time, e.type, e.amount) for e in later]
    return listed, [*moved, *(e for e in listed if e.time <= cutoff)]


@given(event_lists, later_events, instants, st.booleans())
def test_no_event_after_the_cutoff_changes_an_input_of_a_network(
    listed: list[Event], later: list[Event], cutoff: int, with_steps: bool
) -> None:
    asked = [(customer, cutoff) for customer in range(N)]
    one, other = (
        batch_of(log_of(events), asked, with_steps=with_steps)
        for events in two_futures(listed, cutoff, later)
    )
    for row in range(N):
        assert bits(one, row) == bits(other, row)


@given(instants, instants, instants)
def test_no_date_after_the_cutoff_changes_an_input_of_a_network(
    cutoff: int, earlier: int, later: int
) -> None:
    """Such a date was not known yet, as that of an end."""
    bounds = min(earlier, cutoff), cutoff + 1 + abs(later)

    def read(date: str | None) -> dict[str, bytes]:
        columns: dict[str, Column] = {name: column_of(cells) for name, cells in CELLS.items()}
        columns["since"] = column_of([format_instant(bounds[0]), date, None, None])
        batch = batch_of(log_of([]), [(0, cutoff), (1, cutoff)], columns=columns)
        return bits(batch, 1)

    assert "since" in SCHEMA.column_names
    assert read(format_instant(bounds[1])) == read(format_instant(bounds[1] + 5 * DAY)) == read(None)
    assert read(format_instant(bounds[0])) != read(None)


@given(event_lists, later_events, log_tasks, instants)
def test_no_event_after_the_cutoff_changes_who_is_asked(
    listed: list[Event], later: list[Event], task: LogTask, cutoff: int
) -> None:
    one, other = (timeline_of(events, task) for events in two_futures(listed, cutoff, later))
    for customer in range(N):
        asked = ask(customer, cutoff)
        assert standing(one, task, asked).tolist() == standing(other, task, asked).tolist()


def known_by(row: Row, cutoff: int, end: int | None) -> Row:
    """A row with another end, if its own was not known at the cutoff."""
    own_end = row[1]
    return row if own_end is not None and own_end <= cutoff else (row[0], end)


later_ends = st.none() | st.sampled_from([1, DAY, 9 * DAY])


@given(event_lists, later_events, row_lists, later_ends, contract_tasks, instants)
def test_neither_events_nor_ends_after_the_cutoff_change_which_contracts_are_asked(
    listed: list[Event], later: list[Event], table: list[Row], end: Any, task: ContractTask, cutoff: int
) -> None:
    changed = [known_by(row, cutoff, None if end is None else cutoff + end) for row in table]
    events, others = two_futures(listed, cutoff, later)
    one, other = contract_timeline_of(events, table, task), contract_timeline_of(others, changed, task)
    for customer in range(N):
        asked = ask(customer, cutoff)
        assert standing(one, task, asked).tolist() == standing(other, task, asked).tolist()


@given(row_lists, row_lists, lone_contract_tasks, instants)
def test_later_rows_of_an_id_do_not_change_which_rows_are_asked(
    table: list[Row], later: list[Row], task: ContractTask, cutoff: int
) -> None:
    renewals: list[Row] = [(cutoff + 1 + abs(start or 0), None) for start, _ in later]
    one = lone_timeline_of(table, ["a"] * N, task)
    other = lone_timeline_of([*table, *renewals], ["a"] * 2 * N, task)
    for row in range(N):
        asked = ask(row, cutoff)
        assert standing(one, task, asked).tolist() == standing(other, task, asked).tolist()
