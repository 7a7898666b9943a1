"""Raw numbers to network inputs, as a schema's Scaling says."""

import numpy as np
from numpy.typing import NDArray

from model.columns import Numbers
from model.schema import Scaling


def scale(values: Numbers, scaling: Scaling) -> NDArray[np.float32]:
    """(N,) float32; computed in float64, so that no finite number overflows. NaN stays NaN."""
    return ((squash(values, scaling.center, scaling.scale) - scaling.mean) / scaling.deviation).astype(
        np.float32
    )


def squash(values: Numbers, center: float, width: float) -> Numbers:
    """`asinh((x - center) / width)`: linear near the centre, logarithmic in the tails."""
    with np.errstate(over="ignore"):  # halves, so that the difference of two finite numbers is finite
        distance = np.clip((values / 2 - center / 2) / width * 2, -1e300, 1e300)
    return np.arcsinh(distance)
