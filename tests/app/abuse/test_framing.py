"""Requests that break the rules of HTTP, or bend them."""

import gzip
import json
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.app.abuse.conftest import Target
from tests.app.abuse.wire import PREDICT, answers, ask, head, memory_bounded, posted, refused, scores

GOOD = b'{"customers": [{}]}'
JSON = "Content-Type: application/json"
CHUNKED = (JSON, "Transfer-Encoding: chunked")
LENGTH = f"Content-Length: {len(GOOD)}"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)


def problem_type(port: int, sent: bytes, *statuses: int) -> str:
    """Which problem it is; the connection ends with it, for what follows cannot be told apart."""
    answer = ask(port, sent)
    kind: str = refused(answer, *statuses)["type"]
    assert answer.headers["connection"] == "close"
    return kind.removeprefix("urn:propense:")


@pytest.mark.parametrize(
    "lines",
    [
        (LENGTH, "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", LENGTH),
        (LENGTH, LENGTH),
        (LENGTH, "Content-Length: 3"),
        *[
            (f"Content-Length: {told}",)
            for told in ("-1", "+18", "0x12", "18.0", "18, 18", "9" * 30, "1_8", "")
        ],
        *[
            (f"Transfer-Encoding: {told}",)
            for told in ("gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked", "chunked;q=1")
        ],
        ("Transfer-Encoding: gzip", "Transfer-Encoding: chunked"),
        ("Content-Length : 18",),
        ("X: a\0b",),
        ("X: a\nb",),
        ("X: a\r\n b",),
        ("X y: a",),
    ],
)
def test_a_head_that_can_be_read_in_two_ways_is_refused(target: Target, lines: tuple[str, ...]) -> None:
    body = CHUNKS if any(line.startswith("Transfer") for line in lines) else GOOD
    assert problem_type(target.port, head(JSON, *lines) + body, 400) == "bad-request"


@pytest.mark.parametrize(
    "chunk", [b"zz\r\n", b"-1\r\n", b"f" * 17 + b"\r\n", b"1\r\n{}\r\n", b"1 \0\r\n{\r\n"]
)
def test_a_chunk_that_is_none_is_refused(target: Target, chunk: bytes) -> None:
    assert problem_type(target.port, head(*CHUNKED) + chunk, 400) == "bad-request"


def test_a_body_shorter_than_announced_is_not_answered_by_a_score(target: Target) -> None:
    sent = [
        head(JSON, f"Content-Length: {len(GOOD) + 10}") + GOOD,
        head(*CHUNKED) + b"7fffffffffffffff\r\n" + GOOD,
        head(*CHUNKED) + CHUNKS[:-5],
    ]
    with ThreadPoolExecutor(len(sent)) as clients:
        for answer in clients.map(partial(ask, target.port), sent):
            assert refused(answer, 408)["type"] == "urn:propense:body-too-slow"


def test_a_body_longer_than_announced_ends_the_connection(target: Target) -> None:
    sent = head(JSON, f"Content-Length: {len(GOOD) - 5}") + GOOD
    first, *others = answers(target.port, sent, 9)
    refused(first, 400)
    assert all(answer.status == 400 for answer in others)


def test_no_length_is_no_body(target: Target) -> None:
    (first, *_) = answers(target.port, head(JSON) + GOOD, 2)
    assert refused(first, 400)["type"] == "urn:propense:invalid-json"


def test_what_follows_a_body_is_no_header(target: Target) -> None:
    sent = head("Transfer-Encoding: chunked") + CHUNKS[:-2] + f"{JSON}\r\n\r\n".encode()
    assert refused(ask(target.port, sent), 415)


