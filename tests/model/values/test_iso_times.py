"""One ISO 8601 time, and many at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import DataError
from model.times import parse_time
from model.values.iso_times import parse_iso_time, parse_iso_times

near = st.sampled_from(
    ["1997-03-01", "2000-02-29", "0001-01-01", "9999-12-31", "2024-03-31", "1900-02-29", "0000-01-01"]
)
clocks = st.sampled_from(
    ["T00:00:00", "T02:30:00", "T23:59:59", "T24:00:00", "T12:60:00", "T23:59:60", " 02:30:00", "t02:30:00"]
)
letters = st.text("0123456789-T:Z+\x00 ", min_size=10, max_size=20)


@given(
    st.one_of(
        st.lists(near),
        st.lists(st.builds(lambda date, clock: date + clock, near, clocks)),
        st.lists(st.builds(lambda date, clock: f"{date}{clock}Z", near, clocks)),
        st.lists(st.datetimes().map(lambda when: when.isoformat(timespec="seconds"))),
        st.lists(st.dates().map(str)),
        st.lists(st.one_of(st.none(), near, letters), max_size=3),
    ),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Pacific/Apia"]),
)
def test_many_plain_times_are_read_as_one_is(texts: list[str | None], zone: str) -> None:
    many = parse_iso_times(texts, zone)
    if many is not None:
        assert many.tolist() == [parse_time(text or "", zone=zone) for text in texts]


@pytest.mark.parametrize("form", ["1997-03-01", "1997-03-01T10:00:00", "1997-03-01T10:00:00Z"])
def test_these_are_plain_times(form: str) -> None:
    many = parse_iso_times([form] * 3, "Europe/Berlin")
    assert many is not None
    assert many.tolist() == [parse_time(form, zone="Europe/Berlin")] * 3


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_outside_of_what_can_be_written_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="a time must lie in the years 1 to 9999 of UTC, got"):
        parse_iso_time(text)
