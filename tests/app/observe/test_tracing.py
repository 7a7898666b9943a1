"""Spans of requests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.main import create_app
from app.observe.tracing import telemetry
from app.settings import Settings
from tests.app.client import Client, running

COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def spans() -> InMemorySpanExporter:
    """What would be sent. The provider is the whole process's, as OpenTelemetry has it."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture(scope="module")
def traced(registry: Path, spans: InMemorySpanExporter) -> Iterator[Client]:
    """A client of a service whose environment names a collector."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(COLLECTOR, "http://127.0.0.1:9")
        app = create_app(Settings(registry=registry, watch_seconds=0))
    with running(app) as client:
        client.wait_until_loaded()
        spans.clear()
        yield client


def test_a_request_is_one_span_under_its_callers(traced: Client, spans: InMemorySpanExporter) -> None:
    spans.clear()
    answer = traced.predict(
        "churn", {"customers": [{}] * 3}, version=2, headers={"traceparent": CALLER, "x-request-id": "r1"}
    )
    assert answer.status_code == 200
    (span,) = spans.get_finished_spans()
    assert span.name == "POST /v1/models/{name}/versions/{version}/predict"
    assert span.parent
    assert trace.format_span_id(span.parent.span_id) == "b7ad6b7169203331"
    assert span.attributes
    told = {name: value for name, value in span.attributes.items() if name.startswith(("propense", "http"))}
    assert told == {
        "http.request.method": "POST",
        "http.route": "/v1/models/{name}/versions/{version}/predict",
        "http.response.status_code": 200,
        "propense.request_id": "r1",
        "propense.model": "churn",
        "propense.version": 2,
        "propense.rows": 3,
    }
    assert span.context
    own = trace.format_span_id(span.context.span_id)
    assert answer.headers["traceresponse"] == f"00-0af7651916cd43dd8448eb211c80319c-{own}-01"


def test_a_refusal_is_a_span_too(traced: Client, spans: InMemorySpanExporter) -> None:
    spans.clear()
    traced.predict("churn", {"customers": [{"contract": []}]})
    traced.get("/health/live")
    refused, live = spans.get_finished_spans()
    assert refused.attributes
    assert refused.attributes["http.response.status_code"] == 422
    assert live.name == "GET /health/live"
    assert "contract" not in str(refused.attributes)


def test_the_log_has_the_traces_id(
    traced: Client, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.observe import logs

    seen = []
    monkeypatch.setattr(
        "app.observe.requests.RequestRecords.add", lambda *_: seen.append(logs.TRACE_ID.get())
    )
    traced.request("GET", "/nowhere", headers={"traceparent": CALLER})
    assert seen == ["0af7651916cd43dd8448eb211c80319c"]
    assert spans.get_finished_spans()


def test_without_a_collector_nothing_is_traced(client: Client, spans: InMemorySpanExporter) -> None:
    spans.clear()
    answer = client.request("GET", "/health/live", headers={"traceparent": CALLER})
    assert "traceresponse" not in answer.headers
    assert not spans.get_finished_spans()


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({COLLECTOR: ""}, False),
        ({COLLECTOR: "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({COLLECTOR: "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({COLLECTOR: "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_environment_says_whether(environment: dict[str, str], wanted: bool) -> None:
    told = telemetry(environment)
    assert told == {
        "tracing": wanted,
        "auto_configure": wanted,
        "metrics": False,
        "logs": False,
        "operation_spans": False,
    }
