"""The messages of a faulty study: pydantic's errors in short sentences with the value got."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from model.files.names import nearest
from training.study.yaml_file import Place, StudyFault

_RULES: Final[Mapping[str, str]] = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": "must be a section of keys",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be a whole number",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "model_type": "must be a section of keys",
    "string_too_short": "must not be empty",
    "string_unicode": "must be valid Unicode",
    "string_type": "must be text (in quotes if needed)",
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} item",
    "tuple_type": "must be a list such as [a, b]",
}


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[StudyFault]:
    """Yield a fault for each error of validating `model`."""
    for detail in error.errors(include_url=False):
        place = detail["loc"]
        if detail["type"] == "extra_forbidden":
            yield _unknown_key(place, _known_keys(model, place[:-1]))
        elif detail["type"] != "too_short" or not detail["input"]:  # else only faulty items make it short
            yield StudyFault(place, _message(detail))


def show(value: object) -> str:
    """Return a value as JSON, cut where it is long."""
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _message(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return "missing; this key is required"
    if kind == "value_error":
        return str(context["error"])
    rule = _RULES.get(kind, "is not allowed here").format(**context).replace("'", "")
    got = f"{rule}, got {show(detail['input'])}"
    if kind == "literal_error" and (meant := _closest_choice(detail["input"], context["expected"])):
        return f'{got}; did you mean "{meant}"?'
    return got


def _closest_choice(value: object, expected: str) -> str | None:
    """Return the allowed value nearest to this one; `expected` is pydantic's text: 'mlp', 'cnn' or 'rnn'."""
    return nearest(value, expected.split("'")[1::2]) if isinstance(value, str) else None


def _unknown_key(place: Place, known: list[str]) -> StudyFault:
    if meant := nearest(str(place[-1]), known):
        return StudyFault(place, f'unknown key; did you mean "{meant}"?', (*place[:-1], meant))
    return StudyFault(place, f"unknown key; known here are {', '.join(known)}")


def _known_keys(model: type[BaseModel], place: Place) -> list[str]:
    """Return the keys of a section, of all its forms where it has several."""
    models = [model]
    for key in place:
        fields = [one.model_fields[str(key)] for one in models if key in one.model_fields]
        models = [inner for one in fields for inner in _models_in(one.annotation)]
    return list(dict.fromkeys(key for one in models for key in one.model_fields))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    kinds = (annotation, *get_args(annotation))
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
