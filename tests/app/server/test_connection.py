"""HTTP over real sockets, with small apps and short timeouts."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn
import uvloop
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import Problem
from app.server.connection import Connection
from app.server.state import REFUSED, State, Timeouts

HANGS = 5.0  # seconds
Conversation = Callable[["Line"], Awaitable[None]]


@dataclass
class Line:
    """A client's end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    open: Callable[[], Awaitable["Line"]]

    def send(self, text: str | bytes) -> None:
        self.writer.write(text if isinstance(text, bytes) else text.encode())

    async def answer(self, *, of_head: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        n = 0 if of_head else int(headers.get("content-length", "0"))
        return int(first.split()[1]), headers, await self.reader.readexactly(n)

    async def rest(self) -> bytes:
        """All that comes until the connection ends."""
        return await self.reader.read()


@asynccontextmanager
async def serving(
    app: ASGIApp, state: State, app_state: dict[str, Any]
) -> AsyncIterator[Callable[[], Coroutine[Any, Any, Line]]]:
    loop = asyncio.get_running_loop()
    config = uvicorn.Config(app, log_config=None)
    config.load()
    server = await loop.create_server(
        lambda: Connection(config=config, server_state=state, app_state=app_state), "127.0.0.1", 0
    )

    async def look() -> None:
        while True:
            for client in list(state.clients):
                client.check(loop.time())
            await asyncio.sleep(0.01)

    async def connect() -> Line:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        lines.append(Line(reader, writer, connect))
        return lines[-1]

    lines: list[Line] = []
    looking = loop.create_task(look())
    try:
        yield connect
    finally:
        looking.cancel()
        server.close()
        while state.clients:
            for client in list(state.clients):
                client.abort()
            await asyncio.sleep(0.001)
        for line in lines:
            line.writer.close()
        await asyncio.sleep(0.001)


def talk(app: ASGIApp, conversation: Conversation, **options: Any) -> State:
    """Have a conversation with an app; the server's state afterwards."""
    timeouts = Timeouts(**{"head": 9.0, "body": 9.0, "send": 9.0, "idle": 9.0, **options.pop("timeouts", {})})
    state = State(timeouts, options.pop("max_connections", 100))
    state.set_common([(b"date", b"now")])
    app_state = options.pop("app_state", {})

    async def run() -> None:
        async with serving(app, state, app_state) as connect:
            await conversation(await connect())

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(run(), HANGS))
    return state


async def whole(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def reply(send: Send, *pieces: bytes, status: int = 200, **headers: str) -> None:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": named})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the path and the body."""
    content = scope["path"].encode() + b" " + await whole(receive)
    await reply(send, content, content_length=str(len(content)))


def post(path: str, body: str = "", *, more: str = "") -> str:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{more}\r\n{body}"


def problem(answer: tuple[int, dict[str, str], bytes], status: int, kind: str) -> dict[str, Any]:
    got, headers, body = answer
    told: dict[str, Any] = json.loads(body)
    assert (got, headers["content-type"]) == (status, "application/problem+json")
    assert (told["status"], told["type"]) == (status, f"urn:propense:{kind}")
    return told


def test_a_connection_carries_one_request_after_another() -> None:
    async def conversation(line: Line) -> None:
        for number in range(3):
            line.send(post(f"/{number}", "hello"))
            status, headers, body = await line.answer()
            assert (status, body) == (200, f"/{number} hello".encode())
            assert headers == {"date": "now", "content-length": "8"}

    assert talk(echo, conversation).total_requests == 3


def test_requests_sent_ahead_are_answered_in_their_order() -> None:
    async def conversation(line: Line) -> None:
        line.send("".join(post(f"/{number}", "x" * number) for number in range(20)))
        for number in range(20):
            assert (await line.answer())[2] == f"/{number} {'x' * number}".encode()

    talk(echo, conversation)


def test_a_body_may_come_byte_by_byte_or_in_chunks() -> None:
    async def conversation(line: Line) -> None:
        for byte in post("/slow", "abc").encode():
            line.send(bytes([byte]))
            await line.writer.drain()
            await asyncio.sleep(0.001)
        assert (await line.answer())[2] == b"/slow abc"
        line.send("POST /chunks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        line.send(b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n")
        assert (await line.answer())[2] == b"/chunks " + b"x" * 10_000

    talk(echo, conversation)


def test_a_large_body_is_taken_no_faster_than_the_app_takes_it() -> None:
    seen: list[int] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.2)
        message: Message = {"more_body": True}
        while message["more_body"]:
            message = await receive()
            seen.append(len(message["body"]))
        await reply(send, content_length="0")

    async def conversation(line: Line) -> None:
        line.send(post("/", "x" * 20_000_000))
        assert (await line.answer())[0] == 200

    talk(app, conversation)
    assert sum(seen) == 20_000_000
    assert max(seen) < 1_000_000


