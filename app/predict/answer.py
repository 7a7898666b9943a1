"""Probabilities into the bytes of an answer."""

import msgspec
from msgspec import UNSET, UnsetType

from app.predict.batcher import Part
from app.predict.warnings import Warn
from model.manifest import Manifest
from model.rows import Rows
from model.times import format_instant


class Prediction(msgspec.Struct, gc=False, omit_defaults=True):
    """One customer's answer. Its fields are those of `app.answers.Prediction`."""

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


def answer(manifest: Manifest, rows: Rows, part: Part, warn: Warn | None) -> bytes:
    """The body of an answer.

    Args:
        warn: says what is odd about each row; None where nobody asked.
    """
    horizons, probabilities = manifest.task.output_names, part.probabilities
    told = [
        Prediction(str(number) if id_ is None else id_, row[-1])
        for number, (id_, row) in enumerate(zip(rows.ids, probabilities, strict=True), 1)
    ]
    if horizons:
        for prediction, row in zip(told, probabilities, strict=True):
            prediction.horizons = dict(zip(horizons, row, strict=True))
    if warn:
        for prediction, warnings in zip(told, warn(rows, part.alone()), strict=True):
            prediction.warnings = warnings
    as_of = format_instant(rows.cutoffs[0], manifest.schema_.time_zone)
    return _encode(_Answer(manifest.name, manifest.version, as_of, told))
