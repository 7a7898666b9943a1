"""Customers by columns: the same as by rows, and told as well where something is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Problem
from app.request import explain
from app.request.structs import RequestTypes
from model.schema import Schema
from tests.app.client import Client
from tests.app.request.test_decoder import MAX_ROWS, NOW, decoded, read, same, values
from tests.app.toys import AS_OF, LOG_SCHEMA, TABLE_SCHEMA

EVENT = {"date": "1997-03-01", "amount": 12.5, "kind": "buy", "shop": None}
TABLE_NAMES = [*TABLE_SCHEMA.column_names, "customer_id", "stranger"]
LOG_NAMES = ["customer_id", "tenure", "events"]
events = st.one_of(
    st.none(),
    st.lists(st.one_of(st.just(EVENT), st.just({"date": "1997-01-01T10:00:00Z"}), values), max_size=2),
)


def columns(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    def of(n_rows: int) -> st.SearchStrategy[dict[str, Any]]:
        cells = st.one_of(values, values, events)
        lists = st.one_of(st.lists(cells, min_size=n_rows, max_size=n_rows), st.none(), values)
        return st.dictionaries(st.sampled_from(names), lists, min_size=1, max_size=3)

    return st.integers(1, MAX_ROWS + 1).flatmap(of)


def told(body: Any, schema: Schema) -> Problem:
    with pytest.raises(Problem) as raised:
        explain.read(json.dumps(body).encode(), RequestTypes.build(schema, max_rows=MAX_ROWS), schema, NOW)
    return raised.value


@pytest.mark.parametrize(("schema", "names"), [(TABLE_SCHEMA, TABLE_NAMES), (LOG_SCHEMA, LOG_NAMES)])
@given(data=st.data())
def test_what_the_decoder_takes_is_what_the_slow_reader_reads(
    schema: Schema, names: list[str], data: st.DataObject
) -> None:
    text = json.dumps({"columns": data.draw(columns(names))}).encode()
    if (fast := decoded(text, schema)) is not None:
        slow = read(text, schema)
        assert slow is not None
        same(fast, slow)


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        (TABLE_SCHEMA, {"Total Charges": [1, None, 2.5], "contract": ["a:b", True, 3], "since": None}),
        (TABLE_SCHEMA, {"customer_id": ["a", 7]}),
        (LOG_SCHEMA, {"tenure": [1.0, 2.0], "events": [[EVENT, EVENT], None]}),
        (LOG_SCHEMA, {"events": [[EVENT]], "tenure": None}),
    ],
)
def test_good_columns_are_taken_and_are_the_rows(schema: Schema, given: dict[str, Any]) -> None:
    lists = {name: cells for name, cells in given.items() if cells is not None}
    rows = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    for as_of in ({}, {"as_of": "1997-12-31T10:00:00Z"}):
        by_columns = decoded(json.dumps({**as_of, "columns": given}).encode(), schema)
        by_rows = decoded(json.dumps({**as_of, "customers": rows}).encode(), schema)
        assert by_columns is not None
        assert by_rows is not None
        same(by_columns, by_rows)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "customers must be a list of 1 to 5 customers, or columns, got nothing"),
        (
            {"customers": [{}], "columns": {"tenure": [1]}},
            "columns must be given in place of customers, got both; leave one of the two out",
        ),
        (
            {"columns": []},
            "columns must be an object with a list of values for each field, got a list",
        ),
        (
            {"columns": {"tenure": None}},
            "columns must be an object with a list for one field at least of customer_id, tenure, events, "
            "got an object without a list",
        ),
        ({"columns": {"tenure": 3}}, "tenure must be a list of 1 to 5 values, or null, got a number"),
        ({"columns": {"tenure": []}}, "tenure must be a list of 1 to 5 values, or null, got an empty list"),
        (
            {"columns": {"tenure": [1, 2, 3], "customer_id": ["a", "b"]}},
            "customer_id must be a list of 3 values, as others are, got one of 2",
        ),
        (
            {"columns": {"tenur": [1]}},
            "tenur must be one of customer_id, tenure, events, got an unknown field; did you mean tenure?",
        ),
        ({"columns": {"tenure": [1, "x"]}}, "row 2, tenure must be a finite number, or null, got a text"),
        ({"columns": {"events": [None, 3]}}, "row 2, events must be a list of events or null, got a number"),
        (
            {"columns": {"events": [None, [EVENT, {**EVENT, "amount": "x"}]]}},
            "row 2, event 2, amount must be a finite number, or null, got a text",
        ),
        (
            {"columns": {"tenure": [1] * 6}},
            "customers must be a list of 1 to 5 customers; send several requests",
        ),
    ],
)
def test_what_is_wrong_is_said(body: Any, detail: str) -> None:
    assert str(told(body, LOG_SCHEMA)) == detail
    assert decoded(json.dumps(body).encode(), LOG_SCHEMA) is None


def test_a_fault_of_every_column_is_told() -> None:
    problem = told({"columns": {"bill_1": [1, "x"], "contract": [{}, 1], "copy": [1, 1]}}, TABLE_SCHEMA)
    assert [(fault.row, fault.field) for fault in problem.errors] == [(1, "contract"), (2, "bill_1")]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"columns": {"tenure": [1], "tenure": [2]}}', "tenure"),
        ('{"columns": {"tenure": [1]}, "columns": {"tenure": [1]}}', "columns"),
        (
            '{"columns": {"events": [null, [{"date": "1997-01-01", "date": "1997-01-02"}]]}}',
            "row 2, event 1, date",
        ),
    ],
)
def test_a_key_that_stands_twice_is_refused(text: str, place: str) -> None:
    assert decoded(text.encode(), LOG_SCHEMA) is None
    with pytest.raises(Problem, match=f"^{place} must be given once"):
        explain.read(text.encode(), RequestTypes.build(LOG_SCHEMA, max_rows=MAX_ROWS), LOG_SCHEMA, NOW)


def test_the_service_answers_columns_like_rows(client: Client) -> None:
    rows = [{"customer_id": str(n), "tenure": n / 7, "events": [EVENT] * (n % 3)} for n in range(30)]
    lists = {name: [row[name] for row in rows] for name in rows[0]}
    by_rows = client.predict("purchase", {"as_of": AS_OF, "customers": rows})
    by_columns = client.predict("purchase", {"as_of": AS_OF, "columns": lists})
    assert by_columns.status_code == 200
    assert by_columns.json() == by_rows.json()
