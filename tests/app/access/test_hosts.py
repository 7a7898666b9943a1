"""Which hosts and pages a request without a key may come by."""

from pathlib import Path
from typing import Any

import pytest

from app.access.admit import check_page
from app.errors import Problem
from app.main import create_app
from app.settings import Settings
from tests.app.access.conftest import KeyTexts
from tests.app.client import Client, running
from tests.app.server.test_refusals import problem


def kind(method: str = "GET", *, hosts: Any = frozenset(), **headers: Any) -> str | None:
    """The problem of a request without a key, if it has one."""
    sent = {name.replace("_", "-").encode(): value.encode("latin-1") for name, value in headers.items()}
    try:
        check_page(sent, method, hosts)
    except Problem as problem:
        return problem.kind
    return None


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:8000", "127.1.2.3", "[::1]", "[::1]:8000"),
        *("[::ffff:127.0.0.1]:1", "shop-server:80", "models.example", "Models.Example:443"),
    ],
)
def test_names_of_this_machine_and_allowed_names_are_taken(host: str) -> None:
    assert kind(host=host, hosts=frozenset({"models.example"})) is None


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "evil.example:8000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
            ":8000",
        ),
        *("localhost@evil.example", "10.1.2.3", "[fd00::1]:8000", "models.example.evil", "xmodels.example"),
        *("0x7f.1", "0.0.0.0", "evil.", "shop-server.", "[::]"),
    ],
)
def test_all_others_are_refused(host: str) -> None:
    assert kind(host=host, hosts=frozenset({"models.example"})) == "host-not-allowed"


def test_a_star_allows_all_and_a_client_of_http_1_0_names_none() -> None:
    assert kind(host="evil.example", hosts=frozenset("*")) is None
    assert kind() is None


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"origin": "http://localhost:8000"}, False),
        ({"origin": "http://localhost:8000", "sec_fetch_site": "same-origin"}, False),
        ({"sec_fetch_site": "none"}, False),
        ({"origin": "http://evil.example"}, True),
        ({"origin": "http://localhost:3000"}, True),
        ({"origin": "null"}, True),
        ({"sec_fetch_site": "cross-site"}, True),
        ({"sec_fetch_site": "same-site"}, True),
        ({"origin": "http://localhost:8000", "sec_fetch_site": "cross-site"}, True),
    ],
)
def test_no_page_of_another_site_may_change_anything(headers: dict[str, str], *, refused: bool) -> None:
    expected = "cross-site" if refused else None
    assert kind("POST", host="localhost:8000", **headers) == expected
    assert kind("GET", host="localhost:8000", **headers) is None


def ask(client: Client, method: str, path: str, **headers: str) -> Any:
    return client.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_a_service_without_keys_looks_at_hosts_and_pages(client: Client) -> None:
    for path in ("/v1/models", "/metrics", "/docs", "/nothing"):
        told = problem(ask(client, "GET", path, host="evil.example:8000"), 403, "host-not-allowed")
        assert told["detail"] == "without keys, Host must be localhost or one of PROPENSE_ALLOWED_HOSTS"
    reload = "/v1/models/churn/reload"
    problem(ask(client, "POST", reload, origin="http://evil.example"), 403, "cross-site")
    problem(ask(client, "POST", reload, sec_fetch_site="cross-site"), 403, "cross-site")
    assert ask(client, "POST", reload, sec_fetch_site="same-origin").status_code == 200
    assert ask(client, "GET", "/health/live", host="evil.example").status_code == 200


def test_a_key_stands_for_itself_and_an_open_service_for_all(
    keyed: Client, keys: KeyTexts, registry: Path
) -> None:
    evil = {"host": "evil.example", "origin": "http://evil.example"}
    assert ask(keyed, "GET", "/v1/models", x_api_key=keys.predict, **evil).status_code == 200
    with running(create_app(Settings(registry=registry, auth=False, host="0.0.0.0"))) as client:
        assert ask(client, "GET", "http://10.1.2.3/v1/models", **evil).status_code == 200
    settings = Settings(registry=registry, auth=False, host="0.0.0.0", allowed_hosts=frozenset({"a.example"}))
    with running(create_app(settings)) as client:
        assert ask(client, "GET", "http://10.1.2.3/v1/models", **evil).status_code == 403
        assert ask(client, "GET", "http://10.1.2.3/v1/models", host="a.example").status_code == 200


def test_an_admin_port_without_a_key_looks_at_hosts(registry: Path, keys: KeyTexts) -> None:
    settings = Settings(registry=registry, keys=keys.file, host="0.0.0.0", admin_port=9000)
    with running(create_app(settings)) as client:
        address = "http://127.0.0.1:9000/metrics"
        assert ask(client, "GET", address).status_code == 200
        assert ask(client, "GET", address, host="evil.example:9000").status_code == 403