def test_endless_headers_after_a_body_are_not_kept(target: Target) -> None:
    def sent() -> Iterator[bytes]:
        yield head(*CHUNKED) + CHUNKS[:-2]
        for _ in range(100):
            yield b"X: 1\r\n" * 10_000
        yield b"\r\n"

    with memory_bounded(target.pid, megabytes=5):
        assert len(scores(ask(target.port, sent()))) == 1


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(GOOD, mtime=0)),
        ("GZIP", gzip.compress(GOOD, mtime=0)),
        ("gzip", gzip.compress(b" " * 100_000_000, 1, mtime=0)),
        ("deflate", zlib.compress(GOOD)),
        ("br", GOOD),
        ("zstd", GOOD),
        ("identity, gzip", gzip.compress(GOOD, mtime=0)),
    ],
)
def test_a_compressed_body_is_refused_unread(target: Target, encoding: str, body: bytes) -> None:
    with memory_bounded(target.pid, megabytes=5):
        answer = ask(target.port, posted(body, f"Content-Encoding: {encoding}"))
    assert refused(answer, 415)["detail"] == "send the body uncompressed"


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/csv",
        "text/json",
        "*/*",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json, text/csv",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "a" * 10_000,
    ],
)
def test_another_kind_of_body_is_refused(target: Target, kind: str | None) -> None:
    lines = [] if kind is None else [f"Content-Type: {kind}"]
    assert "application/json" in refused(ask(target.port, head(*lines, LENGTH) + GOOD), 415)["detail"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "cp037"])
def test_json_in_another_encoding_is_refused(target: Target, encoding: str) -> None:
    body = '{"customers": [{"contract": "ä"}]}'.encode(encoding)
    assert "UTF-8" in refused(ask(target.port, posted(body)), 400)["detail"]


@pytest.mark.parametrize("body", [b"", b" ", b"null", b"[]", b"{}", b"1", b'""', b'{"customers": []}'])
def test_a_body_without_customers_is_refused(target: Target, body: bytes) -> None:
    refused(ask(target.port, posted(body)), 400, 422)


def test_requests_sent_ahead_are_answered_in_their_order(target: Target) -> None:
    rows = range(1, 60)
    sent = b"".join(posted(b'{"customers": [%s]}' % b",".join([b"{}"] * n)) for n in rows)
    assert [len(scores(answer)) for answer in answers(target.port, sent, len(rows))] == list(rows)


def test_garbage_behind_a_request_does_not_take_its_answer_away(target: Target) -> None:
    answer, refusal = answers(target.port, posted(GOOD) + b"\0\1\2" * 100, 3)
    assert len(scores(answer)) == 1
    refused(refusal, 400)


def test_http_1_0_is_answered_and_ended(target: Target) -> None:
    for line in ("Connection: keep-alive", "X: y"):
        (answer,) = answers(target.port, head(JSON, LENGTH, line, version="1.0") + GOOD, 2)
        assert len(scores(answer)) == 1
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "sent",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        head(version="1.2"),
        head(version="9.9"),
        head(version="11"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        bytes(1_000),
        b"GET /health/live HTTP/1.1\nHost: a\n\n",
        b"\r\n\r\n\0",
    ],
)
def test_what_is_no_http_1_is_refused(target: Target, sent: bytes) -> None:
    assert problem_type(target.port, sent, 400) == "bad-request"


@pytest.mark.parametrize(
    "lines",
    [
        ["X: 1"] * 101,
        ["X: 1"] * 100_000,
        ["X: " + "a" * 1_000_000],
        ["X" * 1_000_000 + ": 1"],
        ["X: " + "a" * 10_000] * 90,
    ],
    ids=["many", "a bomb", "a long value", "a long name", "long together"],
)
def test_a_large_head_is_refused(target: Target, lines: list[str]) -> None:
    with memory_bounded(target.pid, megabytes=5):
        kind = problem_type(target.port, head(*lines, method="GET", path="/health/live"), 431)
        assert kind == "head-too-large"


