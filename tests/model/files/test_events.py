"""Event logs on disk -> arrays; times above all."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import parquet as pq

from model.errors import DataError
from model.files.cells import instants_from
from model.files.dates import FORMATS
from model.files.events import EventColumns, RawEvents, read_events
from model.times import MISSING_TIME, parse_time
from model.values.columns import as_codes, column_of, is_missing
from tests.model.files.written import listed, write

MARCH_1 = parse_time("1997-03-01")


def read(folder: Path, content: str, **options: Any) -> RawEvents:
    return read_events(
        write(folder, content, "e.csv"), **_arguments(**{"id": "id", "time": "time", **options})
    )


def _arguments(time_zone: str = "UTC", **named: Any) -> dict[str, Any]:
    return {"columns": EventColumns(**named), "time_zone": time_zone}


def refusal(folder: Path, content: str, **options: Any) -> str:
    with pytest.raises(DataError) as error:
        read(folder, content, **options)
    return str(error.value)


def test_every_field_of_an_event(tmp_path: Path) -> None:
    content = (
        "ignored,amount,time,kind,id,shop,n\n"
        "x,1.5,1997-03-01,buy,007,9.0,1\n"
        "x,,1997-03-01T10:00:00+02:00,,7,,many\n"
        "x,inf,1997-03-02 00:00:00.25,view,007,3,3\n"
    )
    events = read(tmp_path, content, type="kind", values=["amount", "n"], attributes=["shop", "kind"])
    assert len(events) == 3
    assert listed(events.ids) == ["007", "7", "007"]
    assert events.times.tolist() == [
        MARCH_1,
        parse_time("1997-03-01T08:00:00"),
        parse_time("1997-03-02T00:00:00.25"),
    ]
    assert events.times.dtype == np.int64
    assert events.type is not None
    assert listed(events.type) == ["buy", None, "view"]
    np.testing.assert_array_equal(events.values["amount"], [1.5, np.nan, np.nan])
    np.testing.assert_array_equal(events.values["n"], [1, np.nan, 3])
    assert listed(events.attributes["shop"]) == ["9", None, "3"]
    assert listed(events.attributes["kind"]) == ["buy", None, "view"]
    assert events.notes == (
        "'amount': read 1 cell without a finite number, such as 'inf', as missing.",
        "'n': read 1 cell without a finite number, such as 'many', as missing.",
    )


def test_long_codes_keep_their_digits(tmp_path: Path) -> None:
    codes = ["9007199254740993", "9007199254740992", "12345678901234567890", "12345678901234567891"]
    content = "id,time,kind,shop\n" + "".join(f"a,1997-03-01,{code},{code}\n" for code in codes)
    events = read(tmp_path, content, type="kind", attributes=["shop"])
    assert events.type is not None
    assert listed(events.type) == listed(events.attributes["shop"]) == codes


@pytest.mark.parametrize("beside", ["", "a,1997-03-01,word\n"])
def test_one_category_for_all_spellings_of_a_whole_number(tmp_path: Path, beside: str) -> None:
    content = "id,time,shop\n" + "".join(f"a,1997-03-01,{cell}\n" for cell in ("3", "3.0", "3e0", "2.50"))
    shops = read(tmp_path, content + beside, attributes=["shop"]).attributes["shop"]
    assert listed(shops)[:4] == ["3", "3", "3", "2.50"]  # a code such as a version keeps its zeros


@pytest.mark.parametrize("kind", [pa.int64(), pa.string()])
def test_long_codes_mean_the_same_in_a_file_and_in_a_request(tmp_path: Path, kind: Any) -> None:
    codes = [2**53 + 1, 2**53, 3]
    table = pa.table({"id": ["a"] * 3, "time": ["1997-03-01"] * 3, "shop": pa.array(codes).cast(kind)})
    pq.write_table(table, tmp_path / "e.parquet")
    events = read_events(tmp_path / "e.parquet", EventColumns("id", "time", attributes=["shop"]))
    known = (str(2**53), str(2**53 + 1), "3")
    assert as_codes(events.attributes["shop"], known).tolist() == [3, 2, 4]
    for sent in (codes, [str(code) for code in codes]):
        assert as_codes(column_of(sent), known).tolist() == [3, 2, 4]


def test_what_is_not_named_is_not_there(tmp_path: Path) -> None:
    events = read(tmp_path, "id,time\na,1997-03-01\n")
    assert events.type is None
    assert (events.values, events.attributes, events.notes) == ({}, {}, ())


def test_a_blank_separated_log_with_a_time_format(tmp_path: Path) -> None:
    path = write(tmp_path, " customer_id  date number_of_cds  dollar_value\n 00001 19970101  1   11.77\n")
    for time_format in ["%Y%m%d", None]:
        events = read_events(path, EventColumns("customer_id", "date", time_format, values=["dollar_value"]))
        assert listed(events.ids) == ["00001"]
        assert events.times.tolist() == [parse_time("1997-01-01")]
        assert events.values["dollar_value"].tolist() == [11.77]


def test_unix_seconds(tmp_path: Path) -> None:
    events = read(tmp_path, "id,time\na,857174400\nb,857174400.5\n", time_format="unix")
    assert events.times.tolist() == [MARCH_1, MARCH_1 + 500_000]


@pytest.mark.parametrize(
    "times",
    [
        pa.array([date(1997, 3, 1)] * 2),
        pa.array([datetime(1997, 3, 1)] * 2, pa.timestamp("ns")),  # noqa: DTZ001 - naive is UTC
        pa.array([datetime(1997, 3, 1, tzinfo=UTC)] * 2, pa.timestamp("ms", "Asia/Tokyo")),
        pa.array(["1997-03-01", "1997-03-01T00:00Z"]),
        pa.array([19970301, 19970301]),
    ],
)
def test_parquet_times(tmp_path: Path, times: Any) -> None:
    pq.write_table(pa.table({"id": [2**53 + 1, 7], "time": times}), tmp_path / "e.parquet")
    events = read_events(tmp_path / "e.parquet", EventColumns("id", "time"))
    assert events.times.tolist() == [MARCH_1, MARCH_1]
    assert listed(events.ids) == ["9007199254740993", "7"]


def test_several_files_are_one_log(tmp_path: Path) -> None:
    one, two = tmp_path / "1.parquet", tmp_path / "2.parquet"
    pq.write_table(pa.table({"id": ["7", "x"], "time": [date(1997, 3, 1)] * 2, "n": [1, 2]}), one)
    pq.write_table(pa.table({"n": ["3", "4"], "time": ["1997-03-01", "?"], "id": [7, 8]}), two)
    write(tmp_path, "id,time,n\n,1997-03-01,5\n7,1997-03-01,6\n7,1997-03-01,6\n", "e.csv")
    events = read_events(tmp_path / "*", EventColumns("id", "time", values=["n"]))
    assert listed(events.ids) == ["7", "x", "7", "7", "7"]
    assert events.values["n"].tolist() == [1, 2, 3, 6, 6]
    assert events.times.tolist() == [MARCH_1] * 5
    assert events.notes == (
        "left out 1 of 7 events without 'id' (e.csv row 2).",
        "left out 1 of 7 events whose 'time' is not in ISO 8601 such as 1997-03-01 (2.parquet row 2: '?').",
    )


def test_events_that_cannot_be_placed_are_counted(tmp_path: Path) -> None:
    lines = [f"{n},1997-03-01" for n in range(60)]
    lines[1], lines[2], lines[3], lines[4] = ",1997-03-01", "a,1997-02-30", "b,", "c"
    lines[10:15] = ["NA,1997-03-01"] * 5
    events = read(tmp_path, "id,time\n" + "\n".join(lines))
    assert len(events) == 51
    assert events.notes == (
        "e.csv: left out 1 row of 60: row 6 must have the header's 2 fields, got 1.",
        "left out 6 of 59 events without 'id' (row 3, row 12, row 13, ...).",
        "left out 1 of 59 events without 'time' (row 5).",
        "left out 1 of 59 events whose 'time' is not in ISO 8601 such as 1997-03-01 (row 4: '1997-02-30').",
    )


@pytest.mark.parametrize(
    ("times", "time_format", "rule", "step"),
    [
        ("12/1/2010 8:26", None, "ISO 8601 such as 1997-03-01", 'set time_format: "%m/%d/%Y"'),
        ("31/1/2010", None, "ISO 8601 such as 1997-03-01", 'set time_format: "%d/%m/%Y"'),
        ("1.12.2010 08:26:11", None, "ISO 8601 such as 1997-03-01", 'set time_format: "%d.%m.%Y"'),
        ("1234567890123", None, "ISO 8601 such as 1997-03-01", 'set time_format: "unix_ms"'),
        ("1234567890", None, "ISO 8601 such as 1997-03-01", 'set time_format: "unix"'),
        ("1.12.2010", "%Y/%m/%d", "the format '%Y/%m/%d'", 'set time_format: "%d.%m.%Y"'),
        (
            "45012.25",
            None,
            "ISO 8601 such as 1997-03-01",
            "they may be days since 1899-12-30, as spreadsheets count: write them as dates",
        ),
        ("soon", None, "ISO 8601 such as 1997-03-01", "set time_format to the strptime format of the times"),
    ],
)
def test_unreadable_times_are_refused_with_the_next_step(
    tmp_path: Path, times: str, time_format: str | None, rule: str, step: str
) -> None:
    content = "id,time\n" + f"a,{times}\n" * 4
    assert refusal(tmp_path, content, time_format=time_format) == (
        f"'time' must hold times in {rule}, got 4 of 4 that cannot "
        f"be read (row 2: {times!r}, row 3: {times!r}, row 4: {times!r}); {step}"
    )


def test_a_fifth_of_unreadable_times_is_borne(tmp_path: Path) -> None:
    good = "a,1997-03-01\n" * 8
    assert len(read(tmp_path, "id,time\n" + good + "a,?\n" * 2 + "a,\n" * 30)) == 8
    one_more = "id,time\n" + good + "a,?\n" * 3 + "a,\n" * 30
    assert "got 3 of 41 that cannot be read" in refusal(tmp_path, one_more)


def test_a_log_without_a_usable_event(tmp_path: Path) -> None:
    content = "id,time\n,1997-03-01\na,\n"
    assert refusal(tmp_path, content) == "an event must have 'id' and 'time', got none that has both"


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    content = "Id,date\na,1997-03-01\n"
    listing = "its columns are 'Id', 'date'"
    both = f"e.csv has no column 'id' (and lacks 'time' too); did you mean 'Id'? {listing}"
    assert refusal(tmp_path, content) == both
    assert (
        refusal(tmp_path, content, time="date") == f"e.csv has no column 'id'; did you mean 'Id'? {listing}"
    )
    assert refusal(tmp_path, content, id="Id") == f"e.csv has no column 'time'; {listing}"
    assert "no column 'dat'; did you mean 'date'?" in refusal(
        tmp_path, content, id="Id", time="date", values=["dat"]
    )


@pytest.mark.parametrize("moment", ["2021-03-28T02:30:00", "2021-10-31T02:30:00", "2021-07-01"])
def test_parquet_times_without_a_zone_are_those_of_the_study(tmp_path: Path, moment: str) -> None:
    naive = datetime.fromisoformat(moment)
    aware = naive.replace(tzinfo=ZoneInfo("Europe/Berlin"))
    columns = {
        "naive": pa.array([naive], pa.timestamp("ms")),
        "text": [moment],
        "aware": pa.array([aware], pa.timestamp("ns", "Asia/Tokyo")),
        "offset": [aware.isoformat()],
    }
    for name, times in columns.items():
        pq.write_table(pa.table({"id": ["a"], "time": times}), tmp_path / f"{name}.parquet")
        options = _arguments("Europe/Berlin", id="id", time="time")
        events = read_events(tmp_path / f"{name}.parquet", **options)
        assert events.times.tolist() == [parse_time(aware.isoformat())]
    pq.write_table(pa.table({"id": ["a"], "time": [date(2021, 7, 1)]}), tmp_path / "date.parquet")
    events = read_events(tmp_path / "date.parquet", **options)
    assert events.times.tolist() == [parse_time("2021-06-30T22:00Z")]


def test_an_offset_wins_over_the_zone_cell_by_cell(tmp_path: Path) -> None:
    times = ["2021-07-01 10:00", "2021-07-01T10:00Z", "2021-07-01T10:00:00-04:00"]
    content = "id,time\n" + "".join(f"a,{time}\n" for time in times)
    events = read(tmp_path, content, time_zone="Europe/Berlin")
    assert events.times.tolist() == [parse_time(f"2021-07-01T{hour}:00Z") for hour in ("08", "10", "14")]


def test_unix_seconds_have_no_zone(tmp_path: Path) -> None:
    events = read(tmp_path, "id,time\na,857174400\n", time_format="unix", time_zone="Asia/Kathmandu")
    assert events.times.tolist() == [MARCH_1]


def naive_instant(text: str, time_format: str | None, zone: str) -> int:
    """What `parse_time` says of a cell, in the format or in ISO 8601, and MISSING_TIME where it refuses."""
    if is_missing(text.strip()):
        return int(MISSING_TIME)
    for form in dict.fromkeys((time_format, None)):
        with suppress(DataError):
            return parse_time(text.strip(), form, zone)
    return int(MISSING_TIME)


def check(texts: list[str], time_format: str | None, zone: str) -> None:
    got = instants_from(pa.chunked_array([texts], type=pa.string()), time_format, zone)
    assert got.tolist() == [naive_instant(text, time_format, zone) for text in texts]


PLACES = st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/New_York"])
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(
    datetime(2, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    datetime(9998, 1, 1),  # noqa: DTZ001
    timezones=st.one_of(st.none(), OFFSETS),
)
SPELT = st.builds(
    lambda moment, unit, gap: moment.isoformat(gap, unit),
    MOMENTS,
    st.sampled_from(["auto", "hours", "minutes", "seconds", "milliseconds"]),
    st.sampled_from("T x"),
)
NEARLY = st.text("0123456789-:T.+Z W/,", max_size=26)
ODD = st.sampled_from(
    ["now", "today", "NaT", "", "0000-01-01", "2020-W01-1", "2020-1-1", "2020-01", "20200101"]
)


@given(st.lists(SPELT, max_size=5), PLACES)
def test_iso_times_are_read_as_one_by_one(texts: list[str], zone: str) -> None:
    check(texts, None, zone)


@example(["0000-01-01"], "UTC")
@example(["0001-01-01", "9999-12-31"], "Europe/Berlin")
@given(st.lists(SPELT | NEARLY | ODD | MOMENTS.map(str) | st.dates().map(str), max_size=5), PLACES)
def test_so_are_texts_that_are_nearly_times(texts: list[str], zone: str) -> None:
    check(texts, None, zone)


@given(st.data(), st.sampled_from([form for form in FORMATS if form]), PLACES)
def test_so_are_times_of_a_format(data: st.DataObject, time_format: str, zone: str) -> None:
    spelt = st.datetimes(datetime(1000, 1, 1)).map(lambda moment: moment.strftime(time_format))  # noqa: DTZ001
    check(data.draw(st.lists(spelt | NEARLY | ODD, max_size=5)), time_format, zone)


@given(st.lists(st.floats() | st.floats(-6e10, 2e11) | st.integers(), max_size=5), st.booleans(), PLACES)
def test_so_are_unix_seconds(seconds: list[float], with_word: bool, zone: str) -> None:
    check([*map(repr, seconds), *(["?"] if with_word else [])], "unix", zone)


@pytest.mark.parametrize(
    ("times", "time_format"),
    [
        (["1672649503000", "1673245193000"], "unix_ms"),
        (["1672649503000000", "1673245193000000"], "unix_us"),
        (["1672649503000000000", "1673245193000000000"], "unix_ns"),
        (["1672649503", "1673245193"], "unix"),
        (["02/01/2023 08:51:43 AM", "01/09/2023 6:19:53", "13/01/2023"], "%d/%m/%Y"),
        (["2023-01-02 08:51:43 UTC", "2023-01-09T06:19:53.5Z"], None),
    ],
)
def test_the_format_of_times_is_found(tmp_path: Path, times: list[str], time_format: str | None) -> None:
    events = read(tmp_path, "id,time\n" + "".join(f"a,{time}\n" for time in times), any_format=True)
    assert events.time_format == time_format
    assert events.times[0] == parse_time("2023-01-02T08:51:43")


def test_an_order_of_day_and_month_that_is_guessed_is_noted(tmp_path: Path) -> None:
    [note] = read(tmp_path, "id,time\na,02/01/2023\nb,03/04/2023\n", any_format=True).notes
    assert note == (
        "'time': dates that fit both %m/%d/%Y and %d/%m/%Y were read as %m/%d/%Y. If that is wrong, set "
        'data.events.time_format: "%d/%m/%Y".'
    )


def test_values_in_a_spelling_are_read_as_those_of_customers(tmp_path: Path) -> None:
    head, time = "id;time;amount;rate\n", "a;1997-03-01;"
    log = read(
        tmp_path, f"{head}{time}1.234,50 EUR;7\n{time}-3,5 EUR;8\n{time}?;x\n", values=["amount", "rate"]
    )
    assert (listed(log.values["amount"]), listed(log.values["rate"])) == (
        [1234.5, -3.5, None],
        [7.0, 8.0, None],
    )
    assert log.spellings == {"amount": ",EUR"}
    again = read(tmp_path, f"{head}{time}1.234 EUR;7\n", values=["amount", "rate"], spellings=log.spellings)
    assert listed(again.values["amount"]) == [1234.0]


def test_values_that_are_mostly_no_numbers_are_refused_and_blank_ones_told(tmp_path: Path) -> None:
    head = "id,time,n\na,1997-03-01,"
    message = refusal(tmp_path, head + "yes\nb,1997-03-01,no\nb,1997-03-01,\n", values=["n"])
    assert message.startswith(
        "'n' must hold numbers in the events, got 2 of 2 values that are none, such as 'yes'"
    )
    assert read(tmp_path, head + "\nb,1997-03-01,\n", values=["n"]).notes == (
        "'n' is blank in all 2 events.",
    )
