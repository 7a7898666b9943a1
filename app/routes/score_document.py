"""The description of file scoring in the API document."""

from typing import Any, Final

from app.routes.score import PINNED, ROUTE

_KINDS: Final = {
    "text/csv": "A header, then a customer a row, spelt as in training files; UTF-8.",
    "application/x-ndjson": "A customer a line, as in a predict request.",
    "application/vnd.apache.arrow.stream": "An Arrow IPC stream.",
    "application/vnd.apache.parquet": "A Parquet file.",
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
_DESCRIPTION: Final = (
    "The response is a whole file in the form of the request, a row for each row and in its order: "
    "`customer_id` (the row's number, from 1, where there is none), `probability` (by the longest horizon), "
    "`probability_30d` and so on for a model of events, `eligible` (whether the study predicts "
    "the customer; not for a model whose label is a column), and `error`: null, or what is wrong with the "
    "row, which then has no probability.\n\n"
    "A file must have every column that the model reads; in NDJSON, a field that is absent is missing. Other "
    "columns are ignored and listed in the header `X-Propense-Ignored-Columns`. For a model of events, the "
    "column `events` has the history of each customer: a list of structs in Arrow and Parquet, a list of "
    'objects in NDJSON, or a JSON text such as `[{"date": "1997-03-01", "amount": 12.5}]`.'
)


def score_paths(refusals: dict[str, Any]) -> dict[str, Any]:
    """The paths of the routes that score files.

    Args:
        refusals: their `responses` beside 200.
    """
    champion = _operation("score", "Score a file of any size", [_NAME, _AS_OF], refusals)
    summary = "Score a file with a version that need not be the champion"
    pinned = _operation("score_version", summary, [_NAME, _VERSION, _AS_OF], refusals)
    return {ROUTE.path: {"post": champion}, PINNED.path: {"post": pinned}}


def _operation(id_: str, summary: str, parameters: list[Any], refusals: dict[str, Any]) -> dict[str, Any]:
    content = {
        kind: {"schema": {"type": "string", "format": "binary", "description": said}}
        for kind, said in _KINDS.items()
    }
    return {
        "tags": ["predictions"],
        "operationId": id_,
        "summary": summary,
        "description": _DESCRIPTION,
        "parameters": parameters,
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "In the order of the file.", "content": content}, **refusals},
    }
