"""The paths of `app.score.endpoint`, for the router."""

from fastapi import APIRouter
from starlette.routing import Route

from app.score.endpoint import PINNED, ROUTE, Score


def router(score: Score) -> APIRouter:
    """Routes that answer with the scores of a file."""
    routes = APIRouter()
    routes.routes += [Route(route.path, score, methods=["POST"]) for route in (ROUTE, PINNED)]
    return routes
