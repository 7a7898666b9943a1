"""Raw numbers to network inputs, as a schema's Scaling says."""

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
    """The scalings of D numbers side by side; each attribute is (D,) float64."""

    center: Numbers
    scale: Numbers
    mean: Numbers
    deviation: Numbers

    @classmethod
    def of(cls, scalings: Sequence[Scaling]) -> Self:
        """Scalings of one number each."""
        parts = [(s.center, s.scale, s.mean, s.deviation) for s in scalings]
        return cls(*np.array(parts, dtype=np.float64).reshape(-1, 4).T)


def scale(values: Numbers, scaling: Scaling | Scales) -> NDArray[np.float32]:
    """(N,) or (N, D) float32; computed in float64, so that every finite number stays so. NaN stays NaN."""
    squashed = asinh_transform(values, scaling.center, scaling.scale)
    squashed -= scaling.mean
    squashed /= scaling.deviation
    return squashed.astype(np.float32)


def asinh_transform(values: Numbers, center: float | Numbers, width: float | Numbers) -> Numbers:
    """`asinh((x - center) / width)`: linear near the centre, logarithmic in the tails.

    What is farther from the centre than 1e300 widths, or than a float64 can say, counts as that far.
    """
    with np.errstate(over="ignore"):
        distance = values - center
        distance /= width
    # not np.clip, which costs a small array more time than all the rest
    np.maximum(distance, -_FAR, out=distance)
    np.minimum(distance, _FAR, out=distance)
    return np.arcsinh(distance, out=distance)
