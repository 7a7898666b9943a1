"""The load of `make bench-serve` counts whole answers, and nothing but good ones."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle

import pytest

from tests.benchmarks.serving.load import Load, LoadError, request

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nContent-Length: 5\r\n\r\n"
REQUEST = request("/predict", b"{}", {"X-Kind": "row"})


@contextmanager
def answering(*answers: Sequence[bytes]) -> Iterator[int]:
    """A server that gives these answers in turn, each in pieces; an empty one hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=_answer, args=(connection, cycle(answers))))
            threads[-1].start()

    threads.append(threading.Thread(target=accept))
    threads[0].start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            thread.join()


def _answer(connection: socket.socket, answers: Iterator[Sequence[bytes]]) -> None:
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while got := connection.recv(1000):
            assert got == REQUEST
            pieces = next(answers)
            if not pieces:
                return
            for piece in pieces:
                connection.sendall(piece)


def test_a_request_is_spelt_as_http_has_it() -> None:
    head, _, body = REQUEST.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /predict HTTP/1.1",
        b"Host: service",
        b"Content-Length: 2",
        b"X-Kind: row",
    ]
    assert body == b"{}"


@pytest.mark.parametrize("connections", [1, 3])
def test_as_many_answers_are_counted_as_were_asked_for(connections: int) -> None:
    with (
        answering([HEAD + b"abcde"], [HEAD, b"ab", b"cde"], [HEAD[:30], HEAD[30:] + b"abcd", b"e"]) as port,
        Load.opened(port, [REQUEST], connections) as load,
    ):
        for n in (30, 7):  # the connections are kept
            window = load.run(60.0, most=n)
            assert window.n == n
            assert window.rate > 0
            assert 0 < window.p50 <= window.p99
            assert window.own_share > 0


def test_it_ends_after_its_seconds() -> None:
    with answering([HEAD + b"abcde"]) as port, Load.opened(port, [REQUEST], 2) as load:
        window = load.run(0.05)
    assert window.n > 2
    assert 0.04 < window.n / window.rate < 10


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([], "closed a connection"),
        ([b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"], "must be a 200 .* got b'HTTP/1.1 503"),
        ([b"HTTP/1.1 200 OK\r\n\r\nabc"], "with a Content-Length"),
        ([HEAD + b"ab", b""], None),
    ],
)
def test_any_other_answer_ends_it(
    answer: Sequence[bytes], said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.benchmarks.serving.load._SILENCE_S", 0.1)
    with (
        answering([HEAD + b"abcde"], answer) as port,
        Load.opened(port, [REQUEST], 1) as load,
        pytest.raises(LoadError, match=said or "no answer within"),
    ):
        load.run(60.0)
