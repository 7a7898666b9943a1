"""The parser of a connection's bytes into requests, by httptools."""

import re
from functools import lru_cache
from typing import Any, Final, Protocol
from urllib.parse import unquote

import httptools
from starlette.types import Scope

from app.errors import Problem
from app.server.exchange import Exchange
from app.server.refusals import large_head, long_target, not_http

_MAX_HEAD: Final = 64 * 1024  # bytes
_MAX_HEADERS: Final = 100
_CACHED: Final = 256  # bytes of a target that is cached
_MAX_TARGET: Final = 65_535  # bytes; httptools splits no longer one
_HOST: Final = re.compile(rb"([A-Za-z0-9._~!$&'()*+;=%-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")
_FRAMING: Final = (b"content-length", b"transfer-encoding")
_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}


class Receiver(Protocol):
    """The connection, as the parser sees it."""

    def begin(self, scope: Scope, *, keep_alive: bool, expects_continue: bool) -> Exchange | None:
        """Begin a request; None: nothing takes its body.

        Raises:
            Problem: it is refused before it is looked at.
        """


class RequestParser:
    """Parses the requests of one connection, one after another.

    Args:
        base: keys of the scope of every request.
        state: of the application; every request has its own copy.

    Attributes:
        in_head: whether a request's head has begun and is not complete.
        exchange: the latest request.
    """

    def __init__(self, receiver: Receiver, base: dict[str, Any], state: dict[str, Any]) -> None:
        self._receiver = receiver
        self._base = {"type": "http", "asgi": _ASGI, "http_version": "1.1", "root_path": "", **base}
        self._state = state
        self._parser = self._new_parser()
        self._continues = False
        self._head_bytes = 0
        self.in_head = False
        self.exchange: Exchange | None = None

    def feed(self, data: bytes) -> None:
        """Parse bytes.

        Raises:
            Problem: they are no request; nothing more can be parsed.
        """
        was_in_head = self.in_head
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            raise _cause(error) from None
        if was_in_head and self.in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD:
                raise large_head()

    def close(self) -> None:
        """Break the circle of this and httptools' parser: else both would stay until the collector runs."""
        del self._parser
        self.exchange = None

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Continue in HTTP/1.1 where a client offers another protocol, as Java's does with its first request.

        httptools does not read the body of such a request: a new parser does, given the same framing.
        """
        framing = (b"%s: %s\r\n" % header for header in self._headers if header[0] in _FRAMING)
        self._parser = self._new_parser()
        self._continues = True
        self._feed(b"".join((b"POST / HTTP/1.1\r\n", *framing, b"\r\n", rest)))

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        # What follows the last request of a connection is dropped; it is no fault of that request.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    # Called by httptools' parser.

    def on_message_begin(self) -> None:
        self.in_head = True
        self._head_bytes = 0
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._expects_continue = False
        self._n_hosts = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.in_head:  # a trailer: it would evade all checks of the head
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects_continue = True
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            raise not_http()  # compressed, perhaps
        elif name == b"host":
            self._n_hosts += 1
            if not _is_host(value):
                raise not_http("Host must be a name or an address, with or without a port")
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.in_head = False
        if self._continues:
            self._continues = False
            return
        if len(self._headers) > _MAX_HEADERS:
            raise large_head()
        version = self._parser.get_http_version()
        if self._n_hosts != 1 and (self._n_hosts or version == "1.1"):
            raise not_http(f"a request must have one header Host, got {self._n_hosts}")
        if len(self._url) > _MAX_TARGET:
            raise long_target(_MAX_TARGET)
        scope = {
            **self._base,
            **(_target(self._url) if len(self._url) <= _CACHED else _parse_target(self._url)),
            "method": self._parser.get_method().decode("ascii"),
            "headers": self._headers,
            "state": self._state.copy(),
        }
        if version != "1.1":
            scope["http_version"] = version
        self.exchange = self._receiver.begin(
            scope,
            keep_alive=version == "1.1" and self._parser.should_keep_alive(),
            expects_continue=self._expects_continue and version == "1.1",
        )

    def on_body(self, body: bytes) -> None:
        if self.exchange:
            self.exchange.take(body)

    def on_message_complete(self) -> None:
        if self.exchange and not self._parser.should_upgrade():
            self.exchange.end()


def _parse_target(url: bytes) -> dict[str, Any]:
    """The parts of a scope that stand in a request's target."""
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    return {
        "path": unquote(path) if "%" in path else path,
        "raw_path": parsed.path,
        "query_string": parsed.query or b"",
    }


_target: Final = lru_cache(maxsize=128)(_parse_target)  # clients send the same ones again and again


@lru_cache(maxsize=128)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def _cause(error: httptools.HttpParserError) -> Problem:
    """The problem that a callback raised, which httptools makes the context of its own error."""
    return error.__context__ if isinstance(error.__context__, Problem) else not_http()
