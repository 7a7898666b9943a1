"""The paths of `app.routes.predict_endpoint`, for the router."""

from typing import Final

from fastapi import APIRouter
from starlette.routing import Route

from app.routes.predict_endpoint import Predict

PATHS: Final = ("/v1/models/{name}/predict", "/v1/models/{name}/versions/{version}/predict")


def router(predict: Predict) -> APIRouter:
    """Routes that answer with predictions."""
    routes = APIRouter()
    routes.routes += [Route(path, predict, methods=["POST"]) for path in PATHS]
    return routes
