"""Numbers that are none, or too large for what they are for."""

import json
import math
from collections.abc import Iterator

import pytest

from tests.app.abuse.conftest import Target
from tests.app.abuse.wire import predict, refused, scores

NOT_FINITE = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" * 400]
TOO_LARGE = ["1e39", "-1e39", "3.4028236e38", "9" * 39]
FIELDS = ["Total Charges", "bill_1", "bill_2", "contract", "copy", "_senior", "since", "customer_id"]


def bodies(number: str) -> Iterator[tuple[str, str, str]]:
    """The number in every field of every model, in both forms: model, field, body."""
    for field in FIELDS:
        yield "churn", field, f'{{"customers": [{{}}, {{"{field}": {number}}}]}}'
        yield "churn", field, f'{{"columns": {{"{field}": [null, {number}]}}}}'
    yield "purchase", "tenure", f'{{"customers": [{{}}, {{"tenure": {number}}}]}}'
    for field in ("amount", "kind", "shop"):
        event = f'[{{"date": "1997-01-01", "{field}": {number}}}]'
        yield "purchase", field, f'{{"customers": [{{}}, {{"events": {event}}}]}}'
        yield "purchase", field, f'{{"columns": {{"events": [null, {event}]}}}}'


@pytest.mark.parametrize("number", [*NOT_FINITE, *TOO_LARGE], ids=lambda number: number[:8])
def test_a_number_that_no_model_can_take_names_its_place(target: Target, number: str) -> None:
    for name, field, body in bodies(number):
        faults = refused(predict(target.port, body.encode(), name), 422)["errors"]
        assert [(fault["row"], fault["field"]) for fault in faults] == [(2, field)], body


@pytest.mark.parametrize("text", [*NOT_FINITE, *TOO_LARGE, "5", "", "0x10"], ids=lambda text: text[:8])
def test_a_text_is_no_number(target: Target, text: str) -> None:
    for field in ("Total Charges", "bill_1", "_senior"):
        body = json.dumps({"customers": [{}, {field: text}]}).encode()
        (fault,) = refused(predict(target.port, body), 422)["errors"]
        assert (fault["row"], fault["field"], fault["got"]) == (2, field, "a text")


@pytest.mark.parametrize("n_digits", [5_000, 1_000_000])
def test_thousands_of_digits_are_refused(target: Target, n_digits: int) -> None:
    for digits in ("1" * n_digits, "-" + "9" * n_digits):
        for name, _, body in bodies(digits):
            refused(predict(target.port, body.encode(), name), 400)


@pytest.mark.parametrize(
    "number", ["+1", "01", ".5", "5.", "1_000", "0x10", "1e", "--1", "nan", "inf", "\u0661"]
)
def test_a_number_that_json_does_not_know_is_refused(target: Target, number: str) -> None:
    refused(predict(target.port, f'{{"customers": [{{"bill_1": {number}}}]}}'.encode()), 400)


@pytest.mark.parametrize(
    "number",
    [
        "3.4028234663852886e38",
        "-3.4028234663852886e38",
        "1e-400",
        "-0",
        "-0.0",
        "5e-324",
        "0." + "3" * 5_000,
        "100000000000000000000000000000000000000",
    ],
    ids=lambda number: number[:8],
)
def test_the_last_numbers_that_fit_get_a_score(target: Target, number: str) -> None:
    for field in ("Total Charges", "bill_1"):
        body = f'{{"customers": [{{"{field}": {number}}}]}}'.encode()
        assert len(scores(predict(target.port, body))) == 1
    event = f'{{"date": "1997-01-01", "amount": {number}}}'
    body = f'{{"as_of": "1997-12-31", "customers": [{{"events": [{event}, {event}]}}]}}'.encode()
    assert math.isfinite(scores(predict(target.port, body, "purchase"))[0])


@pytest.mark.parametrize("time", ["0001-01-01", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+00:00"])
def test_the_first_and_the_last_time_get_a_score(target: Target, time: str) -> None:
    table = {"as_of": time, "customers": [{"since": time}]}
    log = {"as_of": time, "customers": [{"events": [{"date": time, "amount": 3.4e38}] * 3}]}
    scores(predict(target.port, json.dumps(table).encode()))
    scores(predict(target.port, json.dumps(log).encode(), "purchase"))


@pytest.mark.parametrize("id_", [17.0, -17.0, 1e3, 2.0**62])
def test_a_whole_number_may_be_written_with_a_point(target: Target, id_: float) -> None:
    for asked in ({"customers": [{"customer_id": id_}]}, {"columns": {"customer_id": [id_]}}):
        answer = predict(target.port, json.dumps(asked).encode())
        scores(answer)
        told = json.loads(answer.body)["predictions"][0]["customer_id"]
        assert (told, type(told)) == (int(id_), int)


@pytest.mark.parametrize("id_", ["1.5", "true", "1e300", "9223372036854775808", "-9223372036854775809"])
def test_what_is_no_whole_number_is_no_id(target: Target, id_: str) -> None:
    (fault,) = refused(predict(target.port, f'{{"customers": [{{"customer_id": {id_}}}]}}'.encode()), 422)[
        "errors"
    ]
    assert (fault["row"], fault["field"]) == (1, "customer_id")
