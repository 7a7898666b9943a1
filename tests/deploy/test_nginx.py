"""What the proxy passes on, refuses and hides; each replica here only says what it received."""

import http.client
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from tests.benchmarks.serving.process import free_port
from tests.deploy.files import NGINX
from tests.deploy.proxy import Proxy, command, needs_nginx, running, write_config

PREDICT = "/v1/models/churn/predict"


class Replica(BaseHTTPRequestHandler):
    """Answers with the head and the size of a request."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        size = int(self.headers["content-length"] or 0)
        self.rfile.read(size)
        body = json.dumps({"path": self.path, "size": size, "id": self.headers["x-request-id"]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-request-id", self.headers["x-request-id"])
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - a name of http.server

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """In front of one replica that answers, and one that refuses connections."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Replica) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with running(tmp_path_factory.mktemp("nginx"), [server.server_port, free_port()]) as proxy:
            yield proxy
        server.shutdown()
        thread.join()


def sent(
    proxy: Proxy, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[http.client.HTTPResponse, dict[str, Any]]:
    """A response, and its JSON."""
    connection = proxy.connect()
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response, json.loads(response.read())
    finally:
        connection.close()


@needs_nginx
def test_nginx_accepts_the_configuration(tmp_path: Path) -> None:
    config, _ = write_config(tmp_path, [8001, 8002])
    tested = subprocess.run([*command(config), "-t"], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stderr
    assert "[warn]" not in tested.stderr


@needs_nginx
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", PREDICT),
        ("POST", "/v1/models/churn/versions/2/predict"),
        ("POST", "/v1/models/churn/score?as_of=2024-06-01"),
        ("GET", "/v1/models"),
        ("GET", "/v1/models/churn"),
        ("GET", "/health/ready"),
    ],
)
def test_paths_of_clients_are_passed_on_though_one_replica_is_down(
    proxy: Proxy, method: str, path: str
) -> None:
    for _ in range(4):
        response, received = sent(proxy, method, path)
        assert (response.status, received["path"]) == (200, path)


@needs_nginx
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/metrics"),
        ("GET", "//metrics"),
        ("GET", "/%6detrics"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/health/live"),
        ("POST", "/v1/models/churn/reload"),
        ("POST", "/v1/models/churn/%72eload"),
        ("POST", "/v1/models/churn/predict/../reload"),
    ],
)
def test_other_paths_are_hidden(proxy: Proxy, method: str, path: str) -> None:
    response, problem = sent(proxy, method, path)
    assert (response.status, problem["type"]) == (404, "urn:propense:not-found")
    assert response.headers["content-type"] == "application/problem+json"


@needs_nginx
def test_a_request_has_one_id_for_proxy_service_and_client(proxy: Proxy) -> None:
    response, received = sent(proxy, "POST", PREDICT, headers={"X-Request-ID": "order-17"})
    assert (received["id"], response.headers.get_all("x-request-id")) == ("order-17", ["order-17"])
    response, received = sent(proxy, "POST", PREDICT, headers={"X-Request-ID": 'no id "'})
    assert len(received["id"]) == 32
    assert response.headers["x-request-id"] == received["id"]
    line = f'"request_id": "{received["id"]}"'
    deadline = time.monotonic() + 10
    while line not in proxy.log.read_text():  # nginx logs a request after its response
        assert time.monotonic() < deadline
        time.sleep(0.01)


@needs_nginx
def test_a_body_may_be_as_large_as_the_service_allows(proxy: Proxy) -> None:
    most = Settings.model_fields["max_body_bytes"].default
    assert sent(proxy, "POST", PREDICT, bytes(most))[1]["size"] == most
    response, problem = sent(proxy, "POST", PREDICT, bytes(most + 1))
    assert (response.status, problem["status"], problem["type"]) == (413, 413, "urn:propense:body-too-large")
    assert sent(proxy, "POST", "/v1/models/churn/score", bytes(most + 1))[1]["size"] == most + 1


def test_limits_are_those_of_the_settings() -> None:
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert f"client_max_body_size {defaults['max_body_bytes'] >> 20}m; # PROPENSE_MAX_BODY_BYTES" in NGINX
    assert f"client_max_body_size {defaults['max_score_bytes'] >> 30}g; # PROPENSE_MAX_SCORE_BYTES" in NGINX
    assert f"proxy_read_timeout {defaults['deadline_seconds'] + 5:g}s; # more than PROPENSE_DEADLINE" in NGINX
    for directive, name in (
        ("client_header_timeout", "header_seconds"),
        ("client_body_timeout", "body_seconds"),
        ("send_timeout", "send_seconds"),
    ):
        assert f"{directive} {defaults[name]:g}s; # PROPENSE_{name.upper()}" in NGINX
