"""When contracts ended: which return takes an end back, and which rows are one period."""

from collections.abc import Sequence

import numpy as np
import pytest

from model.errors import DataError
from model.scoring.presence import NEVER, contract_dates
from model.task import ContractTask
from model.times import DAY, parse_time
from model.values.columns import column_of
from tests.strategies import Event, log_of
from tests.training.drawn_timelines import (
    lone_timeline_of,
)
from tests.training.question.naive import Row
from training.question.timeline import Timeline, contract_timeline

CONTRACT = ContractTask(ends="ends", starts="starts", horizons_days=(10,))


def ended(end: str, events: Sequence[tuple[float, str]], *, zone: str = "UTC", **changes: object) -> Timeline:
    """The timeline of one contract that started on the first day and has a log."""
    log = log_of([Event(0, round(day * DAY), kind, 1.0) for day, kind in events], 1)
    table = {"starts": column_of(["1970-01-01"]), "ends": column_of([end])}
    return contract_timeline(
        log, CONTRACT.model_copy(update=changes), table, ["a"], log.categories["type"], zone
    )


@pytest.mark.parametrize(
    ("end", "event", "taken_back"),
    [
        ("1970-01-11", 10.0, False),  # on the day of the end
        ("1970-01-11", 10.9, False),
        ("1970-01-11", 11.0, True),
        ("1970-01-11", 13.0, True),
        ("1970-01-11", 13.1, False),
        ("1970-01-11T12:00:00", 10.5, False),
        ("1970-01-11T12:00:00", 10.6, True),
    ],
)
def test_an_end_that_is_a_mere_date_covers_its_day(end: str, event: float, taken_back: bool) -> None:
    timeline = ended(end, [(event, "buy")], reactivates_within_days=3)
    assert bool(len(timeline.targets.times)) == (not taken_back)
    assert (timeline.back.tolist() == [NEVER]) == (not taken_back)


def test_a_day_begins_and_ends_by_the_clock_of_the_zone() -> None:
    evening = 10 + 22 / 24  # 11 January 07:00 in Tokyo
    assert len(ended("1970-01-11", [(evening, "buy")], reactivates_within_days=3).targets.times)
    there = ended("1970-01-11", [(evening, "buy")], reactivates_within_days=3, zone="Asia/Tokyo")
    assert not len(there.targets.times)
    assert there.gone.times.tolist() == [10 * DAY - DAY * 9 // 24]


@pytest.mark.parametrize(
    ("end", "hours", "taken_back"),
    [
        ("1980-04-06", 22.9, False),  # a day of 23 hours
        ("1980-04-06", 23, True),
        ("1980-09-28", 24.9, False),  # a day of 25 hours
        ("1980-09-28", 25, True),
    ],
)
def test_the_day_of_an_end_is_as_long_as_its_zone_has_it(end: str, hours: float, taken_back: bool) -> None:
    start = parse_time(end, zone="Europe/Berlin") / DAY
    timeline = ended(end, [(start + hours / 24, "buy")], reactivates_within_days=3, zone="Europe/Berlin")
    assert bool(len(timeline.targets.times)) == (not taken_back)


def merged(table: Sequence[tuple[int, int | None]], **changes: object) -> list[int]:
    """The end of each row's period in days, all rows of one id; -1 where there is none."""
    rows: list[Row] = [(s * DAY, None if e is None else e * DAY) for s, e in table]
    timeline = lone_timeline_of(rows, ["a"] * len(rows), CONTRACT.model_copy(update=changes))
    return [next(iter(timeline.targets.part(i, i + 1).times.tolist()), -DAY) // DAY for i in range(len(rows))]


def test_rows_of_one_id_that_follow_each_other_are_one_period() -> None:
    assert merged([(0, 10), (10, 20), (21, 30)]) == [20, 20, 30]
    assert merged([(0, 10), (12, 20), (23, 30)], reactivates_within_days=2) == [20, 20, 30]
    assert merged([(0, 30), (5, 10), (12, 40)]) == [40, 40, 40]
    assert merged([(12, 40), (5, 10), (0, 30)]) == [40, 40, 40]
    assert merged([(0, 10), (5, None)]) == [-1, -1]
    assert merged([(0, None), (5, 10), (20, 30)]) == [-1, -1, -1]


def test_rows_of_other_ids_are_other_contracts() -> None:
    table: list[Row] = [(0, 10 * DAY), (5 * DAY, 20 * DAY)]
    timeline = lone_timeline_of(table, ["a", "b"], CONTRACT)
    assert timeline.targets.times.tolist() == [10 * DAY, 20 * DAY]


def test_the_dates_of_contracts_are_missing_where_a_cell_is_empty() -> None:
    starts, ends = contract_dates(
        {"starts": column_of(["1970-01-02", None]), "ends": column_of([None, "03.01.1970"])},
        CONTRACT.model_copy(update={"ends_format": "%d.%m.%Y"}),
        "UTC",
    )
    assert starts is not None
    assert starts.tolist() == [DAY, np.iinfo(np.int64).min]
    assert ends.tolist() == [np.iinfo(np.int64).min, 2 * DAY]
    nobody, _ = contract_dates(
        {"ends": column_of([None])}, ContractTask(ends="ends", horizons_days=(1,)), "UTC"
    )
    assert nobody is None


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (
            {"ends": ["1970-01-02"]},
            "the customer table has no column 'starts'; its columns are 'ends'",
        ),
        (
            {"starts": ["1970-01-02"], "end": ["1970-01-02"]},
            "the customer table has no column 'ends'; did you mean 'end'? its columns are 'starts', 'end'",
        ),
        (
            {"starts": ["1970-01-02"] * 2, "ends": ["1970-01-02", "soon"]},
            "target.ends 'ends' must hold dates such as 2024-03-01, or nothing, got 1 of 2 "
            "values that is none, such as 'soon'. Correct them.",
        ),
    ],
)
def test_dates_of_contracts_that_are_not_there_are_refused(table: dict[str, list[object]], text: str) -> None:
    with pytest.raises(DataError) as caught:
        contract_dates({name: column_of(cells) for name, cells in table.items()}, CONTRACT, "UTC")
    assert str(caught.value) == text


def test_involuntary_events_that_never_come_with_the_end_of_a_contract_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        ended("1970-01-11", [(2, "fail")], involuntary=("fail",))
    assert str(caught.value) == (
        "target.involuntary must name events at an ending or up to 7 days before one, got ['fail'] with "
        "none of 1 event there. Raise target.involuntary_within_days, or leave target.involuntary out."
    )
