"""The schemas of requests in the API document, in a form of which generators of clients make types.

Each model has schemas of its own, with names that no other has, and a body is one of two plain objects.
"""

from collections.abc import Collection
from typing import Any, Final

from app.request.structs import AS_OF, COLUMNS, CUSTOMERS, RequestTypes

COMPONENTS: Final = "#/components/schemas/"
_BODIES: Final = {CUSTOMERS: "Request", COLUMNS: "ColumnsRequest"}

Schema = dict[str, Any]


def stem_of(model: str, taken: Collection[str]) -> str:
    """Return the first part of the names of a model's schemas: `GoldChurn` for `gold-churn`.

    Args:
        taken: the parts of other models, from which it differs in more than capitals.
    """
    words = stem = "".join(word.capitalize() for word in model.split("-"))
    lower, number = {one.lower() for one in taken}, 1
    while stem.lower() in lower:
        number += 1
        stem = f"{words}V{number}"
    return stem


def request_schemas(types: RequestTypes, stem: str) -> dict[str, Schema]:
    """Return the schemas of requests to a model, by name."""
    body = types.json_schema(f"{COMPONENTS}{stem}{{name}}")
    parts = dict(body["$defs"])
    for form, name in _BODIES.items():
        fields = {AS_OF: body["properties"][AS_OF], form: _without_null(body["properties"][form])}
        parts[name] = {
            "type": "object",
            "properties": fields,
            "required": [form],
            "additionalProperties": False,
        }
    return {stem + name: {**_plain(part), "title": stem + name} for name, part in parts.items()}


def body_of(stems: Collection[str]) -> Schema:
    """Return the schema of a body for any of some models."""
    refs = [{"$ref": f"{COMPONENTS}{stem}{name}"} for stem in stems for name in _BODIES.values()]
    return {"anyOf": refs} if refs else {"type": "object"}


def _without_null(schema: Schema) -> Schema:
    (one,) = (kind for kind in schema["anyOf"] if kind != {"type": "null"})
    return {**one}


def _plain(schema: Any) -> Any:
    """A schema whose alternatives stand in one list, each with its type."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(value) for name, value in schema.items()}
    if "anyOf" in plain:
        type_ = plain.pop("type", None)
        kinds = [{"type": type_, **kind} if type_ else kind for kind in plain["anyOf"]]
        plain["anyOf"] = [
            one for kind in kinds for one in (kind["anyOf"] if kind.keys() == {"anyOf"} else [kind])
        ]
    return plain
