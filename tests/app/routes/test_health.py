import threading
import time
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import Settings
from model.predictor import Predictions, Predictor
from model.values.rows import RequestRows
from tests.app.client import Client, running
from tests.app.server.test_refusals import problem


def sample(client: Client, line: str) -> float:
    """The value of one time series; 0 where there is none."""
    for candidate in client.get("/metrics").text.splitlines():
        if candidate.startswith(line + " "):
            return float(candidate.rpartition(" ")[2])
    return 0.0


def test_live_and_ready(client: Client) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json() == {"status": "ready"}


def test_requests_are_counted_by_route_and_status(client: Client) -> None:
    route = 'route="/v1/models/{name}/predict"'
    lines = [f'propense_requests_total{{{route},status="{status}"}}' for status in (200, 404, 422)]
    before = [sample(client, line) for line in lines]
    client.predict("churn", {"customers": [{}]})
    client.predict("nobody", {"customers": [{}]})
    client.predict("churn", {"customers": [{"contract": []}]})
    assert [sample(client, line) for line in lines] == [count + 1 for count in before]


def test_durations_are_counted_by_route(client: Client) -> None:
    line = 'propense_request_seconds_count{route="/health/live"}'
    before = sample(client, line)
    client.get("/health/live")
    assert sample(client, line) == before + 1


def test_predictions_are_counted_by_model_and_version(client: Client) -> None:
    lines = [f'propense_predictions_total{{model="churn",version="{version}"}}' for version in (1, 2)]
    before = [sample(client, line) for line in lines]
    client.predict("churn", {"customers": [{}] * 3})
    client.predict("churn", {"customers": [{}] * 5}, version=2)
    client.predict("churn", {"customers": [{}, {"contract": []}]})
    assert [sample(client, line) for line in lines] == [before[0] + 3, before[1] + 5]


def test_clients_cannot_add_labels(client: Client) -> None:
    client.get("/v1/who-knows")
    client.request("BREW", "/v1/models/pot/predict")
    text = client.get("/metrics").text
    assert "who-knows" not in text
    assert "pot" not in text.replace("propense_", "")
    assert 'propense_requests_total{route="none",status="404"}' in text


def test_a_failure_is_bland_and_counted(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: Predictor, _rows: RequestRows) -> Predictions:
        raise RuntimeError("secret of /some/path")

    with running(create_app(Settings(registry=registry))) as client:
        client.wait_until_loaded()
        monkeypatch.setattr(Predictor, "predict_rows", fail)
        answer = client.predict("churn", {"customers": [{}]})
        body = problem(answer, 500, "internal-server-error")
        assert body["detail"] == "the service failed on this request; its log has the reason"
        assert "secret" not in answer.text
        route = 'route="/v1/models/{name}/predict"'
        assert sample(client, f'propense_requests_total{{{route},status="500"}}') == 1


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_probes_may_ask_for_the_head_only(client: Client, path: str) -> None:
    answer = client.request("HEAD", path)
    assert answer.status_code == 200


def test_a_thread_that_hangs_is_seen_by_the_probe_of_life(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def hang(_self: Predictor, _rows: RequestRows) -> Predictions:
        go_on.wait()
        raise RuntimeError

    settings = Settings(registry=registry, deadline_seconds=0.02, hung_seconds=0.05, watch_seconds=0)
    with running(create_app(settings)) as client:
        client.wait_until_loaded()
        monkeypatch.setattr(Predictor, "predict_rows", hang)
        large = b'{"customers": [{}]}'.ljust(300_000)
        problem(client.predict("churn", large), 504, "too-late")
        while (answer := client.get("/health/live")).status_code == 200:
            time.sleep(0.005)
        problem(answer, 503, "hung")
        go_on.set()
        while client.get("/health/live").status_code != 200:
            time.sleep(0.005)


def test_the_start_may_wait_for_every_model(registry: Path, three_versions: Path) -> None:
    with running(create_app(Settings(registry=registry, ready="all"))) as client:
        answer = client.wait_until_loaded().get("/health/ready")
        told = problem(answer, 503, "not-ready")
        assert told["detail"] == "not in service: broken; GET /v1/models/NAME says why"
        assert client.predict("churn", {"customers": [{}]}).status_code == 200
    with running(create_app(Settings(registry=three_versions, ready="all", watch_seconds=0.01))) as client:
        assert client.wait_until_loaded().get("/health/ready").status_code == 200
        (three_versions / "new" / "1").mkdir(parents=True)
        (three_versions / "new" / "champion").write_text("1")
        while len(client.get("/v1/models").json()["models"]) < 2:
            time.sleep(0.005)
        assert client.get("/health/ready").status_code == 200
