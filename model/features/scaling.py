"""Raw numbers to network inputs by the scalings of a schema, and what is beyond the range of training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from model.schema import Scaling, Schema
from model.values.columns import Numbers

UNKNOWN: Final = 1  # the code of a category that training never saw
_FAR: Final = np.float64(1e300)


@dataclass(frozen=True)
class Scales:
    """The scalings of D numbers; each attribute is (D,) float64.

    Attributes:
        least, most: the bounds of a scaled number: the range of training, extended by its length to both
            sides, or by 1 if that is more. So no number, however odd, decides a probability by itself.
    """

    center: Numbers
    scale: Numbers
    mean: Numbers
    deviation: Numbers
    least: Numbers
    most: Numbers

    @classmethod
    def of(cls, scalings: Sequence[Scaling]) -> Self:
        """Stack the scalings of D numbers."""
        parts = [(s.center, s.scale, s.mean, s.deviation, s.low, s.high) for s in scalings]
        *linear, low, high = np.array(parts, dtype=np.float64).reshape(-1, 6).T
        center, width, mean, deviation = linear
        low, high = ((asinh_transform(end, center, width) - mean) / deviation for end in (low, high))
        extended = np.maximum(high - low, 1.0)
        return cls(center, width, mean, deviation, low - extended, high + extended)


def scale(values: Numbers, scaling: Scaling | Scales) -> NDArray[np.float32]:
    """(N,) or (N, D) float32 within the bounds of the scaling; NaN stays NaN."""
    scales = scaling if isinstance(scaling, Scales) else Scales.of([scaling])
    scaled = asinh_transform(values, scales.center, scales.scale)
    scaled -= scales.mean
    scaled /= scales.deviation
    np.maximum(scaled, scales.least, out=scaled)
    np.minimum(scaled, scales.most, out=scaled)
    return scaled.astype(np.float32)


def asinh_transform(values: Numbers, center: float | Numbers, width: float | Numbers) -> Numbers:
    """`asinh((x - center) / width)`: linear near the centre, logarithmic in the tails.

    The distance is clipped to 1e300 widths.
    """
    with np.errstate(over="ignore"):
        distance = values - center
        distance /= width
    # np.clip takes longer on a small array than all the rest
    np.maximum(distance, -_FAR, out=distance)
    np.minimum(distance, _FAR, out=distance)
    return np.arcsinh(distance, out=distance)


@dataclass(frozen=True)
class Ranges:
    """The names of what a network reads, and the range of its numbers in training.

    Attributes:
        numbers: of the first D numbers; those behind them (rates of categories) are no field of a customer.
        low, high: (D,) float32, scaled.
        categories: of the first C codes; those behind them are of repeated numbers.
    """

    numbers: tuple[str, ...]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    categories: tuple[str, ...]

    @classmethod
    def of(cls, schema: Schema) -> Self:
        """Return the ranges of a schema."""
        low, high = (
            np.array([scale(np.array([getattr(s, end)]), s)[0] for _, s in schema.numbers], np.float32)
            for end in ("low", "high")
        )
        names = tuple(name for name, _ in schema.numbers)
        return cls(names, low, high, tuple(category.name for category in schema.categories))

    def beyond(self, numeric: NDArray[np.float32]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(N, D) where a scaled number is below, and where it is above those of training; NaN is neither."""
        numeric = numeric[:, : len(self.numbers)]
        return numeric < self.low, numeric > self.high

    def unknown(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(N, C) where a category is one that training never saw."""
        return np.equal(codes[:, : len(self.categories)], UNKNOWN)
