"""Probes and metrics."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.errors import Problem
from app.limits import Saturation
from app.observe.metrics import Metrics
from app.routes.answers import Health
from app.routes.openapi import refusals
from app.versions.models import Models


def router(models: Models, metrics: Metrics, saturation: Saturation) -> APIRouter:
    """Routes that say how the service is."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health/live")
    async def live() -> Health:
        """The process answers."""
        return Health(status="live")

    @routes.get("/health/ready", responses=refusals(503))
    async def ready(request: Request) -> Health:
        """Predictions are answered: every champion was loaded or refused, and one at least is in service.

        Not so once the service is being stopped, or has been too busy for some time.
        """
        if request.scope.get("state", {}).get("stopping"):  # said by `app.server`
            raise Problem(503, "stopping", "the service is being stopped", headers={"Retry-After": "1"})
        if models.unready:
            raise Problem(503, "not-ready", models.unready, headers={"Retry-After": "1"})
        if saturation.lasts():
            raise Problem(503, "too-busy", "requests are being refused", headers={"Retry-After": "1"})
        return Health(status="ready")

    @routes.get("/metrics", response_class=Response)
    async def exposition() -> Response:
        """What the service has counted, in Prometheus' text format."""
        return Response(await metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    return routes
