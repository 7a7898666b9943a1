"""The routes that score files: what they take, what they refuse, how many at a time."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.routes.score import ANY_FORM
from app.settings import Settings
from tests.app.client import Client, running
from tests.app.files.forms import ARROW, CSV, NDJSON, PARQUET, parquet, post, stream, table
from tests.app.toys import AS_OF

LINES = b'{"tenure": 3}\n' * 20_000
NOW = "?"  # no as_of


def problem(response: Any) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["detail"]


def test_other_media_types_and_compressed_files(client: Client) -> None:
    detail = f"send the file as one of {CSV}, {NDJSON}, {ARROW}, {PARQUET}, {ANY_FORM}, texts in UTF-8"
    for kind in ("application/json", "", "text/html", "x" * 10_000):
        assert problem(post(client, b"{}", kind)) == (415, detail)
    assert problem(post(client, b"a", "text/csv; charset=utf-16")) == (415, detail)
    assert post(client, b"{}", f"{NDJSON}; charset=utf8;").status_code == 200
    headers = {"content-type": CSV, "content-encoding": "gzip"}
    zipped = client.request("POST", "/v1/models/churn/score", content=b"a", headers=headers)
    assert problem(zipped) == (415, "send the file uncompressed")
    assert post(client, b"{}", 'Application/X-NDJSON; charset="UTF-8"').status_code == 200
    assert post(client, b"tenure,events\n", "text/csv; header=present", "purchase").status_code == 200


@pytest.mark.parametrize("kind", [CSV, NDJSON, ARROW, PARQUET])
def test_a_file_of_unnamed_form_is_told_by_its_first_bytes(client: Client, kind: str) -> None:
    rows = table(bill_1=[3.0])
    body = {
        CSV: (",".join(rows.column_names) + "\n" + "," * (rows.num_columns - 1) + "\n").encode(),
        NDJSON: b'\xef\xbb\xbf {"Total Charges": null}\n',
        ARROW: stream(rows),
        PARQUET: parquet(rows),
    }[kind]
    answer = post(client, body, ANY_FORM)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == ANY_FORM
    named = post(client, body, kind)
    assert answer.content == named.content


def test_as_of_is_in_the_query_and_now_by_default(client: Client) -> None:
    line = b'{"events": [{"date": "1997-03-01"}]}'

    def scored(query: str) -> str:
        response = post(client, line, NDJSON, "purchase", query)
        assert response.status_code == 200
        return str(response.text)

    assert scored("?as_of=1997-03-02T00:00:00%2B01:00") == scored("?as_of=1997-03-01T23:00:00Z")
    assert len({scored("?as_of=1997-03-02"), scored(f"?as_of={AS_OF}"), scored(NOW)}) == 3
    for query in ("?as_of=soon", "?as_of=", "?as_of=1997-01-01&as_of=1997-01-01", "?when=1997-01-01", "?x"):
        assert post(client, line, NDJSON, "purchase", query).status_code == 422


def test_models_and_versions(client: Client) -> None:
    line, paths = b'{"Total Charges": 3}', ("churn", "churn/versions/1", "churn/versions/2")
    answers = [post(client, line, NDJSON, path).text for path in paths]
    assert answers[0] == answers[1] != answers[2]
    for path, status in {
        "churm": 404,
        "churn/versions/9": 404,
        "churn/versions/x": 404,
        "broken": 503,
    }.items():
        assert problem(post(client, line, NDJSON, path))[0] == status
    assert problem(client.get("/v1/models/purchase/score")) == (405, "this path takes POST only")


def test_scored_rows_are_counted(client: Client) -> None:
    def counted(name: str) -> float:
        lines = client.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    series = 'propense_predictions_total{model="churn",version="1"}'
    unknown = 'propense_unknown_categories_total{feature="contract",model="churn"}'
    before, odd = counted(series), counted(unknown)
    post(client, b'{"contract": "new"}\n{"contract": null}\n{"bill_1": "x"}\n', NDJSON)
    assert (counted(series), counted(unknown)) == (before + 2, odd + 1)


@pytest.fixture(scope="module")
def small(registry: Path) -> Iterator[Client]:
    """The service with small limits for files."""
    settings = Settings(registry=registry, max_score_bytes=100_000, max_body_bytes=1024, watch_seconds=0)
    with running(create_app(settings)) as client:
        yield client.wait_until_loaded()


def test_a_file_has_a_limit_of_its_own(small: Client) -> None:
    assert post(small, LINES[:3_500], NDJSON, "purchase").status_code == 200
    assert problem(post(small, LINES, NDJSON, "purchase"))[0] == 413

    async def unannounced() -> AsyncIterator[bytes]:
        for at in range(0, len(LINES), 10_000):
            yield LINES[at : at + 10_000]

    assert problem(post(small, unannounced(), NDJSON, "purchase"))[0] == 413  # type: ignore[arg-type]


def test_scores_have_the_limit_of_a_file(small: Client) -> None:
    """A short line can have a long answer."""
    status, detail = problem(post(small, b"1\n" * 49_000, NDJSON, "purchase"))
    assert (status, detail) == (422, "the scores of a file may have 100000 bytes; send it in parts")
    assert post(small, LINES[:3_500], NDJSON, "purchase").status_code == 200
