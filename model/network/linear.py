"""The linear head: logistic regression on the columns and history aggregates, in numpy alone."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.features.inputs import Inputs
from model.network.layout import Layout, check_weights, starts
from model.probability import Logits
from model.schema import Schema
from model.store.checkpoint import Weights

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LinearNetwork:
    """A weight for each number, for each number that is missing, and for each code of a category.

    A missing number counts as 0, the mean of the scaled numbers. The codes of repeated numbers are not read.

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
    def build(cls, schema: Schema, weights: Weights, *, n_outputs: int) -> Self:
        """Return the network of a schema with the weights of a checkpoint.

        Raises:
            CheckpointError: the weights do not fit.
        """
        layout, K = Layout.of(schema, piecewise=False), n_outputs
        first, D = starts(layout.sizes), len(layout.edges)
        shapes = {"numbers": (D, K), "missing": (D, K), "codes": (int(first[-1]), K), "bias": (K,)}
        check_weights(weights, shapes)
        return cls(**weights, offsets=first[:-1])

    def logits(self, inputs: Inputs) -> Logits:
        """(n, K) float64 uncalibrated logits."""
        missing = np.isnan(inputs.numeric)
        total = np.where(missing, np.float32(0), inputs.numeric) @ self.numbers
        if missing.any():
            total += missing.astype(np.float32) @ self.missing
        total += self.bias
        for column, offset in enumerate(self.offsets.tolist()):
            total += self.codes.take(inputs.categories[:, column] + offset, axis=0)
        return total.astype(np.float64)

    def parts(self, inputs: Inputs) -> NDArray[np.float64]:
        """(1, 1, n, D + C, K) what each number and category adds to the logits."""
        numbers, codes = inputs.numeric[..., None], inputs.categories[:, : len(self.offsets)]
        of_numbers = np.where(np.isnan(numbers), self.missing, numbers * self.numbers)
        of_codes = self.codes.take(codes + self.offsets, axis=0)
        return np.concatenate([of_numbers, of_codes], axis=1, dtype=np.float64)[None, None]

    def finish(self, h: NDArray[np.float64]) -> Logits:
        """(n, K) float64 uncalibrated logits of the sum of all parts, (1, 1, n, K)."""
        logits: Logits = h[0, 0] + self.bias
        return logits
