"""A large body is read in pieces as it is read whole, or not at all."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.predict import pieces
from app.predict.decoder import Decoder
from app.predict.values import NotTaken
from model.rows import Rows
from model.schema import Schema
from tests.app.predict.test_columns import EVENT, LOG_NAMES, TABLE_NAMES, columns
from tests.app.predict.test_decoder import LOG_ROWS, NOW, TABLE_ROWS, bodies, same
from tests.app.toys import LOG_SCHEMA, TABLE_SCHEMA

MANY = 9
tricks = st.sampled_from(['},{"', "}, {", "]},{", '"},{"customer_id":"', "\\", '\\"},{', "}]},{"])


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a customer or two."""
    monkeypatch.setattr("app.predict.pieces._PIECE", 4)
    monkeypatch.setattr("app.predict.decoder._SLICE", 2)


def whole(body: bytes, schema: Schema, max_rows: int = MANY) -> Rows | None:
    try:
        return Decoder.build(schema, max_rows=max_rows)([body], NOW)[0]
    except NotTaken:
        return None


def in_pieces(body: bytes, schema: Schema, max_rows: int = MANY) -> list[Rows] | None:
    try:
        return list(Decoder.build(schema, max_rows=max_rows).pieces(body, NOW))
    except NotTaken:
        return None


def tricky(rows: st.SearchStrategy[dict[str, Any]], name: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda row, text: {**row, name: text} if text else row, rows, st.none() | tricks)


@pytest.mark.parametrize(
    ("schema", "asked"),
    [
        (TABLE_SCHEMA, bodies(tricky(TABLE_ROWS, "contract"))),
        (LOG_SCHEMA, bodies(tricky(LOG_ROWS, "customer_id"))),
        (TABLE_SCHEMA, st.fixed_dictionaries({"columns": columns(TABLE_NAMES)})),
        (LOG_SCHEMA, st.fixed_dictionaries({"columns": columns(LOG_NAMES)})),
    ],
)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_pieces_are_taken_where_the_whole_is_and_are_the_same(
    schema: Schema, asked: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    spaced = data.draw(st.booleans())
    body = json.dumps(data.draw(asked), separators=(", ", ": ") if spaced else (",", ":")).encode()
    wanted, told = whole(body, schema), in_pieces(body, schema)
    if told is not None:
        assert wanted is not None
        same(Rows.joined(told), wanted)


@pytest.mark.parametrize("schema", [TABLE_SCHEMA, LOG_SCHEMA])
@pytest.mark.parametrize("n", [1, 2, 3, 9])
@pytest.mark.parametrize("form", ["customers", "columns"])
def test_a_good_body_is_taken_in_pieces(schema: Schema, n: int, form: str) -> None:
    rows: list[dict[str, Any]] = [{"customer_id": f"c{number}"} for number in range(n)]
    if schema.events:
        rows = [{**row, "events": [EVENT, EVENT]} for row in rows]
    by_columns = {name: [row[name] for row in rows] for name in rows[0]}
    asked = {"as_of": "1997-12-31", form: rows if form == "customers" else by_columns}
    body = json.dumps(asked).encode()
    told, wanted = in_pieces(body, schema), whole(body, schema)
    assert told
    assert wanted
    same(Rows.joined(told), wanted)
    if n > 2 and not (form == "columns" and schema.events):
        assert len(told) > 1


def test_more_customers_than_may_be_are_seen_in_pieces_too() -> None:
    body = json.dumps({"customers": [{"contract": "a"}] * 5}).encode()
    assert in_pieces(body, TABLE_SCHEMA, 5)
    assert in_pieces(body, TABLE_SCHEMA, 4) is None


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize(
    "fault",
    [b'{"contract":"a","contract":"b"}', b'{"stranger":1}', b'{"bill_1":"x"}', b"7", b'{"contract":"a"'],
)
def test_a_fault_anywhere_is_not_taken(at: int, fault: bytes) -> None:
    customers = [b'{"contract":"a"}'] * 5
    assert in_pieces(b'{"customers":[%b]}' % b",".join(customers), TABLE_SCHEMA)
    customers[at] = fault
    assert in_pieces(b'{"customers":[%b]}' % b",".join(customers), TABLE_SCHEMA) is None


def test_what_is_cut_out_and_what_is_left_make_the_body() -> None:
    outer, middle = pieces.cut(b'{"customers": [{"a":1}, {"a":2} ,{"a":3}, {"a":4}]}', nested=False)
    assert outer == b'{"customers": [{"a":1}, {"a":4}]}'
    assert [json.loads(piece) for piece in middle] == [[{"a": 2}], [{"a": 3}]]
    assert pieces.cut(b'{"customers": [{"a":1}, {"a":2}]}', nested=False)[1] == []
