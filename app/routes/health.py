"""Probes and metrics."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from app.errors import Problem
from app.limits import Saturation
from app.observe.metrics import Metrics
from app.routes.openapi import by_name, refusals
from app.versions.models import Models


class Health(BaseModel):
    """The response to a probe."""

    status: Literal["live", "ready"]


def router(models: Models, metrics: Metrics, saturation: Saturation) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["health"], generate_unique_id_function=by_name)

    @routes.head("/health/live", include_in_schema=False)
    @routes.get("/health/live", responses=refusals(503))
    async def live() -> Health:
        """The process answers, and no thread that scores hangs; where this fails, a restart helps."""
        if models.hung:
            raise Problem(503, "hung", "a thread has been at one batch for too long; restart the service")
        return Health(status="live")

    @routes.head("/health/ready", include_in_schema=False)
    @routes.get("/health/ready", responses=refusals(503))
    async def ready(request: Request) -> Health:
        """Predictions are answered: every champion is loaded or refused, and at least one is in service.

        Not while the service is stopping, nor after it has been too busy for some time.
        """
        if request.scope.get("state", {}).get("stopping"):  # set by `app.server`
            raise Problem(503, "stopping", "the service is stopping", headers={"Retry-After": "1"})
        if models.unready:
            raise Problem(503, "not-ready", models.unready, headers={"Retry-After": "1"})
        if saturation.lasts():
            raise Problem(503, "too-busy", "requests are being refused", headers={"Retry-After": "1"})
        return Health(status="ready")

    @routes.get("/metrics", response_class=Response)
    async def exposition() -> Response:
        """The metrics in Prometheus' text format."""
        return Response(await metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    return routes
