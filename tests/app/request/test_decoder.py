"""The decoder and the slow reader agree on every body that the decoder takes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Problem
from app.request import explain
from app.request.decoder import Decoder, NotDecoded
from app.request.structs import RequestTypes
from model.schema import Schema
from model.times import parse_time
from model.values import iso_times
from model.values.rows import RequestRows
from tests.app.toys import LOG_SCHEMA, TABLE_SCHEMA

NOW = parse_time("1998-02-03T04:05:06.789Z")
MAX_ROWS = 5

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([10**15, -(10**15), 2**63, 10**40, 1e15, 3.4e38, 3.5e38, -1e39, 2.5, 0.0]),
    st.sampled_from(
        ["", "1", "a:b", "contract 3", "1997-03-01", "1997-03-01T10:00:00+02:00", "x" * 257, '"']
    ),
    st.text(max_size=3),
)
values = st.one_of(scalars, scalars, scalars, st.lists(scalars, max_size=1), st.just({}))


def records(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from([*names, names[0], "stranger"]), values, max_size=len(names))


TABLE_ROWS = records([c.name for c in TABLE_SCHEMA.columns] + ["customer_id"])
EVENTS = st.one_of(
    st.none(), st.lists(records(["date", "date", "amount", "kind", "shop"]), max_size=3), values
)
LOG_ROWS = st.builds(
    lambda row, events: {**row, "events": events}, records(["customer_id", "tenure"]), EVENTS
)


def bodies(rows: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"customers": st.lists(rows, max_size=MAX_ROWS + 1)},
        optional={"as_of": st.one_of(st.sampled_from(["1997-12-31", "1997-12-31T01:00:00Z"]), scalars)},
    )


def decoder_of(schema: Schema, max_rows: int = MAX_ROWS) -> Decoder:
    return Decoder.build(schema, RequestTypes.build(schema, max_rows=max_rows))


def decoded(body: bytes, schema: Schema) -> RequestRows | None:
    try:
        rows, (n_rows,) = decoder_of(schema)([body], NOW)
    except NotDecoded:
        return None
    assert len(rows) == n_rows
    return rows


def read(body: bytes, schema: Schema) -> RequestRows | None:
    try:
        return explain.read(body, RequestTypes.build(schema, max_rows=MAX_ROWS), schema, NOW)
    except Problem:
        return None


def same(one: RequestRows, other: RequestRows) -> None:
    assert list(one.ids) == list(other.ids)
    assert list(one.cutoffs) == list(other.cutoffs)
    assert list(one.cells) == list(other.cells)
    assert list(one.lengths) == list(other.lengths)
    assert list(one.times) == list(other.times)
    assert list(map(list, one.events)) == list(map(list, other.events))
    assert {name: list(times) for name, times in one.dates.items()} == {
        name: list(times) for name, times in other.dates.items()
    }


@given(bodies(TABLE_ROWS), st.booleans())
def test_what_the_decoder_takes_of_a_table_is_what_the_slow_reader_reads(body: Any, spaced: bool) -> None:
    text = json.dumps(body, separators=(", ", " : ") if spaced else None).encode()
    if (fast := decoded(text, TABLE_SCHEMA)) is not None:
        slow = read(text, TABLE_SCHEMA)
        assert slow is not None
        same(fast, slow)


@given(bodies(LOG_ROWS))
def test_what_the_decoder_takes_of_a_log_is_what_the_slow_reader_reads(body: Any) -> None:
    text = json.dumps(body).encode()
    if (fast := decoded(text, LOG_SCHEMA)) is not None:
        slow = read(text, LOG_SCHEMA)
        assert slow is not None
        same(fast, slow)


GOOD = {
    "table": (
        TABLE_SCHEMA,
        {"Total Charges": 3, "contract": "contract 1", "copy": True, "_senior": 1, "since": "1996-01-01"},
    ),
    "log": (
        LOG_SCHEMA,
        {
            "customer_id": "a:b",
            "tenure": 3.5,
            "events": [{"date": "1997-03-01T10:00:00Z", "amount": 12, "kind": "b:uy", "shop": None}],
        },
    ),
}


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("as_of", [{}, {"as_of": None}, {"as_of": "1997-12-31T10:00:00+02:00"}])
def test_good_bodies_are_taken(kind: str, as_of: dict[str, Any]) -> None:
    schema, row = GOOD[kind]
    text = json.dumps({**as_of, "customers": [row, {}, row]}).encode()
    fast, slow = decoded(text, schema), read(text, schema)
    assert fast is not None
    assert slow is not None
    same(fast, slow)
    assert fast.cutoffs[0] == (parse_time("1997-12-31T08:00:00Z") if as_of.get("as_of") else NOW)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"customers": [{"Total Charges": 1, "Total Charges": 2}]}', "row 1, Total Charges"),
        ('{"customers": [{}, {"bill_1": 1, "contract": "a:b", "bill_1": 1}]}', "row 2, bill_1"),
        ('{"customers": [{}], "customers": [{}]}', "customers"),
        ('{"as_of": "1997-12-31", "customers": [{}], "as_of": "1997-12-31"}', "as_of"),
    ],
)
def test_a_key_that_stands_twice_is_refused(body: str, field: str) -> None:
    text = body.encode()
    assert decoded(text, TABLE_SCHEMA) is None
    with pytest.raises(Problem) as told:
        explain.read(text, RequestTypes.build(TABLE_SCHEMA, max_rows=9), TABLE_SCHEMA, NOW)
    assert told.value.status == 422
    assert str(told.value) == f"{field} must be given once, got the field twice; leave one of the two out"


@pytest.mark.parametrize("n", [2, 60])
@pytest.mark.parametrize("lacks", [(), ("since",)])
def test_a_key_that_stands_twice_in_a_row_is_not_made_up_for_by_another(n: int, lacks: tuple[str]) -> None:
    decode = decoder_of(TABLE_SCHEMA, n)
    whole = {**dict.fromkeys(TABLE_SCHEMA.column_names), "_senior": 1}
    first = {name: value for name, value in whole.items() if name not in lacks}
    text = json.dumps({"customers": [first, *[whole] * (n - 1)]})
    assert decode([text.encode()], NOW)[1] == [n]
    start, _, end = text.rpartition('"_senior": 1')
    twice = f'{start}"_senior": 1, "_senior": 1{end}'
    with pytest.raises(NotDecoded):
        decode([twice.encode()], NOW)
    with pytest.raises(NotDecoded):
        decode([text.encode(), twice.encode()], NOW)


def test_a_key_of_an_event_that_stands_twice_is_refused() -> None:
    twice = b'{"date": "1997-01-01"}, {"date": "1997-01-01", "date": "1997-01-02"}'
    text = b'{"customers": [{}, {"events": [' + twice + b"]}]}"
    assert decoded(text, LOG_SCHEMA) is None
    with pytest.raises(Problem, match="row 2, event 2, date must be given once"):
        explain.read(text, RequestTypes.build(LOG_SCHEMA, max_rows=9), LOG_SCHEMA, NOW)


def test_names_with_a_colon_are_left_to_the_slow_reader() -> None:
    column = TABLE_SCHEMA.columns[0].model_copy(update={"name": "a:b"})
    schema = Schema(id=None, columns=(column,))
    text = b'{"customers": [{"a:b": 1.0}]}'
    assert decoded(text, schema) is None
    rows = read(text, schema)
    assert rows is not None
    assert list(rows.cells) == [1.0]


def test_an_escaped_colon_hides_no_key_of_another_request() -> None:
    escaped = rb'{"customers": [{"customer_id": "x\u003Ay"}]}'
    twice = b'{"customers": [{"contract": "a", "contract": "b"}]}'
    decode = decoder_of(TABLE_SCHEMA)
    for bodies in ([escaped], [escaped, twice], [twice, escaped]):
        with pytest.raises(NotDecoded):
            decode(bodies, NOW)
    assert decode([rb'{"customers": [{"customer_id": "x\u003by"}]}'], NOW)[1] == [1]


def test_a_time_of_any_length_is_read_and_only_short_ones_are_remembered() -> None:
    decode = decoder_of(TABLE_SCHEMA)
    for zeros in (1, 1000):
        text = "1997-03-01T00:00:00." + "0" * zeros
        before = iso_times._remembered.cache_info().currsize
        rows, _ = decode([json.dumps({"as_of": text, "customers": [{}]}).encode()], NOW)
        assert rows.cutoffs == [parse_time("1997-03-01")]
        assert iso_times._remembered.cache_info().currsize == before + (zeros == 1)
