"""POST customers, get probabilities."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from anyio import Lock
from anyio.to_thread import run_sync
from fastapi import APIRouter, Path, Request, Response
from pydantic import ValidationError

from app.answers import Predictions
from app.errors import Problem
from app.faults import problem_of
from app.limits import refuse_if_full
from app.metrics import Metrics
from app.models import Models, Served
from app.openapi import PREDICT_REFUSALS, refusals
from model.rows import customers_from_rows, id_field, read_time
from model.times import format_instant, to_instant

_ANY: Final = {"type": "object", "required": ["customers"]}

Version = Annotated[int, Path(ge=1, le=2**31)]


def router(models: Models, metrics: Metrics, scoring: Lock, *, max_waiting: int) -> APIRouter:
    """Routes that answer with predictions; up to `max_waiting` requests wait for their turn at scoring."""
    routes = APIRouter(prefix="/v1/models/{name}", tags=["predictions"])

    @routes.post("/predict", include_in_schema=False)  # the document has a path for each model instead
    async def predict(name: str, request: Request) -> Response:
        return await answer(await models.find(name), request)

    @routes.post(
        "/versions/{version}/predict",
        response_model=Predictions,
        responses=refusals(*PREDICT_REFUSALS),
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _ANY}}}},
    )
    async def predict_version(name: str, version: Version, request: Request) -> Response:
        """Predict with a version that need not be the champion; a request is what that version expects."""
        return await answer(await models.find(name, version), request)

    async def answer(served: Served, request: Request) -> Response:
        _check_media_type(request)
        body = await request.body()
        refuse_if_full(scoring, max_waiting)
        async with scoring:
            content, n = await run_sync(predictions, served, body)
        metrics.count_predictions(served.manifest.name, served.manifest.version, n)
        return Response(content, media_type="application/json")

    return routes


def predictions(served: Served, body: bytes) -> tuple[bytes, int]:
    """The answer to one body, and how many customers it scores.

    Raises:
        Problem: the body is not what the model expects.
    """
    try:
        asked = served.request.body.validate_json(body)
    except ValidationError as error:
        raise problem_of(error, body, served.request) from None
    rows = asked["customers"]
    schema = served.manifest.schema_
    now = to_instant(datetime.now(UTC))
    as_of = read_time(asked["as_of"], schema.time_zone) if asked.get("as_of") else now
    customers = customers_from_rows(rows, schema, as_of)
    probabilities = served.predictor.predict(customers).tolist()
    sent = [row.get(id_field(schema)) for row in rows]
    ids = [number if id_ is None else id_ for id_, number in zip(sent, customers.ids, strict=True)]
    answer = {
        "model": served.manifest.name,
        "version": served.manifest.version,
        "as_of": format_instant(as_of, schema.time_zone),
        "predictions": _listed(ids, probabilities, served.manifest.task.output_names),
    }
    return json.dumps(answer, allow_nan=False).encode(), len(rows)


def _listed(
    ids: list[Any], probabilities: list[list[float]], horizons: tuple[str, ...]
) -> list[dict[str, Any]]:
    listed = [
        {"customer_id": id_, "probability": row[-1]} for id_, row in zip(ids, probabilities, strict=True)
    ]
    if horizons:
        for one, row in zip(listed, probabilities, strict=True):
            one["horizons"] = dict(zip(horizons, row, strict=True))
    return listed


def _check_media_type(request: Request) -> None:
    headers = request.headers
    kind, _, parameters = headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/json" or charset not in ("", "utf-8"):
        raise Problem(415, "unsupported-media-type", "send the body as application/json in UTF-8")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "unsupported-media-type", "send the body uncompressed")
