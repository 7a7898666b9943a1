"""The category that a text was meant to be, perhaps."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple

from model.schema import CategoricalColumn, Schema
from model.values.rows import Cell

_COMPARED: Final = 500  # texts for one answer: some ten milliseconds
_READ: Final = 64  # letters of a text


class Known(NamedTuple):
    """A column's place in a row, and its categories by what they are in small letters."""

    place: int
    categories: Mapping[str, str]


def known_categories(schema: Schema) -> tuple[Known, ...]:
    """Of each column of categories, in the schema's order."""
    return tuple(
        Known(place, {category.casefold(): category for category in column.vocabulary})
        for place, column in enumerate(schema.columns)
        if isinstance(column, CategoricalColumn)
    )


class Nearest:
    """Finds categories for one answer, until that has cost enough."""

    def __init__(self, known: Sequence[Known]) -> None:
        self._known = known
        self._found: dict[tuple[int, str], str | None] = {}
        self._left = _COMPARED

    def __call__(self, number: int, cells: Sequence[Cell]) -> str | None:
        """The category nearest to what a row has; None where there is none.

        Args:
            number: of the column among those of categories; those behind are of events.
        """
        if number >= len(self._known):
            return None
        text = cells[self._known[number].place]
        if not isinstance(text, str):
            return None
        at = number, text[:_READ].casefold()
        if at not in self._found:
            self._found[at] = self._find(*at)
        return self._found[at]

    def _find(self, number: int, text: str) -> str | None:
        categories = self._known[number].categories
        if text in categories:
            return categories[text]
        if len(categories) > self._left:
            return None
        self._left -= len(categories)
        return next((categories[near] for near in get_close_matches(text, categories, n=1)), None)
