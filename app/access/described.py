"""What the API document says about keys."""

from typing import Any, Final

from app.routes.openapi import refusals

_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def with_keys(document: dict[str, Any], *, open_paths: frozenset[str]) -> dict[str, Any]:
    """An API document whose operations need a key, but for those of some paths."""
    document["components"]["securitySchemes"] = _SCHEMES
    refused = {str(status): said for status, said in refusals(401, 403, 429).items()}
    for path, operations in document["paths"].items():
        if path not in open_paths:
            for operation in operations.values():
                operation["security"] = [{name: []} for name in _SCHEMES]
                operation["responses"] = operation["responses"] | refused
    return document
