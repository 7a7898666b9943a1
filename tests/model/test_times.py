"""Times become instants of UTC, or are refused."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import DataError
from model.times import (
    DAY,
    FIRST_TIME,
    LAST_TIME,
    days,
    describe_format,
    format_instant,
    parse_time,
    to_datetime,
    to_instant,
)

HOUR = DAY // 24
SECOND = 1_000_000


def test_an_instant_is_microseconds_since_1970() -> None:
    assert parse_time("1970-01-01") == 0
    assert parse_time("1970-01-02") == DAY
    assert parse_time("1969-12-31T23:59:59.999999") == -1
    assert parse_time("1970-01-01T00:00:00.000007") == 7
    assert parse_time("2000-03-01") - parse_time("2000-02-28") == 2 * DAY


@pytest.mark.parametrize(
    "text",
    [
        "1997-03-01T08:00:00",
        "1997-03-01 08:00:00",
        "1997-03-01T08:00",
        "1997-03-01T08:00:00Z",
        "1997-03-01T10:00:00+02:00",
        "1997-03-01T02:30:00-05:30",
        "1997-02-28T20:00:00-12:00",
    ],
)
def test_an_offset_becomes_utc_and_none_is_utc(text: str) -> None:
    assert parse_time(text) == parse_time("1997-03-01") + 8 * HOUR


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_the_clock_of_the_machine_does_not_matter(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert parse_time("1997-03-01T08:00:00") == 857_203_200 * SECOND
        assert parse_time("01.03.1997 08:00", "%d.%m.%Y %H:%M") == 857_203_200 * SECOND
        assert parse_time("857203200", "unix") == 857_203_200 * SECOND
        assert format_instant(857_203_200 * SECOND) == "1997-03-01T08:00:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_times_of_a_clock_change_differ_in_their_offsets() -> None:
    """Berlin, 2021: 02:00 to 03:00 does not exist on 28 March and comes twice on 31 October."""
    before, after = parse_time("2021-03-28T01:59:59+01:00"), parse_time("2021-03-28T03:00:00+02:00")
    assert after - before == SECOND
    first, second = parse_time("2021-10-31T02:30:00+02:00"), parse_time("2021-10-31T02:30:00+01:00")
    assert second - first == HOUR


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)),  # noqa: DTZ001 - naive is what is tested
    st.integers(-14 * 60, 14 * 60),
)
def test_the_offset_moves_the_clock_and_not_the_instant(naive: datetime, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    assert to_instant(naive) == to_instant(naive.replace(tzinfo=UTC))
    assert to_instant(naive.replace(tzinfo=UTC).astimezone(zone)) == to_instant(naive)
    assert parse_time(naive.replace(tzinfo=zone).isoformat()) == to_instant(naive) - minutes * 60 * SECOND


@pytest.mark.parametrize(
    ("text", "time_format", "wanted"),
    [
        ("19970301", "%Y%m%d", "1997-03-01"),
        ("01.03.1997", "%d.%m.%Y", "1997-03-01"),
        ("03/01/97 08:30", "%m/%d/%y %H:%M", "1997-03-01T08:30"),
        ("1997-03-01 10:00 +0200", "%Y-%m-%d %H:%M %z", "1997-03-01T08:00"),
        ("0", "unix", "1970-01-01"),
        ("-86400", "unix", "1969-12-31"),
        ("857174400.5", "unix", "1997-03-01T00:00:00.500000"),
        ("857174400.000001", "unix", "1997-03-01T00:00:00.000001"),
        ("8.571744e8", "unix", "1997-03-01"),
    ],
)
def test_times_in_other_formats(text: str, time_format: str, wanted: str) -> None:
    assert parse_time(text, time_format) == parse_time(wanted)


@pytest.mark.parametrize("text", ["", "soon", "01.03.1997", "1997-02-29", "1997-13-01", "1997-03-01T25:00"])
def test_what_is_not_iso_8601_is_refused(text: str) -> None:
    with pytest.raises(DataError) as error:
        parse_time(text)
    assert str(error.value) == f"a time must have ISO 8601 such as 1997-03-01, got {text!r}"


@pytest.mark.parametrize(
    ("text", "time_format"),
    [
        ("1997-03-01", "%d.%m.%Y"),
        ("31.02.1997", "%d.%m.%Y"),
        ("01.03.1997 25:00", "%d.%m.%Y"),
        ("1997-03-01", "unix"),
        ("nan", "unix"),
        ("inf", "unix"),
    ],
)
def test_what_has_not_the_format_is_refused(text: str, time_format: str) -> None:
    with pytest.raises(DataError) as error:
        parse_time(text, time_format)
    assert str(error.value) == f"a time must have {describe_format(time_format)}, got {text!r}"


def test_how_a_format_is_described() -> None:
    assert describe_format(None) == "ISO 8601 such as 1997-03-01"
    assert describe_format("%d.%m.%Y") == "the format '%d.%m.%Y'"
    assert describe_format("unix") == "the format 'unix' (seconds since 1970)"


def test_the_first_and_the_last_instant_are_those_of_a_datetime() -> None:
    assert to_datetime(FIRST_TIME) == datetime(1, 1, 1, tzinfo=UTC)
    assert to_datetime(LAST_TIME) == datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1997-03-01", "1997-03-01"),
        ("1969-12-31", "1969-12-31"),
        ("1997-03-01T10:00:00+02:00", "1997-03-01T08:00:00Z"),
        ("1997-03-01T00:00:00.000007", "1997-03-01T00:00:00.000007Z"),
    ],
)
def test_instants_are_written_as_iso_8601(text: str, written: str) -> None:
    assert format_instant(parse_time(text)) == written


@given(st.integers(parse_time("0001-01-01"), parse_time("9999-12-31T23:59:59.999999")))
def test_a_written_instant_reads_back_as_itself(instant: int) -> None:
    assert parse_time(format_instant(instant)) == instant


def test_days_are_whole_microseconds() -> None:
    assert days(1) == DAY
    assert days(0.5) == DAY // 2
    assert days(1 / 3) == round(DAY / 3)
    assert isinstance(days(1.5), int)
