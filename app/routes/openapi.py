"""The API document: the fixed routes, and for each model in service a path with that model's own fields."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from app.access.admit import PROBES
from app.errors import MEDIA_TYPE, ProblemDetails
from app.request.structs import Predictions
from app.routes.predict import PATHS
from app.routes.schemas import COMPONENTS, body_of, request_schemas, stem_of
from app.routes.score import ANY_FORM, PINNED, ROUTE
from app.versions.models import Models
from app.versions.served import Served
from model.reasons.groups import MAX_GROUPS

PREDICT_REFUSALS: Final = (400, 404, 413, 415, 422, 503, 504)
SCORE_REFUSALS: Final = (400, 404, 408, 413, 415, 422, 503)
_KEY_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_WARNINGS: Final = {
    "name": "warnings",
    "in": "query",
    "description": "Name values of each customer that training never saw, and dates after as_of.",
    "schema": {"type": "boolean", "default": False},
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Names a request that may be sent again, which the ledger then records once.",
    "schema": {"type": "string"},
}
_REASONS: Final = {
    "name": "reasons",
    "in": "query",
    "description": (
        "So many reasons for each prediction, the largest first: shares of groups of inputs against a "
        "typical customer. All of them sum to the difference of the logits."
    ),
    "schema": {"type": "integer", "minimum": 1, "maximum": MAX_GROUPS},
}
_NAME: Final = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
_VERSION: Final = {
    "name": "version",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}
_AS_OF: Final = {
    "name": "as_of",
    "in": "query",
    "description": "The instant of the prediction, in ISO 8601; now if absent.",
    "schema": {"type": "string"},
    "example": "1997-12-31",
}
_FILES: Final = {
    ANY_FORM: "Any of the others, recognised by its first bytes.",
    "text/csv": "A header, then a customer a row, spelt as in training files; UTF-8.",
    "application/x-ndjson": "A customer a line, as in a predict request.",
    "application/vnd.apache.arrow.stream": "An Arrow IPC stream.",
    "application/vnd.apache.parquet": "A Parquet file.",
}
_SCORES: Final = (
    "The response is a whole file in the form of the request, a row for each row and in its order: "
    "`customer_id` (the row's number, from 1, where there is none), `probability` (by the longest horizon), "
    "`probability_30d` and so on for a model of events, `eligible` (whether the study predicts "
    "the customer) and `not_eligible_because` (the rule by which not), unless the label is a column, and "
    "`error`: null, or what is wrong with the row, which then has no probability.\n\n"
    "A file must have every column that the model reads; in NDJSON, a field that is absent is missing. Other "
    "columns are ignored and listed in the header `X-Propense-Ignored-Columns`. The header "
    "`X-Propense-Notes` tells what was read otherwise than it stands there, as `propense score` does: "
    "percent-encoded UTF-8, a line each. For a model of events, the column `events` has every event of a "
    "customer up to `as_of` (a shorter history counts as a shorter life): a list of structs in Arrow and "
    'Parquet, a list of objects in NDJSON, or a JSON text such as `[{"date": "1997-03-01", "amount": 12.5}]`.'
)


def by_name(route: APIRoute) -> str:
    """Return the operationId of a route, which generators of clients make a function of."""
    return route.name


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route: problem details under each status."""
    content = {MEDIA_TYPE: {"schema": {"$ref": COMPONENTS + ProblemDetails.__name__}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def api_document(app: FastAPI, models: Models, *, needs_key: bool) -> dict[str, Any]:
    """Return the OpenAPI document of the models that are in service now."""
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    types = [Predictions, ProblemDetails]
    schemas |= msgspec.json.schema_components(types, ref_template=COMPONENTS + "{name}")[1]
    document["paths"][ROUTE.path] = {"post": _scores("score", "Score a file of any size", _NAME)}
    pinned = _scores(
        "score_version", "Score a file with a version that need not be the champion", _NAME, _VERSION
    )
    document["paths"][PINNED.path] = {"post": pinned}
    stems: list[str] = []
    for served in models.served():
        name = served.manifest.name
        stems.append(stem := stem_of(name, stems))
        schemas |= request_schemas(served.types, stem)
        document["paths"][f"/v1/models/{name}/predict"] = {"post": _operation(served, stem)}
    document["paths"][PATHS[1]] = {"post": _pinned_operation(stems)}
    if needs_key:
        _require_key(document)
    return document


def _require_key(document: dict[str, Any]) -> None:
    """Have all operations but the probes need a key."""
    document["components"]["securitySchemes"] = _KEY_SCHEMES
    refused = {str(status): response for status, response in refusals(401, 403, 429).items()}
    for path, operations in document["paths"].items():
        if path not in PROBES:
            for operation in operations.values():
                operation["security"] = [{name: []} for name in _KEY_SCHEMES]
                operation["responses"] = operation["responses"] | refused


def _operation(served: Served, stem: str) -> dict[str, Any]:
    name = served.manifest.name
    request = {"schema": body_of([stem]), "example": served.example()}
    return {
        "summary": f"Predict with {name}, version {served.manifest.version}",
        "operationId": f"predict_{name.replace('-', '_')}",
        "parameters": [_WARNINGS, _REASONS, _KEY],
        **_predicts(request),
    }


def _pinned_operation(stems: Sequence[str]) -> dict[str, Any]:
    return {
        "summary": "Predict with a version that need not be the champion",
        "operationId": "predict_version",
        "parameters": [_NAME, _VERSION, _WARNINGS, _REASONS, _KEY],
        **_predicts({"schema": body_of(stems)}),
    }


def _predicts(request: dict[str, Any]) -> dict[str, Any]:
    answer = {"schema": {"$ref": COMPONENTS + Predictions.__name__}}
    return {
        "tags": ["predictions"],
        "requestBody": {"required": True, "content": {"application/json": request}},
        "responses": _responses("request", {"application/json": answer}, PREDICT_REFUSALS),
    }


def _scores(id_: str, summary: str, *path: dict[str, Any]) -> dict[str, Any]:
    content = {
        kind: {"schema": {"type": "string", "format": "binary", "description": description}}
        for kind, description in _FILES.items()
    }
    return {
        "tags": ["predictions"],
        "operationId": id_,
        "summary": summary,
        "description": _SCORES,
        "parameters": [*path, _AS_OF],
        "requestBody": {"required": True, "content": content},
        "responses": _responses("file", content, SCORE_REFUSALS),
    }


def _responses(order: str, content: dict[str, Any], statuses: Sequence[int]) -> dict[str, Any]:
    refused = {str(status): response for status, response in refusals(*statuses).items()}
    return {"200": {"description": f"In the order of the {order}.", "content": content}, **refused}
