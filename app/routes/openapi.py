"""The API document: the fixed routes, and a path for each model in service with that model's own fields."""

from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.access.admit import PROBES
from app.errors import MEDIA_TYPE
from app.routes.answers import Predictions, ProblemDetails
from app.routes.predict import PATHS
from app.routes.score_document import score_paths
from app.versions.models import Models
from app.versions.served import Served

_COMPONENTS: Final = "#/components/schemas/"
PREDICT_REFUSALS: Final = (400, 404, 413, 415, 422, 503, 504)
SCORE_REFUSALS: Final = (400, 404, 408, 413, 415, 422, 503)
_KEY_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_WARNINGS: Final = {
    "name": "warnings",
    "in": "query",
    "description": "Say of each customer what training never saw: far values, new categories.",
    "schema": {"type": "boolean", "default": False},
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: problem details under each status."""
    content = {MEDIA_TYPE: {"schema": {"$ref": _COMPONENTS + ProblemDetails.__name__}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def api_document(app: FastAPI, models: Models, *, needs_key: bool) -> dict[str, Any]:
    """Return the OpenAPI document of the models that are in service now."""
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for shape in (Predictions, ProblemDetails):
        _add(schemas, shape.__name__, shape.model_json_schema(ref_template=_COMPONENTS + "{model}"))
    document["paths"][PATHS[1]] = {"post": _pinned_operation()}
    document["paths"] |= score_paths({str(s): said for s, said in refusals(*SCORE_REFUSALS).items()})
    for served in models.served():
        name = served.manifest.name
        request = served.request.body.json_schema(ref_template=f"{_COMPONENTS}{name}.{{model}}")
        _add(schemas, f"{name}.Request", request, prefix=f"{name}.")
        document["paths"][f"/v1/models/{name}/predict"] = {"post": _operation(served)}
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


def _add(schemas: dict[str, Any], title: str, schema: dict[str, Any], *, prefix: str = "") -> None:
    """Put a schema and its definitions where the whole document can refer to them."""
    for name, definition in schema.pop("$defs", {}).items():
        schemas[prefix + name] = definition
    schemas[title] = schema


def _operation(served: Served) -> dict[str, Any]:
    name = served.manifest.name
    request = {"schema": {"$ref": f"{_COMPONENTS}{name}.Request"}, "example": served.example()}
    return {
        "summary": f"Predict with {name}, version {served.manifest.version}",
        "operationId": f"predict_{name}",
        "parameters": [_WARNINGS],
        **_predicts(request),
    }


def _pinned_operation() -> dict[str, Any]:
    return {
        "summary": "Predict with a version that need not be the champion",
        "operationId": "predict_version",
        "parameters": [
            {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "version", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}},
            _WARNINGS,
        ],
        **_predicts(
            {"schema": {"type": "object", "oneOf": [{"required": ["customers"]}, {"required": ["columns"]}]}}
        ),
    }


def _predicts(request: dict[str, Any]) -> dict[str, Any]:
    answer = {"schema": {"$ref": _COMPONENTS + Predictions.__name__}}
    return {
        "tags": ["predictions"],
        "requestBody": {"required": True, "content": {"application/json": request}},
        "responses": {
            "200": {"description": "In the order of the request.", "content": {"application/json": answer}},
            **{str(status): said for status, said in refusals(*PREDICT_REFUSALS).items()},
        },
    }
