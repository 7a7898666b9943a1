"""Probes and metrics."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.answers import Health
from app.errors import Problem
from app.metrics import Metrics
from app.models import Models
from app.openapi import refusals


def router(models: Models, metrics: Metrics) -> APIRouter:
    """Routes that say how the service is."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health/live")
    async def live() -> Health:
        """The process answers."""
        return Health(status="live")

    @routes.get("/health/ready", responses=refusals(503))
    async def ready() -> Health:
        """Predictions are answered: every champion was loaded or refused, and one at least is in service."""
        if models.unready:
            raise Problem(503, "not-ready", models.unready, headers={"Retry-After": "1"})
        return Health(status="ready")

    @routes.get("/metrics", response_class=Response)
    async def exposition() -> Response:
        """Counters of this process in Prometheus' text format."""
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    return routes
