"""Every route, by every method, with every kind of key; and what other machines get without any."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import BaseRoute

from app.main import create_app
from app.settings import Settings
from tests.app.access.conftest import KeyTexts
from tests.app.client import Client, running
from tests.app.server.test_refusals import problem

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
PROBES = ("/health/live", "/health/ready")
ADMIN = ("/metrics", "/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc")
NETWORK, LOOPBACK = "http://10.1.2.3:8000", "http://127.0.0.1:8000"
ADMIN_PORT = 9000


def paths_of(routes: list[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if included := getattr(route, "original_router", None):
            yield from paths_of(included.routes)
        elif path := getattr(route, "path", None):
            yield path


def every_path(client_app: Any) -> list[str]:
    filled = {
        path.replace("{name}", "churn").replace("{version}", "1") for path in paths_of(client_app.routes)
    }
    return sorted(filled | {"/", "/v1", "/v1/models/nobody", "/nothing", "/v1/models/churn/reload"})


def ask(client: Client, method: str, path: str, key: str | None = None, **options: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return client.request(method, path, headers=headers, **options)


@pytest.fixture(scope="module")
def paths(registry: Path) -> list[str]:
    found = every_path(create_app(Settings(registry=registry)))
    assert {"/v1/models", "/v1/models/churn/predict", *PROBES, *ADMIN} <= set(found)
    return found


@pytest.mark.parametrize("method", METHODS)
def test_every_route_refuses_who_may_not_and_takes_who_may(
    keyed: Client, keys: KeyTexts, paths: list[str], method: str
) -> None:
    for path in paths:
        admin = path in ADMIN or path.endswith("/reload")
        right, other = (keys.admin, keys.predict) if admin else (keys.predict, keys.admin)
        told = [
            ask(keyed, method, path, key).status_code
            for key in (None, keys.wrong, keys.expired, other, right)
        ]
        if path in PROBES:
            assert set(told) == {200 if method in ("GET", "HEAD") else 405}
        else:
            assert told[:4] == [401, 401, 401, 403], (method, path)
            assert told[4] not in (401, 403), (method, path)
            assert told[4] < 500, (method, path)


def test_a_key_opens_what_it_is_for(keyed: Client, keys: KeyTexts) -> None:
    body: dict[str, list[dict[str, Any]]] = {"customers": [{}]}
    headers = {"authorization": f"Bearer {keys.predict}"}
    assert keyed.predict("churn", body, headers=headers).status_code == 200
    assert keyed.predict("churn", body, version=1, headers={"X-API-Key": keys.predict}).status_code == 200
    for path in ADMIN:
        assert ask(keyed, "GET", path, keys.admin).status_code == 200
    assert ask(keyed, "GET", "/v1/models", keys.predict).status_code == 200


def test_refusals_are_problems_with_a_challenge(keyed: Client, keys: KeyTexts) -> None:
    for key, status, kind in (
        (None, 401, "key-missing"),
        (keys.wrong, 401, "key-unknown"),
        (keys.expired, 401, "key-expired"),
        (keys.admin, 403, "key-without-scope"),
    ):
        answer = ask(keyed, "POST", "/v1/models/churn/predict", key, json={"customers": [{}]})
        problem(answer, status, kind)
        assert answer.headers["www-authenticate"].startswith('Bearer realm="propense"')
        assert "x-request-id" in answer.headers


def test_a_body_is_not_read_before_the_key(keyed: Client) -> None:
    async def never() -> Any:
        raise AssertionError("the body was read")
        yield b""

    answer = keyed.request("POST", "/v1/models/churn/predict", content=never())
    problem(answer, 401, "key-missing")


def test_refused_requests_are_counted(keyed: Client, keys: KeyTexts) -> None:
    line = 'propense_requests_total{route="/v1/models/{name}/predict",status="401"}'
    ask(keyed, "POST", "/v1/models/churn/predict")
    assert line in ask(keyed, "GET", "/metrics", keys.admin).text


@pytest.mark.parametrize("path", ["/metrics", "/openapi.json", "/docs", "/v1/models/churn/reload"])
def test_a_line_break_behind_a_path_opens_no_other(keyed: Client, keys: KeyTexts, path: str) -> None:
    method = "POST" if path.endswith("reload") else "GET"
    for key in (keys.predict, keys.admin):
        assert ask(keyed, method, f"{path}%0A", key).status_code == 404


def test_no_secret_is_in_what_the_service_tells(keyed: Client, keys: KeyTexts) -> None:
    keyed.predict("churn", {"customers": [{}]}, headers={"authorization": f"Bearer {keys.predict}"})
    texts = [ask(keyed, "GET", path, keys.admin).text for path in ADMIN]
    texts += [ask(keyed, "GET", "/v1/models", key).text for key in (keys.predict, keys.wrong, keys.expired)]
    for key in (keys.predict, keys.admin, keys.expired, keys.wrong):
        assert not any(key[-20:] in text for text in texts)


def test_the_document_tells_how_to_send_a_key(keyed: Client, keys: KeyTexts, client: Client) -> None:
    document = ask(keyed, "GET", "/openapi.json", keys.admin).json()
    assert document["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    predict = document["paths"]["/v1/models/churn/predict"]["post"]
    assert predict["security"] == [{"bearer": []}, {"header": []}]
    assert {"401", "403", "429"} <= predict["responses"].keys()
    assert "security" not in document["paths"]["/health/ready"]["get"]
    assert "security" not in client.get("/openapi.json").text


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_no_other_site_may_read_an_answer(keyed: Client, keys: KeyTexts, client: Client, origin: str) -> None:
    asked = {"origin": origin, "access-control-request-method": "POST"}
    for one, headers in ((client, asked), (keyed, asked | {"x-api-key": keys.predict}), (keyed, asked)):
        for method in ("OPTIONS", "GET", "POST"):
            answer = one.request(method, "/v1/models/churn/predict", headers=headers)
            assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "value",
    [
        "Bearer é".encode(),
        "Bearer ключ".encode(),
        b"Bearer \xff\xfe\x00",
        b"Bearer " + b"x" * 2**20,
        b"Bearer " * 1000,
        b"\xff" * 100,
        b"Bearer pk__",
        b"Bearer pk_" + b"_" * 200,
    ],
)
@pytest.mark.parametrize("name", [b"Authorization", b"X-API-Key"])
def test_odd_headers_are_no_key(keyed: Client, name: bytes, value: bytes) -> None:
    answer = keyed.request("GET", "/v1/models", headers=[(name, value)])
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_of_two_headers_the_last_counts(keyed: Client, keys: KeyTexts) -> None:
    right, wrong = (("authorization", f"Bearer {key}") for key in (keys.predict, keys.wrong))
    assert keyed.request("GET", "/v1/models", headers=[wrong, right]).status_code == 200
    assert keyed.request("GET", "/v1/models", headers=[right, wrong]).status_code == 401


@pytest.mark.parametrize(
    "id_", ["%2e%2e", "%2e%2e%2f%2e%2e", "a%00b", "%00", "a%0d%0ab", "%ff", "%2e%2e%2fchurn"]
)
def test_ids_that_are_no_names_lead_nowhere(keyed: Client, keys: KeyTexts, client: Client, id_: str) -> None:
    for path in (f"/v1/models/{id_}/predict", f"/v1/models/churn/versions/{id_}/predict"):
        for one, key in ((client, None), (keyed, keys.predict)):
            answer = ask(one, "POST", path, key, json={"customers": [{}]})
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"


def test_a_prefix_in_front_of_the_paths_opens_no_door(registry: Path, keys: KeyTexts) -> None:
    """A proxy's prefix (ASGI's root_path) is part of the path that the router does not look at."""
    app = create_app(Settings(registry=registry, keys=keys.file))

    async def behind_a_prefix(scope: Any, receive: Any, send: Any) -> None:
        await app(scope | {"root_path": "/api"}, receive, send)

    with running(app) as client:
        client._http._transport = httpx.ASGITransport(behind_a_prefix)
        assert ask(client, "GET", "/api/metrics", keys.predict).status_code == 403
        assert ask(client, "GET", "/api/metrics", keys.admin).status_code == 200
        assert ask(client, "GET", "/api/health/live").status_code == 200
        assert ask(client, "GET", "/api/v1/models").status_code == 401


def statuses(client: Client, base: str, key: str | None = None) -> list[int]:
    """Of a probe, a description, the admin paths and a reload, asked at an address."""
    asked = [("GET", path) for path in ("/health/live", "/v1/models", *ADMIN)]
    asked.append(("POST", "/v1/models/churn/reload"))
    return [ask(client, method, base + path, key).status_code for method, path in asked]


def service(registry: Path, **settings: Any) -> Any:
    return running(create_app(Settings(registry=registry, **settings)))


HIDDEN = [404] * 6  # the five of ADMIN and the reload


def without_reload(told: list[int]) -> list[int]:
    """Whether there is a model to reload is not what is asked here."""
    assert told[-1] not in (401, 403)
    return told[:-1]


def test_without_keys_this_machine_may_and_others_may_not(registry: Path) -> None:
    with service(registry) as client:
        for base in (LOOPBACK, "http://[::1]:8000", "http://[::ffff:127.0.0.1]:8000", ""):
            assert without_reload(statuses(client, base)) == [200] * 7
        for base in (NETWORK, "http://[fd00::1]:8000"):
            assert statuses(client, base) == [200] + [403] * 7
        told = problem(client.get(NETWORK + "/v1/models"), 403, "no-keys")
        assert told["detail"] == (
            "the service has no keys, so it answers its own machine only; set PROPENSE_KEYS"
        )


def test_open_to_all_the_admin_paths_are_off(registry: Path) -> None:
    with service(registry, auth=False, host="0.0.0.0") as client:
        for base in (NETWORK, LOOPBACK):
            assert statuses(client, base) == [200, 200, *HIDDEN]
    with service(registry, auth=False) as client:
        assert without_reload(statuses(client, LOOPBACK)) == [200] * 7
        assert statuses(client, NETWORK) == [200, 200, *HIDDEN]  # as `uvicorn --host` has it


def test_with_an_admin_port_the_public_one_has_no_admin_paths(registry: Path, keys: KeyTexts) -> None:
    public, admin, far = NETWORK, f"http://127.0.0.1:{ADMIN_PORT}", f"http://10.1.2.3:{ADMIN_PORT}"
    with service(registry, keys=keys.file, host="0.0.0.0", admin_port=ADMIN_PORT) as client:
        for key in (None, keys.admin):
            assert statuses(client, public, key)[2:] == HIDDEN
        problem(ask(client, "GET", public + "/metrics"), 404, "not-found")
        assert statuses(client, public, keys.predict)[:2] == [200, 200]
        told = without_reload(statuses(client, admin))
        assert told == [200, 401] + [200] * 5
        assert statuses(client, far)[2:] == [401] * 6  # no loopback address after all
    with service(registry, auth=False, host="0.0.0.0", admin_port=ADMIN_PORT) as client:
        assert statuses(client, public) == [200, 200, *HIDDEN]
        assert without_reload(statuses(client, admin)) == [200] * 7


def test_a_public_admin_port_needs_an_admin_key(registry: Path, keys: KeyTexts) -> None:
    base = f"http://10.1.2.3:{ADMIN_PORT}"
    with service(registry, keys=keys.file, admin_port=ADMIN_PORT, admin_host="0.0.0.0") as client:
        assert statuses(client, base) == [200] + [401] * 7
        assert statuses(client, f"http://127.0.0.1:{ADMIN_PORT}") == [200] + [401] * 7
        assert statuses(client, base, keys.predict) == [200, 200] + [403] * 6
        assert without_reload(statuses(client, base, keys.admin)) == [200, 403] + [200] * 5


def test_a_host_header_does_not_make_an_address(registry: Path) -> None:
    with service(registry) as client:
        answer = client.request("GET", NETWORK + "/v1/models", headers={"host": "127.0.0.1"})
        assert answer.status_code == 403


def test_each_key_has_its_rate(registry: Path, keys: KeyTexts) -> None:
    with service(registry, keys=keys.file, rate=0.01) as client:
        told = [ask(client, "GET", "/v1/models", keys.predict) for _ in range(4)]
        assert [answer.status_code for answer in told] == [200, 200, 429, 429]
        problem(told[2], 429, "too-many-requests")
        assert 90 < int(told[2].headers["retry-after"]) <= 100
        assert ask(client, "GET", "/metrics", keys.admin).status_code == 200
        assert ask(client, "GET", "/health/live", keys.predict).status_code == 200
