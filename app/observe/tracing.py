"""OpenTelemetry spans of requests: FastAPI makes and sends them, this adds their attributes."""

from collections.abc import Mapping
from typing import Final

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.observe.logs import TRACE_ID
from app.observe.requests import route_of

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def telemetry(environment: Mapping[str, str]) -> TelemetryConfig:
    """Return FastAPI's configuration: spans of requests if the environment names a collector.

    OpenTelemetry's SDK reads its other variables (sampling, headers, the service's name) itself.
    """
    off = environment.get("OTEL_SDK_DISABLED") == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none"
    wanted = not off and any(environment.get(name) for name in _ENDPOINTS)
    return TelemetryConfig(
        tracing=wanted, auto_configure=wanted, metrics=False, logs=False, operation_spans=False
    )


class Spans:
    """ASGI middleware: adds attributes to the span, and the trace's id to the log and the response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        span = trace.get_current_span()
        context = span.get_span_context()
        if scope["type"] != "http" or not context.is_valid:
            await self._app(scope, receive, send)
            return
        id_ = trace.format_trace_id(context.trace_id)
        TRACE_ID.set(id_)
        response = f"00-{id_}-{trace.format_span_id(context.span_id)}-{context.trace_flags:02x}".encode()

        async def filled_in(message: Message) -> None:
            if message["type"] == "http.response.start":
                _fill_in(span, scope)
                message["headers"] = [*message["headers"], (b"traceresponse", response)]
            await send(message)

        await self._app(scope, receive, filled_in)


def _fill_in(span: trace.Span, scope: Scope) -> None:
    route, served, rows = route_of(scope), scope.get("propense.served"), scope.get("propense.rows")
    span.update_name(f"{scope['method']} {route}")
    span.set_attribute("http.route", route)
    span.set_attribute("propense.request_id", scope["propense.request_id"].decode())
    if served:
        span.set_attribute("propense.model", served.manifest.name)
        span.set_attribute("propense.version", served.manifest.version)
    if rows is not None:
        span.set_attribute("propense.rows", rows)