def test_an_answer_without_a_length_comes_in_chunks() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await reply(send, b"one", b"", b"three")

    async def conversation(line: Line) -> None:
        line.send(post("/", more="Connection: close\r\n"))
        head, _, body = (await line.rest()).partition(b"\r\n\r\n")
        assert b"\r\ntransfer-encoding: chunked\r\n" in head
        assert body == b"3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"

    talk(app, conversation)


def test_an_old_client_gets_neither_chunks_nor_another_answer() -> None:
    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        assert scope["http_version"] == "1.0"
        await reply(send, b"one", b"two")

    async def conversation(line: Line) -> None:
        line.send("GET / HTTP/1.0\r\n\r\n")
        assert await line.rest() == b"HTTP/1.1 200 OK\r\ndate: now\r\nconnection: close\r\n\r\nonetwo"

    talk(app, conversation)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_some_answers_have_no_body(method: str, status: int) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await reply(send, b"four", status=status, content_length="4")

    async def conversation(line: Line) -> None:
        for _ in range(2):
            line.send(f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await line.answer(of_head=True))[:2] == (status, {"date": "now", "content-length": "4"})

    talk(app, conversation)


def test_a_client_that_waits_to_be_told_is_told_to_go_on() -> None:
    async def conversation(line: Line) -> None:
        head, body = post("/", "hello", more="Expect: 100-continue\r\n").split("\r\n\r\n")
        line.send(head + "\r\n\r\n")
        assert await line.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.send(body)
        assert (await line.answer())[2] == b"/ hello"

    talk(echo, conversation)


