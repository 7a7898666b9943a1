"""Pydantic's errors as short plain sentences, with the value got and, for a misspelt name, the right one."""

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from training.study.yaml_places import Fault, Place

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
    "string_type": "must be text (in quotes, where needed)",
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} item",
    "tuple_type": "must be a list such as [a, b]",
}


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[Fault]:
    """A fault for each error of validating `model`."""
    for detail in error.errors(include_url=False):
        place = detail["loc"]
        if detail["type"] == "extra_forbidden":
            yield _unknown_key(place, _known_keys(model, place[:-1]))
        elif detail["type"] != "too_short" or not detail["input"]:  # else only faulty items make it short
            yield Fault(place, _message(detail))


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one was most likely meant to be."""
    # With one of its two letters wrong, "id" is only half like itself.
    matches = get_close_matches(name.lower(), list(known), n=1, cutoff=0.5 if len(name) < 3 else 0.6)
    return matches[0] if matches else None


def show(value: object) -> str:
    """A value as the author of a YAML file would know it again, cut where it is long."""
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
    """`expected` is pydantic's wording: 'mlp', 'cnn' or 'rnn'."""
    return closest(value, expected.split("'")[1::2]) if isinstance(value, str) else None


def _unknown_key(place: Place, known: list[str]) -> Fault:
    if meant := closest(str(place[-1]), known):
        return Fault(place, f'unknown key; did you mean "{meant}"?', (*place[:-1], meant))
    return Fault(place, f"unknown key; known here are {', '.join(known)}")


def _known_keys(model: type[BaseModel], place: Place) -> list[str]:
    """The keys of a section; of every form it can have, where there is more than one."""
    models = [model]
    for key in place:
        fields = [one.model_fields[str(key)] for one in models if key in one.model_fields]
        models = [inner for one in fields for inner in _models_in(one.annotation)]
    return list(dict.fromkeys(key for one in models for key in one.model_fields))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    kinds = (annotation, *get_args(annotation))
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
