"""The first field too many of a large body, found without holding the others."""

import json

import pytest

from app.errors import Problem
from app.request.structs import RequestTypes
from app.request.unknown import UnknownFields
from tests.app.toys import LOG_SCHEMA, TABLE_SCHEMA

TABLE, LOG = (
    UnknownFields.build(RequestTypes.build(schema, max_rows=3)) for schema in (TABLE_SCHEMA, LOG_SCHEMA)
)
Place = tuple[int | None, int | None, str]


@pytest.mark.parametrize(
    ("unknown", "body", "place", "hint"),
    [
        (TABLE, b'{"custmers": []}', (None, None, "custmers"), "did you mean customers?"),
        (TABLE, b'{"columns": {"contrat": []}}', (None, None, "contrat"), "did you mean contract?"),
        (
            TABLE,
            b'{"customers": [{}, {"copy": 1, "contrat": 2}]}',
            (2, None, "contrat"),
            "did you mean contract?",
        ),
        (TABLE, b'{"customers": [7, {"copy": []}, {"x": 2}]}', (3, None, "x"), "leave it out"),
        (LOG, b'{"customers": [{"events": [{}, {"dat": 2}]}]}', (1, 2, "dat"), "did you mean date?"),
        (
            TABLE,
            b'{"customers": [{"contrat": 2}], "columns": null}',
            (1, None, "contrat"),
            "did you mean contract?",
        ),
        (LOG, b'{"customers": [{"event": []}]}', (1, None, "event"), "did you mean events?"),
        (TABLE, b'{"customers": [{"a`b": 1}]}', (1, None, "a`b"), "leave it out"),
        (TABLE, b'{"customers": [{"\\n\\u00e4`": 1}]}', (1, None, "\nä`"), "leave it out"),
    ],
)
def test_the_first_field_too_many_is_named(
    unknown: UnknownFields, body: bytes, place: Place, hint: str
) -> None:
    with pytest.raises(Problem) as caught:
        unknown.refuse(body)
    (fault,) = caught.value.errors
    assert (caught.value.status, fault.row, fault.event, fault.field, fault.hint) == (422, *place, hint)


@pytest.mark.parametrize(
    "body",
    [
        b'{"customers": [{}, {"contract": {"x": 1}, "copy": [{"x": 1}]}]}',
        b'{"columns": {"contract": [{"x": 1}]}}',
        b'{"as_of": {"x": 1}, "customers": 3}',
        b'{"customers": [{}, {}, {}, {"x": 1}]}',  # beyond the limit
        b'{"customers": [{"contract": NaN}]}',
        b'{"customers": [{"\xff": 1}]}',
        b"[" * 100_000,
        b"",
        json.dumps({"customers": [{"contract": "Object contains unknown field `x`"}]}).encode(),
    ],
)
def test_all_other_faults_are_left_to_others(body: bytes) -> None:
    TABLE.refuse(body)
