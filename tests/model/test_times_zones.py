"""Local times of a zone, against the standard library."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from model.times import (
    DAY,
    FIRST_TIME,
    LAST_TIME,
    MISSING_TIME,
    SECOND,
    add_days,
    format_instant,
    localize,
    midnight,
    parse_time,
    time_zones,
    to_datetime,
    to_instant,
)
from model.values.columns import as_dates, as_instants, column_of

HOUR = 3600 * SECOND
# Days on which a clock changes: by an hour, by half of one, by a quarter for good, at midnight, by a whole
# day, and from the sun's time, which in Berlin was 53 min 28 s ahead.
CHANGES = {
    "Europe/Berlin": ["1893-04-01", "2021-03-28", "2021-10-31"],
    "America/New_York": ["1883-11-18", "2021-03-14", "2021-11-07"],
    "Australia/Lord_Howe": ["2021-04-04", "2021-10-03"],
    "Asia/Kathmandu": ["1986-01-01"],
    "America/Havana": ["2018-03-11", "2018-11-04"],
    "America/Sao_Paulo": ["2018-02-17", "2018-11-04"],
    "Pacific/Apia": ["2011-12-29", "2011-12-31"],
    "UTC": ["2021-03-28"],
}
ZONES = list(CHANGES)
zones = st.sampled_from(ZONES)
clocks = st.integers(parse_time("1880-01-01"), parse_time("2060-01-01")) | st.integers(
    FIRST_TIME + DAY, LAST_TIME - DAY
)


def near_changes(zone: str) -> st.SearchStrategy[int]:
    """What a clock may show on the days on which it changes, mostly on a quarter of an hour or beside one."""
    day = st.sampled_from(CHANGES[zone]).map(parse_time)
    quarter = st.integers(-8, 104).map(lambda n: n * 900 * SECOND)
    return st.builds(lambda *parts: sum(parts), day, quarter, st.sampled_from([0, -1, SECOND, 400 * SECOND]))


# a zone, and what its clock shows
shown_clocks = zones.flatmap(
    lambda zone: st.tuples(st.just(zone), st.lists(clocks | near_changes(zone), min_size=1, max_size=20))
)


def naive(clock: int) -> datetime:
    """What the clock shows, as a datetime without a zone."""
    return to_datetime(clock).replace(tzinfo=None)


def stdlib_instant(shown: datetime, zone: str) -> int:
    """The instant at which the zone's clock shows that, the first one if there are two."""
    return (shown.replace(tzinfo=ZoneInfo(zone)) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


@given(shown_clocks, st.booleans())
def test_a_column_of_times_is_read_as_the_standard_library_reads_each(
    zone_times: tuple[str, list[int]], with_missing: bool
) -> None:
    zone, listed = zone_times
    missing = [int(MISSING_TIME)] * with_missing
    got = localize(np.array([*missing, *listed], dtype=np.int64), zone)
    assert got.dtype == np.int64
    assert got.tolist() == [*missing, *(stdlib_instant(naive(c), zone) for c in listed)]


@given(shown_clocks)
def test_so_are_texts_and_datetimes(zone_times: tuple[str, list[int]]) -> None:
    zone, listed = zone_times
    wanted = localize(np.array(listed), zone).tolist()
    assert [to_instant(naive(c), zone) for c in listed] == wanted
    assert [parse_time(naive(c).isoformat(), zone=zone) for c in listed] == wanted
    column = column_of([naive(c).isoformat() for c in listed])
    assert as_instants(column, None, zone).tolist() == wanted
    assert as_dates(column, "%d.%m.%Y", zone).tolist() == wanted


def test_in_utc_nothing_is_done() -> None:
    times = np.array([0, MISSING_TIME])
    assert localize(times, "UTC") is times


@pytest.mark.parametrize(
    ("zone", "shown", "instant"),
    [
        ("Europe/Berlin", "2021-03-28T01:59:59.999999", "2021-03-28T01:59:59.999999+01:00"),
        ("Europe/Berlin", "2021-03-28T02:00", "2021-03-28T02:00+01:00"),  # does not exist
        ("Europe/Berlin", "2021-03-28T02:59:59", "2021-03-28T02:59:59+01:00"),  # does not exist
        ("Europe/Berlin", "2021-03-28T03:00", "2021-03-28T03:00+02:00"),
        ("Europe/Berlin", "2021-10-31T01:59:59", "2021-10-31T01:59:59+02:00"),
        ("Europe/Berlin", "2021-10-31T02:00", "2021-10-31T02:00+02:00"),  # comes twice
        ("Europe/Berlin", "2021-10-31T02:59:59.999999", "2021-10-31T02:59:59.999999+02:00"),  # comes twice
        ("Europe/Berlin", "2021-10-31T03:00", "2021-10-31T03:00+01:00"),
        ("America/New_York", "2021-03-14T02:30", "2021-03-14T02:30-05:00"),
        ("America/New_York", "2021-11-07T01:30", "2021-11-07T01:30-04:00"),
        ("Australia/Lord_Howe", "2021-10-03T02:15", "2021-10-03T02:15+10:30"),
        ("Australia/Lord_Howe", "2021-10-03T02:30", "2021-10-03T02:30+11:00"),
        ("Australia/Lord_Howe", "2021-04-04T01:45", "2021-04-04T01:45+11:00"),
        ("Australia/Lord_Howe", "2021-04-04T02:00", "2021-04-04T02:00+10:30"),
        ("Asia/Kathmandu", "2021-04-04", "2021-04-04T00:00+05:45"),
        ("Europe/Berlin", "1893-04-01T00:06:31", "1893-04-01T00:06:31+00:53:28"),
        ("Europe/Berlin", "1893-04-01T00:06:32", "1893-04-01T00:06:32+01:00"),
    ],
)
def test_both_sides_of_a_change(zone: str, shown: str, instant: str) -> None:
    assert parse_time(shown, zone=zone) == parse_time(instant)
    assert localize(np.array([parse_time(shown)]), zone).tolist() == [parse_time(instant)]


@pytest.mark.parametrize(
    ("text", "time_format"),
    [
        ("2021-06-01T10:00Z", None),
        ("2021-06-01T12:00+02:00", None),
        ("01.06.2021 05:00 -0500", "%d.%m.%Y %H:%M %z"),
        ("Tue Jun 01 10:00:00 UTC 2021", "%a %b %d %H:%M:%S %Z %Y"),
        ("1622541600", "unix"),
    ],
)
def test_a_time_that_says_its_offset_keeps_it(text: str, time_format: str | None) -> None:
    for zone in ZONES:
        assert parse_time(text, time_format, zone) == parse_time("2021-06-01T10:00Z")


def test_a_time_of_a_format_is_one_of_the_zone() -> None:
    assert parse_time("01.06.2021", "%d.%m.%Y", "Europe/Berlin") == parse_time("2021-05-31T22:00Z")


@pytest.mark.parametrize("zone", ZONES)
def test_what_an_offset_would_carry_out_of_the_calendar_stays_at_its_edge(zone: str) -> None:
    shown = np.array([FIRST_TIME, LAST_TIME])
    got = localize(shown, zone)
    assert got.tolist() == [parse_time(naive(c).isoformat(), zone=zone) for c in shown.tolist()]
    assert ((got >= FIRST_TIME) & (got <= LAST_TIME)).all()
    assert abs(got - shown).max() <= 14 * HOUR
    assert FIRST_TIME in got or LAST_TIME in got
    assert [parse_time(format_instant(t, zone), zone=zone) for t in got.tolist()] == got.tolist()


@given(shown_clocks)
def test_midnight_is_the_start_of_the_day_that_the_clock_shows(zone_times: tuple[str, list[int]]) -> None:
    zone, instant = zone_times[0], zone_times[1][0]
    day = to_datetime(instant).astimezone(ZoneInfo(zone)).date()
    found = midnight(instant, zone)
    assert found == stdlib_instant(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001
    assert instant - 25 * HOUR < found <= instant


@given(shown_clocks, st.lists(st.integers(-400, 400), max_size=5))
def test_days_are_counted_by_the_calendar(zone_times: tuple[str, list[int]], counts: list[int]) -> None:
    zone, instant = zone_times[0], zone_times[1][0]
    assume(FIRST_TIME + 401 * DAY < instant < LAST_TIME - 401 * DAY)
    shown = to_datetime(instant).astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    wanted = [stdlib_instant(shown + timedelta(days=n), zone) for n in counts]
    assert add_days(instant, np.array(counts, dtype=np.int64), zone).tolist() == wanted


@given(shown_clocks)
def test_a_written_instant_reads_back_as_itself_in_its_zone(zone_times: tuple[str, list[int]]) -> None:
    zone, instants = zone_times
    assert [parse_time(format_instant(t, zone), zone=zone) for t in instants] == instants


@pytest.mark.parametrize(
    ("text", "zone", "written"),
    [
        ("2021-06-01", "Europe/Berlin", "2021-06-01"),
        ("2021-06-01T00:00Z", "Europe/Berlin", "2021-06-01T02:00:00+02:00"),
        ("2021-06-01T00:00Z", "UTC", "2021-06-01"),
        ("2021-01-01T10:00", "Europe/London", "2021-01-01T10:00:00Z"),
        ("2018-11-04T00:00-04:00", "America/Havana", "2018-11-04"),
        ("2018-11-04T00:00-05:00", "America/Havana", "2018-11-04T00:00:00-05:00"),  # midnight again
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04"),  # begins at one o'clock
    ],
)
def test_an_instant_is_written_by_the_clock_of_its_zone(text: str, zone: str, written: str) -> None:
    assert format_instant(parse_time(text, zone=zone), zone) == written


def test_the_zones_are_those_of_places() -> None:
    assert {*ZONES, "US/Pacific", "Etc/GMT-2"} <= time_zones()
    assert not {"localtime", "Factory", "Berlin", ""} & time_zones()