def test_a_head_without_an_end_is_refused(target: Target) -> None:
    with memory_bounded(target.pid, megabytes=5):
        (answer,) = answers(target.port, b"GET /health/live HTTP/1.1\r\nX: " + b"a" * 20_000_000)
        refused(answer, 431)
        refused(ask(target.port, b"GET /health/live HTTP/1.1\r\nX: a"), 408)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/../../etc/passwd", 404),
        ("/v1/models/../../../etc/predict", 404),
        ("/v1/models/%2e%2e/predict", 404),
        ("/v1/models/%2e%2e%2fchurn/predict", 404),
        ("/v1/models/..%5cchurn/predict", 404),
        ("/v1/models/%00/predict", 404),
        ("/v1/models/churn%00/predict", 404),
        ("/v1/models/%ff/predict", 404),
        ("/v1/models/%0d%0aX:1/predict", 404),
        ("/v1/models/%ed%a0%80/predict", 404),
        ("/v1/models//predict", 404),
        ("/v1/models/CHURN/predict", 404),
        ("/v1/models/churn/predict/", 404),
        ("/v1/models/churn/versions/0/predict", 404),
        ("/v1/models/churn/versions/-1/predict", 404),
        ("/v1/models/churn/versions/%C2%B2/predict", 404),
        ("/v1/models/churn/versions/" + "9" * 1_000 + "/predict", 404),
        ("/v1/models/churn/versions/../1/predict", 404),
        ("/v1/models/churn/versions/1/versions/2/predict", 404),
        ("/v1/models/" + "a" * 60_000 + "/predict", 404),
        ("/v1/models/" + "%2e%2e%2f" * 6_000 + "/predict", 404),
        ("/%", 404),
        ("/%zz", 404),
        ("*", 404),
        ("/" + "a" * 1_000_000, 431),
        ("/v1/models/\xff/predict", 400),
        ("/v1/models/churn\0/predict", 400),
        ("/v1/models/ch urn/predict", 400),
        ("v1/models/churn/predict", 400),
        (PREDICT + "?" + "a" * 60_000, 422),
        (PREDICT + "?warnings=%00", 422),
        (PREDICT + "?warnings=true&warnings=true", 422),
    ],
    ids=lambda told: str(told)[:30].encode("unicode_escape").decode(),
)
def test_a_strange_path_leads_nowhere(target: Target, path: str, status: int) -> None:
    assert len(refused(ask(target.port, posted(GOOD, path=path)), status)["detail"]) < 400


@pytest.mark.parametrize(
    "method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "CONNECT"]
)
def test_another_method_is_told_the_right_one(target: Target, method: str) -> None:
    for path in (PREDICT, "/v1/models/churn/versions/1/predict", "/v1/models/churn/score"):
        answer = ask(target.port, head(method=method, path=path))
        refused(answer, 405)
        assert answer.headers["allow"] == "POST"
    refused(ask(target.port, head(method=method, path="/nothing")), 404)


@pytest.mark.parametrize("method", ["BREW", "post", "X" * 1_000, "PO ST", "POST\0", "\xff", ""])
def test_a_method_that_is_none_is_refused(target: Target, method: str) -> None:
    assert problem_type(target.port, head(method=method), 400) == "bad-request"


def test_an_answer_to_head_has_no_body(target: Target) -> None:
    sent = head(method="HEAD") + head(method="GET", path="/health/live")
    (answer,) = answers(target.port, head("Connection: close", method="GET", path="/health/live"))
    assert json.loads(answer.body) == {"status": "live"}
    both = answers(target.port, sent, 2, bodiless=1)
    assert [answer.status for answer in both] == [405, 200]


def test_an_offer_of_another_protocol_is_passed_over(target: Target) -> None:
    offers = (
        ("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
        ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
    )
    for offer in offers:
        assert len(scores(ask(target.port, posted(GOOD, *offer)))) == 1


@pytest.mark.parametrize(
    ("lines", "version", "status"),
    [
        ("Host: localhost", "1.1", 200),
        ("Host:", "1.0", 403),
        ("", "1.0", 200),
        ("", "1.1", 400),
        ("Host: localhost\r\nHost: localhost", "1.1", 400),
        ("Host: localhost\r\nhost: evil.example", "1.1", 400),
        ("Host: localhost\r\nHost: localhost", "1.0", 400),
        ("Host: a b", "1.1", 400),
        ("Host: localhost/x", "1.1", 400),
        ("Host: localhost, evil.example", "1.1", 400),
        ("Host: http://localhost", "1.1", 400),
        ("Host: localhost:80:90", "1.1", 400),
        ("Host: \xff", "1.1", 400),
    ],
)
def test_a_request_names_one_host(target: Target, lines: str, version: str, status: int) -> None:
    block = f"{lines}\r\n" if lines else ""
    sent = f"GET /v1/models HTTP/{version}\r\n{block}\r\n".encode("latin-1")
    assert ask(target.port, sent).status == status


def test_a_target_of_more_than_64_kb_is_named(target: Target) -> None:
    for length, status in ((65_535, 404), (65_536, 414), (70_000, 414)):
        answer = ask(target.port, head(method="GET", path="/" + "a" * (length - 1)))
        refused(answer, status)
    assert json.loads(answer.body)["detail"] == "a path with its query may have 65535 bytes"
