"""The service, put together. `uvicorn app.main:app` and `python -m app` run it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import torch
from fastapi import FastAPI

from app.errors import install_handlers
from app.gate import Gate
from app.metrics import Metrics
from app.models import Models
from app.openapi import api_document
from app.predict.endpoint import Predict
from app.routes import health, models
from app.routes import predict as predictions
from app.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """The service. Models are loaded once it runs; until then /health/ready says so."""
    metrics = Metrics()
    in_service = Models(settings, metrics)
    predict = Predict(in_service, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        torch.set_num_threads(settings.threads)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(in_service.load)
            yield
            tasks.cancel_scope.cancel()

    app = FastAPI(
        title="Propense",
        summary="Calibrated probabilities of what each customer does next",
        version="1",
        lifespan=lifespan,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.add_middleware(Gate, predict=predict, metrics=metrics, max_bytes=settings.max_body_bytes)
    install_handlers(app)
    for router in (
        predictions.router(predict),
        models.router(in_service),
        health.router(in_service, metrics),
    ):
        app.include_router(router)
    app.openapi = lambda: api_document(app, in_service)  # type: ignore[method-assign]
    return app


def __getattr__(name: str) -> FastAPI:
    """`app.main:app` is made from the environment when a server asks for it, not when this is imported."""
    if name == "app":
        return create_app(Settings())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
