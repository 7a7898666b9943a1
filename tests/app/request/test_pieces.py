"""A large body is read in pieces as it is read whole, or not at all."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.request import pieces
from app.request.decoder import Decoder
from app.request.values import NotTaken
from model.values.rows import RequestRows
from tests.app.request.test_columns import TABLE_NAMES, columns
from tests.app.request.test_decoder import NOW, TABLE_ROWS, bodies, same
from tests.app.toys import TABLE_SCHEMA

MANY = 9
tricks = st.sampled_from(
    ['},{"', "},{}", "},{},{", "},{} ,{},{", "}, {", "]},{", '"},{"customer_id":"', "\\", '\\"},{', "}]},{"]
)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a customer or two."""
    monkeypatch.setattr("app.request.pieces._PIECE", 4)
    monkeypatch.setattr("app.request.decoder._SLICE", 2)


def whole(body: bytes, max_rows: int = MANY) -> RequestRows | None:
    try:
        return Decoder.build(TABLE_SCHEMA, max_rows=max_rows)([body], NOW)[0]
    except NotTaken:
        return None


def in_pieces(body: bytes, max_rows: int = MANY) -> list[RequestRows] | None:
    try:
        return list(Decoder.build(TABLE_SCHEMA, max_rows=max_rows).pieces(body, NOW))
    except NotTaken:
        return None


def tricky(rows: st.SearchStrategy[dict[str, Any]], name: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda row, text: {**row, name: text} if text else row, rows, st.none() | tricks)


@pytest.mark.parametrize(
    "asked",
    [bodies(tricky(TABLE_ROWS, "contract")), st.fixed_dictionaries({"columns": columns(TABLE_NAMES)})],
)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_pieces_are_taken_where_the_whole_is_and_are_the_same(
    asked: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    spaced = data.draw(st.booleans())
    body = json.dumps(data.draw(asked), separators=(", ", ": ") if spaced else (",", ":")).encode()
    told, wanted = in_pieces(body), whole(body)
    if told is not None:
        assert wanted is not None
        same(RequestRows.joined(told), wanted)


@pytest.mark.parametrize("n", [1, 2, 3, 9])
@pytest.mark.parametrize("form", ["customers", "columns"])
def test_a_good_body_is_taken_in_pieces(n: int, form: str) -> None:
    rows: list[dict[str, Any]] = [{"customer_id": f"c{number}", "bill_1": number} for number in range(n)]
    by_columns = {name: [row[name] for row in rows] for name in rows[0]}
    body = json.dumps({"as_of": "1997-12-31", form: rows if form == "customers" else by_columns}).encode()
    told, wanted = in_pieces(body), whole(body)
    assert wanted
    if n < 3 and form == "customers":
        assert told is None  # nothing is between the first and the last
        return
    assert told
    same(RequestRows.joined(told), wanted)
    assert len(told) == (n if form == "customers" else (n + 1) // 2)


def test_more_customers_than_may_be_are_seen_in_pieces_too() -> None:
    body = json.dumps({"customers": [{"contract": "a"}] * 5}).encode()
    assert in_pieces(body, 5)
    assert in_pieces(body, 4) is None


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize(
    "fault",
    [b'{"contract":"a","contract":"b"}', b'{"stranger":1}', b'{"bill_1":"x"}', b"7", b'{"contract":"a"'],
)
def test_a_fault_anywhere_is_not_taken(at: int, fault: bytes) -> None:
    customers = [b'{"contract":"a"}'] * 5
    assert in_pieces(b'{"customers":[%b]}' % b",".join(customers))
    customers[at] = fault
    assert in_pieces(b'{"customers":[%b]}' % b",".join(customers)) is None


def test_the_parts_make_the_body() -> None:
    parts = pieces.cut(b'{"customers": [{"a":1}, {"a":2} ,{"a":3}, {"a":4}]}')
    assert parts
    assert parts.start == b'{"customers": [{"a":1}]}'
    assert parts.outer == b'{"customers": [{"a":1}, {"a":4}]}'
    assert [json.loads(piece) for piece in parts.middle] == [[{"a": 2}], [{"a": 3}]]


@pytest.mark.parametrize(
    "body",
    [
        b'{"customers":[{"contract":"X},{}%b,{}%b,{Y"},{"contract":"z"}]}',
        b'{"customers":[{"contract":"X},{}%b,{}%b,{Y"}]}',
        b'{"customers":[{"contract":"X},{"contract":"b"%b},{Y"},%b{"contract":"z"}]}',
        b'{"customers":[{"contract":"X},{%b"},%b{"contract":"z"},{"contract":"X},{"}]}',
    ],
)
def test_a_text_that_looks_like_customers_is_none(body: bytes) -> None:
    body %= (b" " * 5, b" " * 5)
    told, wanted = in_pieces(body), whole(body)
    if told is not None:
        assert wanted is not None
        same(RequestRows.joined(told), wanted)