def test_an_old_client_gets_no_100_continue() -> None:
    async def conversation(line: Line) -> None:
        line.send("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        await asyncio.sleep(0.05)
        line.send("x")
        assert (await line.rest()).startswith(b"HTTP/1.1 200 OK\r\n")

    talk(echo, conversation)


def test_an_offer_of_another_protocol_is_passed_over() -> None:
    async def conversation(line: Line) -> None:
        offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
        line.send(post("/", "hello", more=offer) + post("/again", "hello"))
        assert (await line.answer())[2] == b"/ hello"
        assert (await line.answer())[2] == b"/again hello"
        line.send(f"GET /bare HTTP/1.1\r\nHost: x\r\n{offer}\r\n")
        assert (await line.answer())[2] == b"/bare "

    talk(echo, conversation)


def test_an_answer_given_before_the_body_came_reaches_the_client_that_sends_on() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await reply(send, b"no", status=413, content_length="2")

    async def conversation(line: Line) -> None:
        line.send(post("/", "x" * 5_000_000, more="Connection: close\r\n"))
        await line.writer.drain()
        await asyncio.sleep(0.1)
        status, headers, body = await line.answer()
        assert (status, headers["connection"], body) == (413, "close", b"no")
        assert await line.rest() == b""

    talk(app, conversation)


def test_a_connection_goes_on_after_a_refused_body() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/refused":
            await reply(send, status=413, content_length="0")
        else:
            await echo(scope, receive, send)

    async def conversation(line: Line) -> None:
        line.send(post("/refused", "x" * 1_000_000))
        assert (await line.answer())[0] == 413
        line.send(post("/", "hello"))
        assert (await line.answer())[2] == b"/ hello"

    talk(app, conversation)


@pytest.mark.parametrize("value", ["a\nb: c", "a\r\nb: c", "a\rb"])
def test_a_line_break_in_a_header_is_not_sent(value: str) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await reply(send, header=value, content_length="0")

    async def conversation(line: Line) -> None:
        line.send(post("/"))
        with pytest.raises(ConnectionResetError):
            await line.rest()

    talk(app, conversation)


@pytest.mark.parametrize("content", [b"short", b"much too long"])
def test_an_answer_of_another_length_than_it_says_is_cut(content: bytes) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await reply(send, content, content_length="8")

    async def conversation(line: Line) -> None:
        line.send(post("/"))
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await line.answer()

    talk(app, conversation)


@pytest.mark.parametrize(
    "sent", ["nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n"]
)
def test_what_is_not_http_is_refused(sent: str) -> None:
    async def conversation(line: Line) -> None:
        line.send(sent)
        answer = await line.answer()
        problem(answer, 400, "bad-request")
        assert answer[1]["connection"] == "close"
        assert await line.rest() == b""

    talk(echo, conversation)


def test_nonsense_after_a_request_does_not_spoil_its_answer() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.05)
        await echo(scope, receive, send)

    async def conversation(line: Line) -> None:
        line.send(post("/", "hello") + "nonsense\r\n\r\n")
        assert (await line.answer())[2] == b"/ hello"
        problem(await line.answer(), 400, "bad-request")
        assert await line.rest() == b""

    talk(app, conversation)


def test_a_body_that_is_not_http_is_refused_in_place_of_an_answer() -> None:
    async def conversation(line: Line) -> None:
        line.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
        problem(await line.answer(), 400, "bad-request")
        assert await line.rest() == b""

    talk(echo, conversation)


@pytest.mark.parametrize("lines", ["A: " + "x" * 1_000_000, "\r\n".join(f"A{n}: x" for n in range(101))])
def test_a_large_head_is_refused(lines: str) -> None:
    async def conversation(line: Line) -> None:
        line.send(f"GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n")
        problem(await line.answer(), 431, "head-too-large")

    talk(echo, conversation)


def test_a_client_that_does_not_hang_up_after_a_refusal_is_cut_off() -> None:
    async def conversation(line: Line) -> None:
        line.send("nonsense\r\n\r\n")
        problem(await line.answer(), 400, "bad-request")
        while not line.writer.is_closing():
            line.send("more")
            await asyncio.sleep(0.01)

    talk(echo, conversation, timeouts={"end": 0.1})


def test_a_connection_without_a_request_ends_without_a_word() -> None:
    async def conversation(line: Line) -> None:
        assert await line.rest() == b""

    talk(echo, conversation, timeouts={"head": 0.1})


@pytest.mark.parametrize("sent", ["POST / HT", "POST / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_come_is_refused(sent: str) -> None:
    async def conversation(line: Line) -> None:
        line.send(sent)
        problem(await line.answer(), 408, "head-too-slow")
        assert await line.rest() == b""

    talk(echo, conversation, timeouts={"head": 0.1})


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ("nonsense\r\n\r\n", "bad-request"),
        ("GET / HTTP/1.1\r\n\r\n", "bad-request"),
        ("GET / HTTP/1.1\r\nHost: x\r\n" + "X: y\r\n" * 101 + "\r\n", "head-too-large"),
        ("GET / HTTP/1.1\r\n", "head-too-slow"),
    ],
)
def test_the_app_hears_of_what_the_server_refuses(sent: str, kind: str) -> None:
    noted: list[str] = []

    def note(problem: Problem) -> bytes:
        noted.append(problem.kind)
        return b"17"

    async def conversation(line: Line) -> None:
        line.send(sent)
        _, headers, body = await line.answer()
        id_ = headers["x-request-id"]
        assert (noted, id_) == ([kind], "17")
        assert json.loads(body)["instance"] == f"urn:propense:request:{id_}"

    talk(
        echo,
        conversation,
        timeouts={"head": 0.1},
        app_state={REFUSED: note},
    )


