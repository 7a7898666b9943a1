"""The ranges of training: what of some customers is beyond the numbers and categories that it saw."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from model.features.scaling import scale
from model.schema import DateColumn, Schema

UNKNOWN: Final = 1  # the code of a category that training never saw


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


def ages(schema: Schema) -> frozenset[str]:
    """Return the names of the dates: their numbers are days before the cutoff."""
    return frozenset(c.name for c in schema.numeric if isinstance(c, DateColumn))
