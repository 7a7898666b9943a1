"""Bytes of a connection to requests, by httptools."""

from functools import lru_cache
from typing import Any, Final, Protocol
from urllib.parse import unquote

import httptools
from starlette.types import Scope

from app.errors import Problem
from app.server.refusals import large_head, not_http

_MAX_HEAD: Final = 64 * 1024  # bytes
_MAX_HEADERS: Final = 100
_SHORT: Final = 256  # bytes of a target that is remembered
_FRAMING: Final = (b"content-length", b"transfer-encoding")
_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}


class Taker(Protocol):
    """What is done with requests."""

    def take_head(self, scope: Scope, *, keep_alive: bool, expects_continue: bool) -> None:
        """A request begins."""

    def take_body(self, body: bytes) -> None:
        """Some of its body came."""

    def end_body(self) -> None:
        """Its body is whole."""


class Requests:
    """Reads the requests of one connection, one after another.

    Args:
        base: what the scope of every request holds.
        state: of the app; every request has its own copy.
    """

    def __init__(self, taker: Taker, base: dict[str, Any], state: dict[str, Any]) -> None:
        self._taker = taker
        self._base = {"type": "http", "asgi": _ASGI, "http_version": "1.1", "root_path": "", **base}
        self._state = state
        self._parser = self._new_parser()
        self._goes_on = False
        self.in_head = False
        self._head_bytes = 0

    def feed(self, data: bytes) -> None:
        """Read bytes.

        Raises:
            Problem: they cannot become a request; nothing more can be read.
        """
        went_on = self.in_head
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            raise _cause(error) from None
        if went_on and self.in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD:
                raise large_head()

    def close(self) -> None:
        """Nothing more is read. The parser holds this: both would stay until the collector comes."""
        del self._parser

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._pass_over(data[upgrade.args[0] :])

    def _pass_over(self, rest: bytes) -> None:
        """Go on in HTTP/1.1 where a client offers another protocol, as Java's does with its first request.

        The parser leaves the body of such a request alone: a new one reads it, told the same framing.
        """
        framing = (b"%s: %s\r\n" % header for header in self._headers if header[0] in _FRAMING)
        self._parser = self._new_parser()
        self._goes_on = True
        self._feed(b"".join((b"POST / HTTP/1.1\r\n", *framing, b"\r\n", rest)))

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        # What follows a request that is its connection's last is dropped; it is no fault of that request.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    # What the parser calls.

    def on_message_begin(self) -> None:
        self.in_head = True
        self._head_bytes = 0
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._expects_continue = False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.in_head:  # after a body: such headers would pass whoever has checked the head
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects_continue = True
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            raise not_http()  # compressed, perhaps
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.in_head = False
        if self._goes_on:
            self._goes_on = False
            return
        if len(self._headers) > _MAX_HEADERS:
            raise large_head()
        version = self._parser.get_http_version()
        scope = {
            **self._base,
            **(_target(self._url) if len(self._url) <= _SHORT else _read_target(self._url)),
            "method": self._parser.get_method().decode("ascii"),
            "headers": self._headers,
            "state": self._state.copy(),
        }
        if version != "1.1":
            scope["http_version"] = version
        self._taker.take_head(
            scope,
            keep_alive=version == "1.1" and self._parser.should_keep_alive(),
            expects_continue=self._expects_continue,
        )

    def on_body(self, body: bytes) -> None:
        self._taker.take_body(body)

    def on_message_complete(self) -> None:
        if not self._parser.should_upgrade():
            self._taker.end_body()


def _read_target(url: bytes) -> dict[str, Any]:
    """What a scope holds of the request's target."""
    read = httptools.parse_url(url)
    path = read.path.decode("ascii")
    return {
        "path": unquote(path) if "%" in path else path,
        "raw_path": read.path,
        "query_string": read.query or b"",
    }


_target: Final = lru_cache(maxsize=128)(_read_target)  # clients ask for the same again and again


def _cause(error: httptools.HttpParserError) -> Problem:
    """What a callback raised comes as the context of the parser's own error."""
    return error.__context__ if isinstance(error.__context__, Problem) else not_http()
