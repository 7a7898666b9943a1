"""No odd way of writing a path opens more than the path itself: every route, caller and set-up."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.types import Message, Scope

from app.errors import Problem
from app.main import create_app
from app.server.exchange import Exchange
from app.server.parser import RequestParser
from app.settings import Settings
from tests.app.access.conftest import KeyTexts
from tests.app.access.test_admit import ADMIN, paths_of
from tests.app.client import running

CLOSED = {400, 401, 403, 404, 405, 414, 431}
METHODS = ("GET", "POST")
OTHER_METHODS = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "CONNECT")
ADMIN_PORT = 9000
SUFFIXES = (
    *("%0A", "%0a%0a", "%0D", "%0d%0a", "%00", "%20", "%09", "%7f", "%ff", "%c0%ae", "%e2%80%a8", "%C2%85"),
    *(
        "/",
        "//",
        "/.",
        "/./",
        "/..",
        "%2e",
        "%2f",
        "%5c",
        "\\",
        ";x",
        ";",
        "%3bx",
        "%3f",
        "?",
        "?x=/health/live",
    ),
    *(
        "#",
        "#/health/live",
        "%23",
        ".json",
        "~",
        "*",
        "/health/live",
        "/../health/live",
        "%2f%2e%2e%2fhealth/live",
    ),
)
PREFIXES = (
    *(
        "/",
        "/.",
        "/./",
        "//",
        "/x/..",
        "/%2e",
        "%2f",
        "/%2f",
        "/\\",
        "/%0a",
        "/health/live/..",
        "/v1/models/..",
    ),
    *(
        "http://localhost",
        "http://evil.example",
        "http://user@localhost:1",
        "HTTP://LOCALHOST",
        "//localhost",
    ),
)
OVERRIDES = "".join(
    f"{name}: {value}\r\n"
    for name, value in {
        "X-HTTP-Method-Override": "GET",
        "X-Original-URL": "/health/live",
        "X-Rewrite-URL": "/health/live",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Host": "localhost",
        "X-Forwarded-Port": str(ADMIN_PORT),
        "X-Forwarded-Prefix": "/health/live",
        "Forwarded": "for=127.0.0.1;host=localhost",
    }.items()
)


class Heard:
    """Takes what the parser makes of some bytes."""

    scope: Scope | None = None

    def begin(self, scope: Scope, *, keep_alive: bool, expects_continue: bool) -> Exchange | None:
        assert keep_alive is not expects_continue
        self.scope = scope
        return None


def parsed(method: str, target: str, key: str | None, version: str, server: tuple[str, int]) -> Scope | None:
    """The scope of a request; None where the server refuses its bytes."""
    secret = f"Authorization: Bearer {key}\r\n" if key else ""
    closing = "Connection: keep-alive\r\n" if version == "1.0" else ""
    heard = Heard()
    parser = RequestParser(heard, {"scheme": "http", "server": server, "client": ("127.0.0.1", 5)}, {})
    text = f"{method} {target} HTTP/{version}\r\nHost: localhost\r\n{secret}{closing}{OVERRIDES}\r\n"
    try:
        parser.feed(text.encode("latin-1"))
    except Problem:
        return None
    return heard.scope


async def status(app: FastAPI, scope: Scope | None) -> int:
    if scope is None:
        return 400
    told: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    await app(scope, receive, send)
    return told[0]


def odd(path: str) -> Iterator[str]:
    """Ways to write a path that some server somewhere takes for the path."""
    yield path
    yield from (path + suffix for suffix in SUFFIXES)
    yield from (prefix + path for prefix in PREFIXES)
    yield from (path.upper(), path.title(), path[1:], path.replace("/", "%2f"), path.replace("/", "%252f"))
    yield from (path.replace("/", "//"), path.replace("/", "/./"), path.replace("/", "\\"))
    yield f"{path[:-1]}%{ord(path[-1]):02x}"
    yield f"{path[:-1]}%25{ord(path[-1]):02x}"
    yield path.replace("churn", "churn%0a")
    yield path.replace("churn", "churn%2fx")


SETUPS: dict[str, tuple[dict[str, Any], tuple[str, int]]] = {
    "keys": ({"host": "0.0.0.0"}, ("10.1.2.3", 8000)),
    "keys, admin port": ({"host": "0.0.0.0", "admin_port": ADMIN_PORT}, ("10.1.2.3", 8000)),
    "keys, at a public admin port": (
        {"host": "0.0.0.0", "admin_port": ADMIN_PORT, "admin_host": "0.0.0.0"},
        ("10.1.2.3", ADMIN_PORT),
    ),
    "auth off": ({"host": "0.0.0.0", "auth": False}, ("10.1.2.3", 8000)),
    "auth off, admin port": (
        {"host": "0.0.0.0", "auth": False, "admin_port": ADMIN_PORT},
        ("10.1.2.3", 8000),
    ),
    "no keys, by network": ({}, ("10.1.2.3", 8000)),
}


@pytest.mark.parametrize("setup", SETUPS)
def test_no_odd_path_opens_more_than_the_path(registry: Path, keys: KeyTexts, setup: str) -> None:
    settings, server = SETUPS[setup]
    with_keys = setup.startswith("keys")
    app = create_app(
        Settings(registry=registry, watch_seconds=0, keys=keys.file if with_keys else None, **settings)
    )
    callers = (
        {"nobody": None, "predict": keys.predict, "admin": keys.admin} if with_keys else {"nobody": None}
    )
    plain = {
        path.replace("{name}", "churn").replace("{version}", "1")
        for path in paths_of(app.routes)
        if not path.startswith("/health")
    }

    async def ways_around() -> list[str]:
        found = []
        for path in sorted(plain):
            admin = path in ADMIN or path.endswith("/reload")
            for caller, key in callers.items():
                hidden = admin and "public" not in setup and ("off" in setup or "admin port" in setup)
                may = with_keys and caller == ("admin" if admin else "predict") and not hidden
                may = may or ("off" in setup and not admin)
                for method in (*METHODS, *OTHER_METHODS):
                    for target in odd(path) if method in METHODS else (path,):
                        for version in ("1.1", "1.0") if target == path else ("1.1",):
                            scope = parsed(method, target, key, version, server)
                            got = await status(app, scope)
                            if got not in CLOSED and not may:
                                found.append(f"{caller}: {method} {target!r} {version}: {got}")
                own = ("GET", "POST")
                opened = [await status(app, parsed(m, path, key, "1.1", server)) not in CLOSED for m in own]
                assert any(opened) is may, (path, caller, opened)
        return found

    with running(app) as client:
        client.wait_until_loaded()
        assert client._portal.call(ways_around) == []


def test_a_new_route_is_for_those_who_run_the_service(keys: KeyTexts, registry: Path) -> None:
    app = create_app(Settings(registry=registry, keys=keys.file))
    app.add_api_route("/v1/models/{name}/debug", lambda name: name)
    with running(app) as client:
        told = [
            client.request("GET", "/v1/models/churn/debug", headers={"x-api-key": key}).status_code
            for key in (keys.predict, keys.admin)
        ]
        assert told == [403, 200]