@pytest.mark.parametrize("n", [64, 65, 66, 200])
def test_of_too_many_requests_sent_ahead_those_that_fit_are_answered(n: int) -> None:
    async def conversation(line: Line) -> None:
        line.send("".join(post(f"/{number}") for number in range(n)))
        for number in range(min(n, 65)):
            assert (await line.answer())[2] == f"/{number} ".encode()
        if n > 65:
            answer = await line.answer()
            problem(answer, 503, "too-many-sent-ahead")
            assert answer[1]["connection"] == "close"
            assert await line.rest() == b""

    talk(echo, conversation)


@pytest.mark.parametrize("behind", ["", "GET / HT"])
def test_a_client_that_closes_its_sending_half_gets_its_answers(behind: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.05)
        await echo(scope, receive, send)

    async def conversation(line: Line) -> None:
        line.send(post("/1", "hello") + post("/2", "x" * 300_000) + behind)
        line.writer.write_eof()
        assert (await line.answer())[2] == b"/1 hello"
        assert (await line.answer())[2] == b"/2 " + b"x" * 300_000
        assert await line.rest() == b""

    state = talk(app, conversation)
    assert not state.clients


def test_a_half_closed_client_is_not_answered_for_half_a_body() -> None:
    async def conversation(line: Line) -> None:
        line.send(post("/", "x" * 10)[:-1])
        line.writer.write_eof()
        assert await line.rest() == b""

    talk(echo, conversation)


def test_a_head_that_comes_slowly_ends_the_connection() -> None:
    async def conversation(line: Line) -> None:
        line.send(post("/"))
        await line.answer()
        line.send("GET / HTTP/1.1\r\nSlow: ")
        while not (line.reader.at_eof() or line.writer.is_closing()):
            line.send("A")
            await asyncio.sleep(0.01)

    talk(echo, conversation, timeouts={"head": 0.1})


@pytest.mark.parametrize("sent", ["", "\r\n"])
def test_a_connection_that_is_not_used_again_ends(sent: str) -> None:
    async def conversation(line: Line) -> None:
        line.send(post("/"))
        await line.answer()
        line.send(sent)
        assert await line.rest() == b""

    talk(echo, conversation, timeouts={"idle": 0.1})


def test_a_body_that_stops_coming_is_refused() -> None:
    async def conversation(line: Line) -> None:
        line.send(post("/", "x" * 10)[:-1])
        answer = await line.answer()
        told = problem(answer, 408, "body-too-slow")
        assert told["detail"] == ("the body stopped coming before it was whole; send it again without pauses")
        assert answer[1]["connection"] == "close"
        assert await line.rest() == b""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await echo(scope, receive, send)
        except Problem as stalled:
            await stalled.response()(scope, receive, send)

    talk(app, conversation, timeouts={"body": 0.1})


def test_a_body_that_comes_slowly_but_steadily_is_waited_for() -> None:
    async def conversation(line: Line) -> None:
        request = post("/", "x" * 20)
        line.send(request[:-20])
        for _ in range(20):
            await asyncio.sleep(0.02)
            line.send("x")
        assert (await line.answer())[2] == b"/ " + b"x" * 20

    talk(echo, conversation, timeouts={"body": 0.2, "head": 0.2, "idle": 0.2})


def test_an_app_that_takes_its_time_is_waited_for() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.4)
        await echo(scope, receive, send)

    async def conversation(line: Line) -> None:
        line.send(post("/", "hello"))
        assert (await line.answer())[2] == b"/ hello"

    talk(app, conversation, timeouts={"body": 0.1, "head": 0.1, "idle": 0.1, "send": 0.1})


