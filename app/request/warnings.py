"""What is odd about a customer, by what training saw: values out of its range, categories it never met."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.request.nearest import Known, Nearest, known_categories
from model.features.scaling import scale
from model.predictor import Predictions
from model.schema import Schema
from model.values.rows import RequestRows

_UNKNOWN = 1


@dataclass(frozen=True)
class Warn:
    """Names of what the network reads, and the range of its numbers in training.

    Attributes:
        numbers: of the first D numbers; those behind them (rates of categories) are not a customer's.
        low, high: (D,) float32, scaled.
        categories: of the first C codes; those behind them are of repeated numbers.
        known: what the first of them are told of, which are columns.
    """

    numbers: tuple[str, ...]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    categories: tuple[str, ...]
    known: tuple[Known, ...] = ()

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
        return cls(
            tuple(name for name, _ in numbers), ends[0], ends[1], tuple(categories), known_categories(schema)
        )

    def __call__(self, rows: RequestRows, scored: Predictions) -> list[list[str]]:
        """Of each row its warnings."""
        numeric = scored.numeric[:, : len(self.numbers)]
        told: list[list[str]] = [[] for _ in range(len(numeric))]
        for what, places in (("below", numeric < self.low), ("above", numeric > self.high)):
            for row, column in np.argwhere(places).tolist():
                told[row].append(f"{self.numbers[column]}: {what} what training saw")
        nearest = Nearest(self.known)
        codes = scored.categories[:, : len(self.categories)]
        for row, column in np.argwhere(codes == _UNKNOWN).tolist():
            near = nearest(column, rows.row(row))
            hint = f"; did you mean {near}?" if near else ""
            told[row].append(f"{self.categories[column]}: a category that training never saw{hint}")
        return told
