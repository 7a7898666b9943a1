"""Several requests answered as one: to each its own answer, whatever is wrong with another."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.errors import Problem
from app.request.decoder import Decoder
from app.request.keys import Keys
from app.request.schemas import request_model
from app.request.scorer import Ask, Desk, Told, most_rows
from app.request.warnings import Warn
from model.predictor import Predictions, Predictor, load_predictor
from model.store.registry import Registry
from tests.app.toys import AS_OF

MAX_ROWS = 100


@pytest.fixture(scope="module", params=["churn", "purchase"])
def predictor(request: pytest.FixtureRequest, registry: Path) -> Predictor:
    return load_predictor(Registry(registry).folder(request.param, 1))


@pytest.fixture
def counted() -> list[Predictions]:
    return []


@pytest.fixture
def desk(predictor: Predictor, counted: list[Predictions]) -> Desk:
    schema = predictor.manifest.schema_
    model = request_model(schema, max_rows=MAX_ROWS)
    decoder = Decoder.build(schema, max_rows=MAX_ROWS)
    warn = Warn.of(schema)
    return Desk(predictor, model, decoder, Keys.build(model), counted.append, warn, keeps=False)


def bodies(predictor: Predictor) -> list[bytes]:
    """Some customers by rows, some by columns, with a date and without."""
    golden = [dict(row) for row in predictor.manifest.golden.customers]
    names = {name for row in golden for name in row}
    columns = {name: [row.get(name) for row in golden[:3]] for name in names}
    asked: list[dict[str, Any]] = [
        {"as_of": AS_OF, "customers": golden[:2]},
        {"as_of": "1997-06-30", "customers": golden[2:3]},
        {"as_of": AS_OF, "columns": columns},
        {"as_of": AS_OF, "customers": [{}]},
    ]
    return [json.dumps(one).encode() for one in asked]


def probabilities(told: Told | Exception) -> list[float]:
    assert isinstance(told, Told)
    return [one["probability"] for one in json.loads(told.content)["predictions"]]


def test_together_and_alone_the_answers_are_the_same(desk: Desk) -> None:
    asks = [Ask(body) for body in bodies(desk.predictor)]
    for together, ask in zip(desk(asks), asks, strict=True):
        (alone,) = desk([ask])
        assert probabilities(together) == pytest.approx(probabilities(alone), abs=1e-6)
        assert isinstance(together, Told)
        assert isinstance(alone, Told)
        assert together.n_rows == alone.n_rows == len(probabilities(alone))
        one, other = json.loads(together.content), json.loads(alone.content)
        assert [p["customer_id"] for p in one["predictions"]] == [
            p["customer_id"] for p in other["predictions"]
        ]
        assert one["as_of"] == other["as_of"]


def test_a_bad_request_is_told_so_and_no_other(desk: Desk, counted: list[Predictions]) -> None:
    good = bodies(desk.predictor)
    wanted = [probabilities(told) for told in desk([Ask(body) for body in good])]
    counted.clear()
    first, bad, *others = desk([Ask(good[0]), Ask(b'{"customers": [7]}'), *map(Ask, good[1:])])
    assert isinstance(bad, Problem)
    assert bad.status == 422
    for told, one in zip([first, *others], wanted, strict=True):
        assert probabilities(told) == pytest.approx(one, abs=1e-6)
    assert sum(len(scored.probabilities) for scored in counted) == sum(map(len, wanted))


def test_only_who_wants_warnings_gets_them_and_of_his_own_customers(desk: Desk) -> None:
    body = bodies(desk.predictor)[0]
    strange = "contract" if desk.predictor.manifest.schema_.events is None else "tenure"
    odd = json.dumps({"customers": [{strange: "never" if strange == "contract" else 1e30}]}).encode()
    plain, asked = desk([Ask(body), Ask(odd, warn=True)])
    assert isinstance(plain, Told)
    assert isinstance(asked, Told)
    assert b"warnings" not in plain.content
    (prediction,) = json.loads(asked.content)["predictions"]
    assert prediction["warnings"][0].startswith(f"{strange}: ")


def test_a_desk_that_keeps_gives_what_was_asked_and_found(desk: Desk) -> None:
    keeping = Desk(desk.predictor, desk.request, desk.decoder, desk.keys, desk.tally, desk.warn, keeps=True)
    for told in keeping([Ask(body) for body in bodies(desk.predictor)]):
        assert isinstance(told, Told)
        assert told.kept
        rows, scored = told.kept
        again = desk.predictor.predict_rows(rows).probabilities
        assert again.tolist() == pytest.approx(scored.probabilities, abs=1e-6)


def test_a_large_body_is_answered_as_it_would_be_whole(
    desk: Desk, counted: list[Predictions], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = bodies(desk.predictor)
    wanted = [probabilities(told) for told in desk([Ask(body) for body in good])]
    monkeypatch.setattr("app.request.scorer.LARGE", 1)
    monkeypatch.setattr("app.request.pieces._PIECE", 1)
    counted.clear()
    for body, one in zip(good, wanted, strict=True):
        for warn in (False, True):
            assert probabilities(desk([Ask(body, warn)])[0]) == pytest.approx(one, abs=1e-6)
    assert [len(scored.probabilities) for scored in counted] == [len(one) for one in wanted for _ in "ab"]
    (bad,) = desk([Ask(b'{"customers": [{}, {}, {}, {"k": 1}]}')])
    assert isinstance(bad, Problem)
    assert bad.errors[0].row == 4
    assert len(counted) == 2 * len(wanted)


@pytest.mark.parametrize(
    ("body", "n"),
    [
        (b'{"customers":[{},{"a":1,"b":2}]}', 2),
        (b'{"columns":{"a":[1,2,3]}}', 3),
        (b'{"col\\u0075mns":{"a":[1,2,3]}}', 3),
        (b'{"customers":[{"a":"{\\"}]}', 1),
        (b'{"customers":[{}]}', 1),
    ],
)
def test_a_body_has_no_more_rows_than_is_said(body: bytes, n: int) -> None:
    assert most_rows(Ask(body)) >= n


def test_a_long_body_and_warnings_count_for_more() -> None:
    assert most_rows(Ask(b"[" + b"1," * 10_000 + b"1]")) > 50
    body = b'{"customers":[{},{}]}'
    assert most_rows(Ask(body, warn=True)) > most_rows(Ask(body))