def test_a_client_that_does_not_read_is_cut_off() -> None:
    ended: list[str] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            await reply(send, *[b"x" * 1_000_000] * 50)
        except asyncio.CancelledError:
            ended.append(scope["path"])
            raise

    async def conversation(line: Line) -> None:
        line.send(post("/large"))
        while not ended:
            await asyncio.sleep(0.01)

    talk(app, conversation, timeouts={"send": 0.1})
    assert ended == ["/large"]


def test_a_client_that_reads_slowly_but_steadily_gets_all() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await reply(send, b"x" * 20_000_000, content_length="20000000")

    async def conversation(line: Line) -> None:
        line.send(post("/large"))
        await line.reader.readuntil(b"\r\n\r\n")
        for _ in range(20):
            await asyncio.sleep(0.02)
            await line.reader.readexactly(1_000_000)

    talk(app, conversation, timeouts={"send": 0.2})


def test_a_client_that_has_gone_is_not_answered() -> None:
    gone = asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        try:
            await asyncio.sleep(HANGS)
        except asyncio.CancelledError:
            gone.set()
            raise

    async def conversation(line: Line) -> None:
        line.send(post("/"))
        await line.writer.drain()
        await asyncio.sleep(0.05)
        line.writer.close()
        await gone.wait()

    talk(app, conversation, timeouts={"half": 0.1})


def test_a_client_that_goes_before_its_request_is_looked_at_leaves_nothing_behind() -> None:
    """A task that is cancelled before it begins never runs: the server would wait for it at its end."""
    state = State(Timeouts(), 100)
    transport = Mock(spec=asyncio.Transport)
    transport.get_extra_info.return_value = None

    async def come_and_go() -> None:
        config = uvicorn.Config(echo, log_config=None)
        config.load()
        connection = Connection(config=config, server_state=state, app_state={})
        connection.connection_made(transport)
        connection.data_received(post("/").encode())
        assert len(state.tasks) == 1
        connection.connection_lost(None)
        await asyncio.sleep(0.01)

    asyncio.run(come_and_go())
    assert not state.tasks
    assert not state.clients


def test_beyond_the_limit_of_connections_only_probes_are_answered() -> None:
    async def conversation(line: Line) -> None:
        line.send(post("/", "hello"))
        assert (await line.answer())[2] == b"/ hello"
        second = await line.open()
        second.send(post("/", "hello"))
        answer = await second.answer()
        problem(answer, 503, "too-many-connections")
        assert (answer[1]["retry-after"], answer[1]["connection"]) == ("1", "close")
        probe = await line.open()
        probe.send(post("/health/live"))
        _, headers, body = await probe.answer()
        assert (headers["connection"], body) == ("close", b"/health/live ")
        assert await probe.rest() == b""
        line.send(post("/", "still here"))
        assert (await line.answer())[2] == b"/ still here"

    talk(echo, conversation, max_connections=1)


def test_far_beyond_the_limit_connections_are_cut() -> None:
    async def conversation(line: Line) -> None:
        for _ in range(64):
            await line.open()
        beyond = await line.open()
        with pytest.raises(ConnectionResetError):
            await beyond.rest()

    talk(echo, conversation, max_connections=1)


def test_a_connection_that_has_ended_is_let_go_without_the_garbage_collector() -> None:
    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await reply(send, await whole(receive))

    async def conversation(line: Line) -> None:
        for text in (
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1",
            "no HTTP\r\n\r\n",
        ):
            other = await line.open()
            other.send(text)
            await other.answer()
            other.writer.close()
        line.writer.close()
        while sum(type(each) is Connection for each in gc.get_objects()) > 1:  # the one last looked at
            await asyncio.sleep(0.01)

    gc.collect()
    gc.disable()
    try:
        talk(app, conversation)
    finally:
        gc.enable()
