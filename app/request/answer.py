"""The body of a response: described once, as msgspec types, for the encoder and the API document."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from model.store.manifest import Manifest
from model.times import format_instant


class Prediction(msgspec.Struct, gc=False, omit_defaults=True):
    """One customer's prediction."""

    customer_id: Annotated[
        str | int, Meta(description="As in the request; the row's number, from 1, if absent there.")
    ]
    probability: Annotated[float, Meta(ge=0, le=1, description="By the longest horizon.")]
    horizons: (
        Annotated[dict[str, float], Meta(description="By each horizon in days; models of an event log only.")]
        | UnsetType
    ) = UNSET
    eligible: (
        Annotated[
            bool,
            Meta(description="Whether the study predicts this customer; absent if its label is a column."),
        ]
        | UnsetType
    ) = UNSET
    not_eligible_because: (
        Annotated[str, Meta(description="The rule by which it is not eligible.")] | UnsetType
    ) = UNSET
    warnings: (
        Annotated[list[str], Meta(description="What training never saw; with `warnings=true` only.")]
        | UnsetType
    ) = UNSET


class Predictions(msgspec.Struct, gc=False):
    """The predictions of one request, in the order of its customers."""

    model: str
    version: int
    as_of: Annotated[str, Meta(description="The instant of the prediction.")]
    predictions: list[Prediction]


_encode = msgspec.json.Encoder().encode


def encode(
    manifest: Manifest,
    cutoff: int,
    ids: Sequence[str | int | None],
    probabilities: Sequence[Sequence[float]],
    not_eligible: Sequence[str | None] | None,
    warnings: Sequence[list[str]] | None,
) -> bytes:
    """Return the body of a response about N customers.

    Args:
        cutoff: the instant of the prediction.
        ids: N ids as sent; None where absent.
        probabilities: for each customer K numbers.
        not_eligible: for each customer why it is not eligible, None if it is; None for a column task.
        warnings: for each customer; None where the request wants none.
    """
    horizons = manifest.task.output_names
    predictions = [
        Prediction(str(number) if id_ is None else id_, row[-1])
        for number, (id_, row) in enumerate(zip(ids, probabilities, strict=True), 1)
    ]
    if horizons:
        for prediction, row in zip(predictions, probabilities, strict=True):
            prediction.horizons = dict(zip(horizons, row, strict=True))
    if not_eligible is not None:
        for prediction, why in zip(predictions, not_eligible, strict=True):
            prediction.eligible = why is None
            prediction.not_eligible_because = why or UNSET
    if warnings is not None:
        for prediction, unusual in zip(predictions, warnings, strict=True):
            prediction.warnings = unusual
    as_of = format_instant(cutoff, manifest.schema_.time_zone)
    return _encode(Predictions(manifest.name, manifest.version, as_of, predictions))
