"""Raw numbers to network inputs by the scalings of a schema."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from model.schema import Scaling
from model.values.columns import Numbers

_FAR: Final = np.float64(1e300)


@dataclass(frozen=True)
class Scales:
    """The scalings of D numbers; each attribute is (D,) float64."""

    center: Numbers
    scale: Numbers
    mean: Numbers
    deviation: Numbers

    @classmethod
    def of(cls, scalings: Sequence[Scaling]) -> Self:
        """Stack the scalings of D numbers."""
        parts = [(s.center, s.scale, s.mean, s.deviation) for s in scalings]
        return cls(*np.array(parts, dtype=np.float64).reshape(-1, 4).T)


def scale(values: Numbers, scaling: Scaling | Scales) -> NDArray[np.float32]:
    """(N,) or (N, D) float32; a finite number stays finite and NaN stays NaN."""
    scaled = asinh_transform(values, scaling.center, scaling.scale)
    scaled -= scaling.mean
    scaled /= scaling.deviation
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
