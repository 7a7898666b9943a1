"""Tasks with windows, drawn at random, and timelines of little logs and tables to ask them of."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from model.task import ContractTask, Eligible, LogTask
from model.times import format_instant
from model.values.columns import Column, column_of
from model.values.customers import Examples
from tests.strategies import TYPES, Event, instants, log_of
from tests.training.question.naive import Row
from training.question.timeline import Timeline, contract_timeline, log_timeline

N = 4  # customers; in a log there is one more
ASIDE = N

# A customer whose ending is involuntary, and who has an event of every type: no log is refused.
OTHERS = [Event(ASIDE, 0, kind, 1.0) for kind in TYPES]

windows = {
    "horizons_days": st.sampled_from([(3,), (1, 4), (2, 5, 9)]),
    "gap_days": st.sampled_from([0, 0, 2]),
    "ingestion_lag_days": st.sampled_from([0, 0, 1]),
    "eligible": st.builds(
        Eligible,
        min_events=st.integers(0, 3),
        min_history_days=st.sampled_from([0, 0, 4]),
        max_history_days=st.sampled_from([None, None, 20]),
    ),
}
endings = {
    "reactivates_within_days": st.sampled_from([0, 1, 5]),
    "returns": st.sampled_from([(), (), ("join",), ("buy", "visit")]),
    "involuntary": st.sampled_from([(), ("fail",)]),
    "involuntary_within_days": st.sampled_from([0, 2]),
}
plain_tasks = st.builds(
    LogTask,
    event=st.sampled_from(["any", *TYPES, ("buy", "join")]),
    outcome=st.sampled_from(["occurs", "absent"]),
    eligible_within_days=st.sampled_from([1, 5, 30]),
    **windows,
)
terminal_tasks = st.builds(
    LogTask,
    event=st.sampled_from(["cancel", ("cancel", "visit")]),
    outcome=st.just("occurs"),
    terminal=st.just(True),
    eligible_within_days=st.sampled_from([5, 30]),
    **windows,
    **endings,
)
log_tasks = plain_tasks | terminal_tasks
contract_tasks = st.builds(
    ContractTask,
    ends=st.just("ends"),
    starts=st.sampled_from(["starts", "starts", None]),
    eligible_within_days=st.sampled_from([None, 5, 30]),
    **windows,
    **endings,
)
lone_contract_tasks = st.builds(
    ContractTask,
    ends=st.just("ends"),
    starts=st.just("starts"),
    reactivates_within_days=st.sampled_from([0, 1, 5]),
    horizons_days=windows["horizons_days"],
    gap_days=windows["gap_days"],
    ingestion_lag_days=windows["ingestion_lag_days"],
    eligible=st.builds(Eligible, min_history_days=st.sampled_from([0, 0, 4])),
)


def _in_order(start: int | None, end: int | None) -> Row:
    return (start, end) if start is None or end is None else (min(start, end), max(start, end))


rows = st.builds(_in_order, st.none() | instants | instants, st.none() | instants | instants)
row_lists = st.lists(rows, min_size=N, max_size=N)
state_lists = st.lists(st.sampled_from(["ended", "Ended", "planned", ""]), min_size=N, max_size=N)
owner_lists = st.lists(st.sampled_from("ab"), min_size=N, max_size=N)  # the ids of N rows


def timeline_of(listed: Sequence[Event], task: LogTask) -> Timeline:
    """The timeline of a log of N customers and the one aside."""
    log = log_of([*listed, *OTHERS], N + 1)
    return log_timeline(log, task, log.categories["type"])


def contract_timeline_of(
    listed: Sequence[Event], table: Sequence[Row], task: ContractTask, states: Sequence[str] = ()
) -> Timeline:
    """The timeline of N contracts, and one aside, beside their log; with states if there are any."""
    log = log_of([*listed, *OTHERS], N + 1)
    cells = dates([*table, (0, 0)]) | ({"state": column_of([*states, "ended"])} if states else {})
    return contract_timeline(log, task, cells, [str(n) for n in range(N + 1)], log.categories["type"], "UTC")


def lone_timeline_of(
    table: Sequence[Row], owners: Sequence[str], task: ContractTask, states: Sequence[str] = ()
) -> Timeline:
    """The timeline of a table of contracts alone; with a column of states if there are any."""
    cells = dates(table) | ({"state": column_of(states)} if states else {})
    return contract_timeline(None, task, cells, owners, None, "UTC")


def dates(table: Sequence[Row]) -> dict[str, Column]:
    """Columns of a customer table, with the cells that a file would have."""
    starts, ends = (
        [None if t is None else format_instant(t) for t in one] for one in zip(*table, strict=True)
    )
    return {"starts": column_of(starts), "ends": column_of(ends)}


def ask(customer: int, cutoff: int) -> Examples:
    """One question."""
    return Examples(np.array([customer], dtype=np.int64), np.array([cutoff], dtype=np.int64))
