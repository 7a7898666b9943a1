"""Probabilities into the bytes of an answer."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from model.store.manifest import Manifest
from model.times import format_instant


class Prediction(msgspec.Struct, gc=False, omit_defaults=True):
    """One customer's answer. Its fields are those of `app.routes.answers.Prediction`."""

    customer_id: str | int
    probability: float
    horizons: dict[str, float] | UnsetType = UNSET
    warnings: list[str] | UnsetType = UNSET


class _Answer(msgspec.Struct, gc=False):
    model: str
    version: int
    as_of: str
    predictions: list[Prediction]


_encode = msgspec.json.Encoder().encode


def answer(
    manifest: Manifest,
    cutoff: int,
    ids: Sequence[str | int | None],
    probabilities: Sequence[Sequence[float]],
    warnings: Sequence[list[str]] | None,
) -> bytes:
    """The body of an answer about N customers.

    Args:
        cutoff: the instant of the question.
        ids: N ids as sent; a customer without one is called by its number, from 1.
        probabilities: of each customer K numbers.
        warnings: what is odd about each; None where nobody asked.
    """
    horizons = manifest.task.output_names
    told = [
        Prediction(str(number) if id_ is None else id_, row[-1])
        for number, (id_, row) in enumerate(zip(ids, probabilities, strict=True), 1)
    ]
    if horizons:
        for prediction, row in zip(told, probabilities, strict=True):
            prediction.horizons = dict(zip(horizons, row, strict=True))
    if warnings is not None:
        for prediction, odd in zip(told, warnings, strict=True):
            prediction.warnings = odd
    as_of = format_instant(cutoff, manifest.schema_.time_zone)
    return _encode(_Answer(manifest.name, manifest.version, as_of, told))
