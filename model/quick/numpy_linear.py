"""The linear network in numpy: `model.network.linear` up to float32 rounding, without torch's calls."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from model.network.linear import LinearNetwork
from model.probability import Logits

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class NumpyLinear:
    """The weights of a linear network.

    Attributes:
        numbers, missing: (D, K) of each number, and of each number that is missing.
        codes: (R, K) of the codes of C categories.
        offsets: (C,) int64 first row in `codes` of each category.
        bias: (K,).
    """

    numbers: Floats
    missing: Floats
    codes: Floats
    offsets: NDArray[np.int64]
    bias: Floats

    @classmethod
    def build(cls, network: LinearNetwork) -> Self:
        """Convert a linear network."""
        return cls(
            _array(network.numbers),
            _array(network.missing),
            _array(network.codes),
            _array(network.offsets),
            _array(network.bias),
        )

    def logits(self, numbers: Floats, codes: NDArray[np.int64]) -> Logits:
        """(n, K) float64 uncalibrated logits.

        Args:
            numbers: (n, D) float32, scaled; NaN missing.
            codes: (n, C or more) int64; the first C are read.
        """
        missing = np.isnan(numbers)
        total = np.where(missing, np.float32(0), numbers) @ self.numbers
        if missing.any():
            total += missing.astype(np.float32) @ self.missing
        total += self.bias
        for column, offset in enumerate(self.offsets.tolist()):
            total += self.codes.take(codes[:, column] + offset, axis=0)
        return total.astype(np.float64)


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().cpu().numpy()
    return array
