"""What is unusual about a customer: numbers beyond training, new categories, later dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, NamedTuple, Self

import numpy as np

from model.features.scaling import Ranges
from model.predictor import Predictions
from model.schema import CategoricalColumn, Schema
from model.values.rows import Cell, RequestRows

_MAX_COMPARED: Final = 500  # texts for one answer: some ten milliseconds
_MAX_LETTERS: Final = 64  # of a text that is compared


class Known(NamedTuple):
    """A column's place in a row, and its categories by their case-folded text."""

    place: int
    categories: Mapping[str, str]


@dataclass(frozen=True)
class Warnings:
    """Sentences on what is unusual about the customers of a request.

    Attributes:
        ranges: of training.
        known: the columns among the categories.
    """

    ranges: Ranges
    known: tuple[Known, ...] = ()

    @classmethod
    def of(cls, schema: Schema) -> Self:
        """Return the warnings of a schema."""
        return cls(Ranges.of(schema), _known(schema))

    def __call__(self, rows: RequestRows, predictions: Predictions) -> list[list[str]]:
        """Return the warnings of each row."""
        ranges = self.ranges
        warnings: list[list[str]] = [[] for _ in range(len(predictions.numeric))]
        for where, outside in zip(("below", "above"), ranges.beyond(predictions.numeric), strict=True):
            for row, column in np.argwhere(outside).tolist():
                warnings[row].append(f"{ranges.numbers[column]}: {where} what training saw")
        for name, times in rows.dates.items():
            for row, (time, cutoff) in enumerate(zip(times, rows.cutoffs, strict=True)):
                if name in ranges.numbers and time is not None and time > cutoff:
                    warnings[row].append(f"{name}: after as_of, and read as missing")
        nearest = _Nearest(self.known)
        for row, column in np.argwhere(ranges.unknown(predictions.categories)).tolist():
            near = nearest(column, rows.row(row))
            hint = f"; did you mean {near}?" if near else ""
            warnings[row].append(f"{ranges.categories[column]}: a category that training never saw{hint}")
        return warnings


def _known(schema: Schema) -> tuple[Known, ...]:
    return tuple(
        Known(place, {category.casefold(): category for category in column.vocabulary})
        for place, column in enumerate(schema.columns)
        if isinstance(column, CategoricalColumn)
    )


class _Nearest:
    """Finds the nearest known category of unknown ones, until that has cost enough for one answer."""

    def __init__(self, known: Sequence[Known]) -> None:
        self._known = known
        self._found: dict[tuple[int, str], str | None] = {}
        self._n_left = _MAX_COMPARED

    def __call__(self, number: int, cells: Sequence[Cell]) -> str | None:
        """Return the category nearest to a row's; None where there is none.

        Args:
            number: of the column among the categories; those beyond the known ones are of events.
        """
        if number >= len(self._known):
            return None
        text = cells[self._known[number].place]
        if not isinstance(text, str):
            return None
        key = number, text[:_MAX_LETTERS].casefold()
        if key not in self._found:
            self._found[key] = self._find(*key)
        return self._found[key]

    def _find(self, number: int, text: str) -> str | None:
        categories = self._known[number].categories
        if text in categories:
            return categories[text]
        if len(categories) > self._n_left:
            return None
        self._n_left -= len(categories)
        return next((categories[near] for near in get_close_matches(text, categories, n=1)), None)
