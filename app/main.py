"""The application, built from its parts. `uvicorn app.main:app` and `python -m app` serve it."""

import logging
import multiprocessing
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from fastapi import FastAPI

from app.access.admit import Access, kind_of
from app.access.keyring import Keyring
from app.errors import install_handlers
from app.files.scorer import FileScorer
from app.limits import BodyBudget, Saturation, Shares
from app.observe.metrics import Metrics
from app.observe.tracing import Spans, telemetry
from app.routes import health, models
from app.routes import predict as predictions
from app.routes.openapi import api_document
from app.routes.predict import Predict
from app.routes.score import Score, score_routes
from app.server.memory import MemoryTrimmer, freeze_startup
from app.server.state import REFUSED
from app.service import Gate, Service
from app.settings import Settings
from app.versions.models import Models

if TYPE_CHECKING:
    from app.ledger import Recording


def create_app(settings: Settings) -> FastAPI:
    """Build the application. It loads the models while it runs; until then /health/ready is 503."""
    access = _access(settings)
    metrics = Metrics()
    recording = _recording(settings, metrics)
    in_service = Models(settings, metrics, recording.of if recording else None)
    budget = BodyBudget(settings.max_buffered_bytes)
    predict = Predict(in_service, budget, settings.whole_body_seconds, MemoryTrimmer())
    scorer = FileScorer(settings, recording.count if recording else None)
    score = Score(in_service, scorer, max_files=settings.max_files, upload_seconds=settings.upload_seconds)
    saturation = Saturation(settings.saturated_seconds)
    metrics.waiting = in_service.waiting
    spans = telemetry(os.environ)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        freeze_startup()
        if recording:
            recording.start()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(in_service.run)
            tasks.start_soon(access.watch)
            tasks.start_soon(metrics.run)
            yield {REFUSED: metrics.note_unread}
            tasks.cancel_scope.cancel()
        await scorer.close()
        if recording:
            await anyio.to_thread.run_sync(recording.close)
        metrics.update()

    app = Service(
        title="Propense",
        summary="Calibrated probabilities of what each customer does next",
        version="1",
        lifespan=lifespan,
        redirect_slashes=False,
        telemetry=spans,
    )
    gate = partial(
        Gate,
        admit=access.admit,
        metrics=metrics,
        saturation=saturation,
        shares=Shares(settings.max_waiting, "requests"),
        max_bytes=settings.max_body_bytes,
        max_file_bytes=settings.max_score_bytes,
    )
    app.add_middleware(gate)
    if spans["tracing"]:
        app.add_middleware(Spans)
    else:
        app.predict = gate(predict)
    install_handlers(app)
    for router in (
        predictions.router(predict),
        score_routes(score),
        models.router(in_service),
        health.router(in_service, metrics, saturation),
    ):
        app.router.routes += router.routes  # `include_router` would hide the routes in one of its own
    app.openapi = lambda: api_document(app, in_service, needs_key=access.keyring is not None)  # type: ignore[method-assign]
    return app


def _recording(settings: Settings, metrics: Metrics) -> "Recording | None":
    """What records answers. Arrow is loaded for it alone."""
    if settings.ledger is None:
        return None
    from app.ledger import Recording

    key = settings.ledger_key.get_secret_value() if settings.ledger_key else None
    return Recording(settings.ledger, key, metrics)


def _access(settings: Settings) -> Access:
    keyring = Keyring(settings.keys, rate=settings.rate) if settings.keys else None
    return Access(
        keyring,
        public=kind_of(settings.host) != "loopback",
        open_to_all=not settings.auth,
        admin_port=settings.admin_port,
        admin_public=kind_of(settings.admin_host) != "loopback",
        hosts=settings.allowed_hosts,
    )


def __getattr__(name: str) -> FastAPI:
    """Build `app.main:app` from the environment when a server reads it, not when this is imported."""
    if name == "app":
        if multiprocessing.parent_process():
            logging.getLogger(__name__).warning(
                "a service is one process: of several workers each has its own metrics, rates and reloads; "
                "start more replicas instead"
            )
        return create_app(Settings())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
