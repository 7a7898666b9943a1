"""What is odd about a customer, by what training saw: values out of its range, categories it never met."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.predictor import Scored
from model.scaling import scale
from model.schema import Schema

_UNKNOWN = 1


@dataclass(frozen=True)
class Warn:
    """Names of what the network reads, and the range of its numbers in training.

    Attributes:
        numbers: of the first D numbers; those behind them (rates of categories) are not a customer's.
        low, high: (D,) float32, scaled.
        categories: of the first C codes; those behind them are of repeated numbers.
    """

    numbers: tuple[str, ...]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    categories: tuple[str, ...]

    @classmethod
    def of(cls, schema: Schema) -> Self:
        """What a schema says."""
        numbers = [(c.name, c.scaling) for c in schema.numeric]
        categories = [c.name for c in schema.categorical]
        if schema.events:
            numbers += [(f.name, f.scaling) for f in schema.events.features]
            categories += [c.name for c in schema.events.categories]
        ends = [
            np.array(
                [scale(np.array([end]), s)[0] for end, (_, s) in zip(ends, numbers, strict=True)], np.float32
            )
            for ends in ([s.low for _, s in numbers], [s.high for _, s in numbers])
        ]
        return cls(tuple(name for name, _ in numbers), ends[0], ends[1], tuple(categories))

    def __call__(self, scored: Scored) -> list[list[str]]:
        """Of each row its warnings."""
        odd = self._odd(scored)
        told: list[list[str]] = [[] for _ in range(len(scored.numeric))]
        for what, names, places in odd:
            for row, column in np.argwhere(places).tolist():
                told[row].append(f"{names[column]}: {what}")
        return told

    def _odd(self, scored: Scored) -> Sequence[tuple[str, Sequence[str], NDArray[np.bool_]]]:
        numeric = scored.numeric[:, : len(self.numbers)]
        codes = scored.categories[:, : len(self.categories)]
        return (
            ("below what training saw", self.numbers, numeric < self.low),
            ("above what training saw", self.numbers, numeric > self.high),
            ("a category that training never saw", self.categories, codes == _UNKNOWN),
        )
