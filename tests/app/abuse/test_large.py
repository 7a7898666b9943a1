"""Bodies that cost much to read: they are refused, nothing of them is kept, others are answered meanwhile."""

import gc
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.errors import Problem
from app.main import create_app
from app.settings import Settings
from tests.app.abuse.conftest import Target
from tests.app.abuse.wire import ask, head, memory_bounded, posted, predict, refused, scores
from tests.app.client import running
from tests.app.versions.watched import until

CHUNKED = head("Content-Type: application/json", "Transfer-Encoding: chunked")
MEGABYTE = 2**20
PURCHASE = "/v1/models/purchase/predict"


@contextmanager
def others_are_answered(port: int) -> Iterator[None]:
    """Another client meanwhile, who gets a score each time."""
    done, asked = threading.Event(), threading.Event()
    faults: list[BaseException] = []

    def go_on() -> None:
        try:
            while not done.wait(0.005):
                assert len(scores(predict(port, b'{"customers": [{}]}'))) == 1
                asked.set()
        except BaseException as fault:
            faults.append(fault)

    other = threading.Thread(target=go_on)
    other.start()
    try:
        yield
        assert asked.wait(10)
    finally:
        done.set()
        other.join()
    assert faults == []


def keys(n: int) -> bytes:
    return b",".join(b'"k%d":1' % number for number in range(n))


Body = Callable[[], bytes]
# Made only where they are sent: every process of the tests imports this.
REFUSED_SOON: dict[str, Body] = {
    "lists in lists": lambda: b'{"customers":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "objects in objects": lambda: (
        b'{"customers":[' + b'{"contract":' * 100_000 + b"1" + b"}" * 100_001 + b"]}"
    ),
    "nothing but brackets": lambda: b"[" * 10_000_000,
    "keys of a body": lambda: b"{%s}" % keys(1_000_000),
    "keys of a customer": lambda: b'{"customers":[{},{%s}]}' % keys(1_000_000),
    "keys of columns": lambda: b'{"columns":{%s}}' % keys(1_000_000),
    "keys behind a fault": lambda: b'{"customers":[7,{"bill_1":[],%s}]}' % keys(1_000_000),
    "digits": lambda: b'{"customers":[{"bill_1":%s}]}' % (b"9" * 10_000_000),
    "a text without an end": lambda: b'{"customers":[{"contract":"' + b"x" * 10_000_000,
}
READ_WHOLE: dict[str, Body] = {
    "keys in a value": lambda: b'{"customers":[{"contract":{%s}}]}' % keys(100_000),
    "one key again and again": lambda: b'{"customers":[{%s}]}' % b",".join([b'"contract":1'] * 300_000),
    "nulls": lambda: b'{"customers":[%s]}' % b",".join([b"null"] * 1_000_000),
    "customers": lambda: b'{"customers":[%s]}' % b",".join([b"{}"] * 500_000),
    "columns": lambda: b'{"columns":{"contract":[%s]}}' % b",".join([b"null"] * 1_000_000),
    "escapes": lambda: b'{"customers":[{"customer_id":"%s"}]}' % (b"\\u00e4" * 2_000_000),
}


@pytest.mark.parametrize("body", REFUSED_SOON.values(), ids=REFUSED_SOON.keys())
def test_a_body_made_to_be_costly_is_refused_where_it_becomes_so(target: Target, body: Body) -> None:
    with memory_bounded(target.pid, megabytes=20), others_are_answered(target.port):
        refused(predict(target.port, body()), 400, 422)


@pytest.mark.parametrize("body", READ_WHOLE.values(), ids=READ_WHOLE.keys())
def test_of_a_body_that_was_read_for_its_faults_nothing_is_kept(target: Target, body: Body) -> None:
    sent = body()
    refused(predict(target.port, sent), 413, 422)  # Python and glibc keep some room for the next
    with memory_bounded(target.pid, megabytes=20), others_are_answered(target.port):
        for _ in range(2):
            refused(predict(target.port, sent), 413, 422)


def test_of_events_that_were_read_for_their_faults_nothing_is_kept(target: Target) -> None:
    for event in (b"null", b'{"date":1}', b'{"dat":"1997-01-01"}'):
        body = b'{"customers":[{"events":[%s]}]}' % b",".join([event] * 200_000)
        with memory_bounded(target.pid, megabytes=20), others_are_answered(target.port):
            refused(predict(target.port, body, "purchase"), 422)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"customers":[{},{"k":1,%s}]}', (2, None)),
        (b'{"customers":[7,{"bill_1":[],"k":1,%s}]}', (2, None)),
        (b'{"customers":[{"events":[{"date":1},{"k":2},{%s}]}]}', (1, 2)),
        (b'{"k":1,%s}', (None, None)),
        (b'{"columns":{"k":1,%s}}', (None, None)),
    ],
)
def test_the_first_field_too_many_is_named(target: Target, body: bytes, place: tuple[int, int]) -> None:
    sent = posted(body % keys(50_000), path=PURCHASE if b"events" in body else "/v1/models/churn/predict")
    (fault,) = refused(ask(target.port, sent), 422)["errors"]
    assert (fault["field"], fault["got"]) == ("k", "an unknown field")
    assert (fault.get("row"), fault.get("event")) == place


def _refusals() -> list[object]:
    return [each for each in gc.get_objects() if type(each) is Problem]


@pytest.mark.parametrize("n", [1, 100_000], ids=["short", "long"])
def test_a_refused_body_is_let_go_without_the_garbage_collector(sound: Path, n: int) -> None:
    body = b'{"customers":[{"contract":[%s]}]}' % b",".join([b"1111"] * n)
    with running(create_app(Settings(registry=sound, watch_seconds=0))) as client:
        client.wait_until_loaded()
        gc.collect()
        before = _refusals()  # that other tests of this process still hold
        gc.disable()
        try:
            assert client.predict("churn", body).status_code == 422
            until(lambda: len(_refusals()) <= len(before))
        finally:
            gc.enable()


def test_ten_thousand_tiny_chunks_are_read(target: Target) -> None:
    body = b'{"customers": [{}]}'.ljust(10_000)
    pieces = [b"1\r\n%c\r\n" % byte for byte in body]
    with memory_bounded(target.pid, megabytes=20), others_are_answered(target.port):
        for chunks in (pieces, [b"".join(pieces)]):
            assert len(scores(ask(target.port, [CHUNKED, *chunks, b"0\r\n\r\n"]))) == 1
        refused(ask(target.port, [CHUNKED, *[b"1\r\n[\r\n"] * 10_000, b"0\r\n\r\n"]), 400)


def megabytes(n: int) -> Iterable[bytes]:
    return (b"%x\r\n%s\r\n" % (MEGABYTE, b" " * MEGABYTE) for _ in range(n))


def test_a_body_over_the_limit_is_refused_however_it_is_sent(target: Target) -> None:
    announced = posted(b" " * 17 * MEGABYTE)
    with memory_bounded(target.pid, megabytes=20), others_are_answered(target.port):
        for sent in ([announced], [CHUNKED, *megabytes(40)], [head("Content-Length: 999999999999999999")]):
            assert refused(ask(target.port, sent), 413)["type"] == "urn:propense:body-too-large"
