"""Several requests answered as one: to each its own answer, whatever is wrong with another."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.errors import Problem
from app.request.decoder import Decoder
from app.request.scorer import Answer, Request, RequestScorer
from app.request.structs import RequestTypes
from app.request.unknown import UnknownFields
from app.request.warnings import Warnings
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
def scorer(predictor: Predictor, counted: list[Predictions]) -> RequestScorer:
    schema = predictor.manifest.schema_
    types = RequestTypes.build(schema, max_rows=MAX_ROWS)
    decoder, unknown = Decoder.build(schema, types), UnknownFields.build(types)
    warnings = Warnings.of(schema)
    return RequestScorer(predictor, types, decoder, unknown, counted.append, warnings, keeps=False)


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


def probabilities(told: Answer | Exception) -> list[float]:
    assert isinstance(told, Answer)
    return [one["probability"] for one in json.loads(told.content)["predictions"]]


def test_together_and_alone_the_answers_are_the_same(scorer: RequestScorer) -> None:
    asks = [Request(body) for body in bodies(scorer.predictor)]
    for together, ask in zip(scorer(asks), asks, strict=True):
        (alone,) = scorer([ask])
        assert probabilities(together) == pytest.approx(probabilities(alone), abs=1e-6)
        assert isinstance(together, Answer)
        assert isinstance(alone, Answer)
        assert together.n_rows == alone.n_rows == len(probabilities(alone))
        one, other = json.loads(together.content), json.loads(alone.content)
        assert [p["customer_id"] for p in one["predictions"]] == [
            p["customer_id"] for p in other["predictions"]
        ]
        assert one["as_of"] == other["as_of"]


def test_a_bad_request_is_told_so_and_no_other(scorer: RequestScorer, counted: list[Predictions]) -> None:
    good = bodies(scorer.predictor)
    wanted = [probabilities(told) for told in scorer([Request(body) for body in good])]
    counted.clear()
    first, bad, *others = scorer([Request(good[0]), Request(b'{"customers": [7]}'), *map(Request, good[1:])])
    assert isinstance(bad, Problem)
    assert bad.status == 422
    for told, one in zip([first, *others], wanted, strict=True):
        assert probabilities(told) == pytest.approx(one, abs=1e-6)
    assert sum(len(scored.probabilities) for scored in counted) == sum(map(len, wanted))


def test_only_who_wants_warnings_gets_them_and_of_his_own_customers(scorer: RequestScorer) -> None:
    body = bodies(scorer.predictor)[0]
    strange = "contract" if scorer.predictor.manifest.schema_.events is None else "tenure"
    odd = json.dumps({"customers": [{strange: "never" if strange == "contract" else 1e30}]}).encode()
    plain, asked = scorer([Request(body), Request(odd, warn=True)])
    assert isinstance(plain, Answer)
    assert isinstance(asked, Answer)
    assert b"warnings" not in plain.content
    (prediction,) = json.loads(asked.content)["predictions"]
    assert prediction["warnings"][0].startswith(f"{strange}: ")


def test_a_scorer_that_keeps_gives_what_was_asked_and_found(scorer: RequestScorer) -> None:
    keeping = replace(scorer, keeps=True)
    for told in keeping([Request(body) for body in bodies(scorer.predictor)]):
        assert isinstance(told, Answer)
        assert told.scored
        rows, scored = told.scored
        again = scorer.predictor.predict_rows(rows).probabilities
        assert again.tolist() == pytest.approx(scored.probabilities, abs=1e-6)


def test_an_unknown_field_of_a_large_body_is_named_alone(
    scorer: RequestScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.request.scorer._LARGE", 1)
    (bad,) = scorer([Request(b'{"customers": [{"customer_id": []}, {"k": 1}]}')])
    assert isinstance(bad, Problem)
    assert [(fault.row, fault.field) for fault in bad.errors] == [(2, "k")]


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
    assert Request(body).most_rows >= n


def test_a_long_body_and_warnings_count_for_more() -> None:
    assert Request(b"[" + b"1," * 10_000 + b"1]").most_rows > 50
    body = b'{"customers":[{},{}]}'
    assert Request(body, warn=True).most_rows > Request(body).most_rows
