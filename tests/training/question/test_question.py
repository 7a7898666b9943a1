"""What a study leaves open is read off its data and told; what it says is kept."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model.errors import DataError
from model.files.dataset import Dataset
from model.task import ContractTask, EndedWhen, LogTask
from model.times import DAY, MISSING_TIME, format_instant, parse_time
from model.values.columns import column_of, texts_of
from model.values.history import EventLog
from tests.strategies import Event, log_of
from training.question.eligibility import count_eligible
from training.question.question import Question, contract_question, log_question
from training.question.refunds import refund_note
from training.question.timeline import contracts_at_once

CANCEL = LogTask(event="cancel", outcome="occurs", horizons_days=(10,))
CONTRACT = ContractTask(ends="end", horizons_days=(10,))


def events(*listed: tuple[int, int, str]) -> list[Event]:
    """Events as (customer, day, type)."""
    return [Event(customer, day * DAY, kind, 1.0) for customer, day, kind in listed]


def dataset_of(log: EventLog | None, columns: dict[str, Sequence[object]] | None = None) -> Dataset:
    """A data set of these parts."""
    table = {name: column_of(cells) for name, cells in (columns or {}).items()}
    n = log.n_customers if log else len(next(iter(table.values())))
    span = (int(log.times.min()), int(log.times.max())) if log and len(log.times) else (None, None)
    return Dataset([str(i) for i in range(n)], table, log, span[0], span[1], ())


def ask(listed: list[Event], task: LogTask = CANCEL, terminal: bool | None = None) -> Question:
    """A question about the events of some customers."""
    log = log_of(listed, max(e.customer for e in listed) + 1)
    return log_question(dataset_of(log), task, log.categories["type"], "UTC", terminal=terminal)


def leavers(kind: str, n: int, returning: int) -> list[Event]:
    """Customers who each have one event of a kind on day 5, and how many of them come again."""
    return events(
        *((c, 5, kind) for c in range(n)),
        *((c, 1, "buy") for c in range(n)),
        *((c, 9, "buy") for c in range(returning)),
    )


@pytest.mark.parametrize(
    ("kind", "n", "returning", "ends"),
    [
        ("cancel", 20, 0, True),
        ("cancel", 20, 10, True),  # half of them come back, and the name says so
        ("cancel", 20, 11, False),
        ("cancel", 2, 0, False),  # too few to tell
        ("cancel", 3, 0, True),
        ("join", 20, 1, True),
        ("join", 20, 2, False),
    ],
)
def test_whether_an_event_ends_a_life_is_read_off_the_log(
    kind: str, n: int, returning: int, ends: bool
) -> None:
    task = CANCEL.model_copy(update={"event": kind})
    question = ask(leavers(kind, n, returning), task)
    assert question.task == task.model_copy(update={"terminal": ends})
    assert len(question.timeline.gone.times) == (n if ends else 0)


def test_what_was_read_off_the_log_is_told() -> None:
    assert ask(leavers("cancel", 20, 1)).notes == (
        "'cancel' is a terminal event (5.0% of its 20 events are followed by further events of the "
        "customer): a customer is not eligible after it, unless the customer returns. Set target.terminal: "
        "false to change that.",
    )
    assert ask(leavers("cancel", 20, 15)).notes == (
        "'cancel' is not a terminal event (75.0% of its 20 events are followed by further events of the "
        "customer). Set target.terminal: true to change that.",
    )


@pytest.mark.parametrize("terminal", [True, False])
def test_what_the_study_says_is_kept(terminal: bool) -> None:
    task = CANCEL.model_copy(update={"terminal": terminal})
    question = ask(leavers("cancel", 20, 19 if terminal else 0), task, terminal)
    assert (question.task, question.notes) == (task, ())


@pytest.mark.parametrize(
    "changes", [{"reactivates_within_days": 3}, {"returns": ("join",)}, {"involuntary": ("cancel",)}]
)
def test_a_study_that_speaks_of_endings_has_one(changes: dict[str, Any]) -> None:
    task = CANCEL.model_copy(update=changes)
    question = ask([*leavers("cancel", 20, 19), *events((0, 0, "join"))], task)
    assert isinstance(question.task, LogTask)
    assert question.task.terminal


@pytest.mark.parametrize("changes", [{"outcome": "absent"}, {"event": "any"}])
def test_an_absence_or_any_event_ends_no_life(changes: dict[str, Any]) -> None:
    task = CANCEL.model_copy(update=changes)
    question = ask(leavers("cancel", 20, 0), task)
    assert question.task == task
    assert not any("terminal" in note for note in question.notes)


def test_refunds_that_count_for_the_target_are_told() -> None:
    types = texts_of(np.array([0, 0, 0, 1]), ["order", "Refunded"])
    log = log_of(events((0, 0, "buy"), (0, 5, "buy"), (1, 3, "buy"), (1, 9, "buy")))
    log = replace(log, values={}, categories={"type": types})
    (note,) = refund_note(log, CANCEL.model_copy(update={"event": "any"}), types)
    assert note.startswith("1 of 4 events that count for the target looks like refunds or cancelled orders")
    assert "'type' is such as 'Refunded' in 1" in note
    orders = CANCEL.model_copy(update={"event": "order"})
    assert refund_note(log, orders, types) == ()
    log = replace(log, values={"quantity": np.array([1.0, 2.0, -1.0, -1.0])})
    (note,) = refund_note(log, orders, types)
    assert note.startswith("1 of 3 events that count for the target looks like")
    assert "'quantity' is negative in 1" in note


def test_contracts_of_a_customer_that_run_at_the_same_time_are_counted() -> None:
    starts = np.array([0, 5, 10, 0, 20, 0]) * DAY
    ends = np.array([10, 8, 20, 30, 0, 0]) * DAY
    ends[4:] = MISSING_TIME
    assert contracts_at_once(["a", "a", "a", "b", "b", "c"], starts, ends) == (2, 2)
    assert contracts_at_once(["a", "b"], None, ends[:2]) == (0, 0)


def test_a_log_is_observed_from_its_first_event_to_its_last() -> None:
    question = ask(events((0, 3, "visit"), (1, 44, "cancel"), (0, 7, "visit")))
    assert (question.first, question.data_end) == (3 * DAY, 44 * DAY)


def test_a_log_that_ends_in_the_future_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        ask(events((0, 3, "visit"), (0, 400_000, "cancel")))
    assert str(caught.value) == (
        "the events of a log must have happened, got 1 of 2 in the future, up to 3065-03-01. Correct their "
        "times, leave them out, or name the last day that was observed (target.observed_until, --as-of)."
    )


def sign(columns: dict[str, Sequence[object]], log: EventLog | None = None, **changes: Any) -> Question:
    """A question about the contracts of a table."""
    task = CONTRACT.model_copy(update=changes)
    return contract_question(dataset_of(log, columns), task, log.categories["type"] if log else None, "UTC")


DAYS = [f"1970-01-{day:02}" for day in range(1, 31)]
ENDS: list[object] = [None, *DAYS[10:20], None]
STARTS: list[object] = [*DAYS[5:10], *DAYS[:7]]


def test_the_one_date_that_is_never_after_the_end_is_the_start() -> None:
    later = [*DAYS[:11], "1970-03-01"]  # after the end of nobody who has one, but see the 5th
    later[4] = "1970-02-20"
    question = sign({"end": ENDS, "joined": STARTS, "seen": later, "age": list(range(12))})
    assert question.task == CONTRACT.model_copy(update={"starts": "joined"})
    assert question.notes == ("Contracts start at 'joined', the only date column that is never after 'end'.",)


def test_a_start_that_the_study_names_is_kept() -> None:
    question = sign({"end": ENDS, "joined": STARTS, "signed": STARTS}, starts="signed")
    assert (question.task, question.notes) == (CONTRACT.model_copy(update={"starts": "signed"}), ())


@pytest.mark.parametrize(
    ("columns", "hint"),
    [
        ({"end": ENDS, "age": list(range(12))}, ""),
        ({"end": ENDS, "joined": [None, *STARTS[1:]]}, ""),
        ({"end": ENDS, "joined": STARTS, "signed": STARTS}, " It may be one of 'joined', 'signed'."),
    ],
    ids=["none", "not filled", "two"],
)
def test_contracts_whose_start_cannot_be_told_are_refused(
    columns: dict[str, Sequence[object]], hint: str
) -> None:
    with pytest.raises(DataError) as caught:
        sign(columns)
    assert str(caught.value) == (
        "target.starts must name the column with the first day of a contract, got none. Add it to the "
        f"study: without it, customers would count before they joined.{hint}"
    )


def test_beside_a_log_a_customer_is_there_from_its_first_event_on() -> None:
    log = log_of(events(*((c, c + 9, "visit") for c in range(12))), 12)
    question = sign({"end": ENDS, "age": list(range(12))}, log)
    assert (question.task, question.notes) == (CONTRACT, ())
    assert question.timeline.starts is not None
    assert question.timeline.starts.tolist() == log.times.tolist()


def test_a_repeated_purchase_ends_no_life() -> None:
    buys = [(c, 10 * k + 1, "buy") for c in range(30) for k in range(5)]
    listed = events(*buys, *((c, 0, "join") for c in range(30)))
    question = ask(listed, LogTask(event="buy", outcome="occurs", horizons_days=(10,)))
    assert isinstance(question.task, LogTask)
    assert not question.task.terminal


def test_one_event_each_of_the_only_type_ends_no_life() -> None:
    """Else nobody were left to be asked."""
    log = log_of(events(*((c, c, "buy") for c in range(30))), 30)
    task = LogTask(event="buy", outcome="occurs", horizons_days=(10,))
    types = texts_of(np.zeros(30, dtype=np.int64), ("buy",))
    question = log_question(dataset_of(log), task, types, "UTC", terminal=None)
    assert isinstance(question.task, LogTask)
    assert not question.task.terminal


def test_who_is_in_the_log_alone_has_no_contract() -> None:
    log = log_of(events(*((c, c + 1, "visit") for c in range(12))), 12)
    dataset = replace(dataset_of(log, {"end": ENDS}), listed=5)
    question = contract_question(dataset, CONTRACT, None, "UTC")
    asked = count_eligible(question.timeline, question.task, [13 * DAY]).examples
    assert set(asked.customers.tolist()) <= set(range(5))


def test_the_last_observed_day_is_the_study_s_where_it_says_so() -> None:
    dataset = dataset_of(log_of(events(*((c, c + 9, "visit") for c in range(12))), 12), {"end": ENDS})
    assert contract_question(dataset, CONTRACT, None, "UTC", until=15 * DAY).data_end == 15 * DAY
    with pytest.raises(DataError, match=r"observed_until must not be in the future, got 9999-01-01"):
        contract_question(dataset, CONTRACT, None, "UTC", until=parse_time("9999-01-01"))


def test_a_table_that_ends_long_before_its_log_is_told() -> None:
    log = log_of(events(*((c, c + 300, "visit") for c in range(12))), 12)
    [note] = contract_question(dataset_of(log, {"end": ENDS}), CONTRACT, None, "UTC").notes
    assert note.startswith("The last event is at 1970-11-08, the latest date of a contract at ")
    assert "target.observed_until" in note


def test_a_column_of_ends_without_any_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        sign({"end": [None, None], "joined": ["1970-01-01", "1970-01-02"]})
    assert str(caught.value) == "target.ends 'end' must have some dates, got empty cells only."


def test_a_column_of_ends_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(DataError, match="the customer table has no column 'end'; did you mean 'ends'"):
        sign({"ends": ENDS, "joined": STARTS})


def test_contracts_are_observed_up_to_the_latest_date_that_has_come() -> None:
    columns: dict[str, Sequence[object]] = {
        "joined": ["1970-01-03", "1970-01-05", "1970-01-09"], "end": ["1970-01-20", None, "2999-01-01"]
    }  # fmt: skip
    question = sign(columns, starts="joined")
    assert format_instant(question.first) == "1970-01-03"
    assert format_instant(question.data_end) == "1970-01-20"
    assert question.notes == (
        "1 contract ends after 1970-01-20, the end of the observed time, and counts as running.",
    )


@pytest.mark.parametrize(
    ("last_event", "start", "data_end"), [(40, "1970-01-03", 40), (10, "1970-03-01", 59), (10, None, 10)]
)
def test_beside_a_log_its_end_or_a_later_start_is_the_end_of_what_was_observed(
    last_event: int, start: str | None, data_end: int
) -> None:
    log = log_of(events((0, 1, "visit"), (0, last_event, "visit")), 2)
    columns: dict[str, Sequence[object]] = {"joined": ["1970-01-02", start], "end": ["1970-06-01", None]}
    question = sign(columns, log, starts="joined")
    assert question.data_end == data_end * DAY
    assert question.first == DAY  # the first event or the first start


def test_rows_that_make_no_sense_are_told() -> None:
    columns: dict[str, Sequence[object]] = {
        "joined": ["1970-01-09", None, "1970-01-09"], "end": ["1970-01-03", "1970-01-04", "1970-01-20"]
    }  # fmt: skip
    assert sign(columns, starts="joined").notes == (
        "1 contract ends before it starts and is never eligible.",
        "1 contract has no 'joined' and is never eligible.",
    )


@pytest.mark.parametrize("log", [None, log_of(events((0, 1, "visit"), (1, 9, "visit")), 2)])
def test_a_column_of_starts_without_any_is_refused(log: EventLog | None) -> None:
    with pytest.raises(DataError) as caught:
        sign({"joined": [None, None], "end": ["1970-01-03", "1970-01-04"]}, log, starts="joined")
    assert str(caught.value) == "target.starts 'joined' must have some dates, got empty cells only."


def spread(n: int, step: int = 3) -> tuple[list[str], list[str | None]]:
    """Starts every few days, and an end 100 days later where that is in the past."""
    starts = [DAY * step * i for i in range(n)]
    last = starts[-1]
    ends = [format_instant(at + 100 * DAY) if at + 100 * DAY <= last else None for at in starts]
    return [format_instant(at) for at in starts], ends


def test_ends_that_are_many_on_the_last_day_are_told_and_count_as_running() -> None:
    starts, ends = spread(200)
    export = format_instant(parse_time(starts[-1]))
    question = sign({"joined": starts, "end": [end or export for end in ends]}, starts="joined")
    assert isinstance(question.task, ContractTask)
    assert question.task.last_day_runs
    assert (question.timeline.targets.times < parse_time(export)).all()
    [note] = [note for note in question.notes if "last day of the data" in note]
    assert note.startswith("34 of 200 contracts (17%) end on 1971-08-21, ")
    plain = sign({"joined": starts, "end": ends}, starts="joined")
    assert plain.timeline.targets.times.tolist() == question.timeline.targets.times.tolist()
    assert not any("last day" in note for note in plain.notes)


def test_ends_that_are_written_in_advance_end_no_data() -> None:
    starts = [format_instant(DAY * i) for i in range(300)]
    ends = [format_instant(DAY * (i + 30)) for i in range(300)]
    question = sign({"joined": starts, "end": ends}, starts="joined")
    assert question.data_end == 299 * DAY
    assert "30 end after it, up to 1970-11-26: their ends seem to be written in advance" in question.notes[0]
    running = sign({"joined": starts, "end": [*ends[:-20], *[None] * 20]}, starts="joined")
    assert running.data_end == 309 * DAY


def test_one_late_start_of_a_contract_is_no_end_of_the_data() -> None:
    starts, ends = spread(200)
    question = sign({"joined": [*starts, "1999-01-01"], "end": [*ends, None]}, starts="joined")
    assert question.data_end == parse_time(starts[-1])
    assert question.notes[0].startswith("1 date of contracts up to 1999-01-01 is after 1971-08-21")


def test_ends_that_are_planned_are_counted_and_an_unknown_value_is_refused() -> None:
    starts, ends = spread(200)
    states = ["Cancelled" if end and i % 2 else "active" for i, end in enumerate(ends)]
    columns: dict[str, Sequence[object]] = {"joined": starts, "end": ends, "state": states}
    when = EndedWhen(column="state", value="cancelled")
    question = sign(columns, starts="joined", ended_when=when)
    assert len(question.timeline.targets.times) == 83
    assert question.notes[0] == (
        "83 contracts have ended by 'state'; 83 other ends are planned, and count as none."
    )
    with pytest.raises(
        DataError, match=r"target.ended_when.value must be a value of 'state', got 'gone'\. The"
    ):
        sign(columns, starts="joined", ended_when=EndedWhen(column="state", value="gone"))


def test_contracts_whose_dates_all_lie_in_the_future_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        sign({"joined": ["2998-01-01"], "end": ["2999-01-01"]}, starts="joined")
    assert str(caught.value) == (
        "some dates of contracts must be in the past, got only future dates in 'end' and 'joined'. Correct "
        "them."
    )


def test_events_long_before_all_others_are_told() -> None:
    usual = [(0, day, "buy") for day in range(8000, 8060)]
    note = ask(events((1, 0, "buy"), *usual)).notes[-1]
    assert note.startswith(
        "1 of 61 events is before 1991-11-27, where the log begins but for it: '1' at 1970"
    )
    assert not any("begins" in line for line in ask(events(*usual)).notes)
