"""What training never saw, counted over a file: numbers beyond its range, new categories, short histories."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from model.features.aggregates import TENURE
from model.features.scaling import UNKNOWN, Ranges
from model.files.names import agreed, some_of
from model.predictor import Predictions
from model.reasons.words import unscaled
from model.schema import Scaling, Schema
from model.values.columns import as_codes
from model.values.history import EventLog

_SHOWN: Final = 5  # columns of one sentence
_CHANCE: Final = 0.01  # that all histories are so short by chance


@dataclass
class Unusual:
    """Counts over the batches of one file, by column.

    Attributes:
        present: numbers that are there.
        beyond: those of them that are beyond the range of training.
        farthest: the scaled number that is farthest from that range, and its distance.
        longest: the longest tenure, scaled.
        events: categories of events that are there; new: those that training never saw; example: the first.
    """

    schema: Schema
    present: Counter[str] = field(default_factory=Counter)
    beyond: Counter[str] = field(default_factory=Counter)
    farthest: dict[str, tuple[float, float]] = field(default_factory=dict)
    longest: float = -math.inf
    events: Counter[str] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)
    example: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ranges = Ranges.of(self.schema)

    def add(self, scored: Predictions, log: EventLog | None) -> None:
        """Count what the network read of some customers, and the categories of their events."""
        self._add_numbers(scored)
        for category in self.schema.events.categories if self.schema.events and log else ():
            assert log
            texts = log.categories[category.name]
            codes = as_codes(texts, category.vocabulary)
            self.events[category.name] += int((codes > 0).sum())
            new = np.flatnonzero(codes == UNKNOWN)
            if len(new):
                self.new[category.name] += len(new)
                self.example.setdefault(category.name, texts.values[texts.codes[new[0]]])

    def _add_numbers(self, scored: Predictions) -> None:
        ranges = self._ranges
        numeric = scored.numeric[:, : len(ranges.numbers)]
        below, above = ranges.beyond(numeric)
        outside, present = below | above, (~np.isnan(numeric)).sum(axis=0)
        for column, name in enumerate(ranges.numbers):
            self.present[name] += int(present[column])
            if name == TENURE:
                self.longest = float(np.fmax.reduce(numeric[:, column], initial=self.longest))
        for column in np.flatnonzero(outside.any(axis=0)).tolist():
            name, values = ranges.numbers[column], numeric[outside[:, column], column]
            distances = np.maximum(ranges.low[column] - values, values - ranges.high[column])
            worst = int(distances.argmax())
            self.beyond[name] += len(values)
            far = float(distances[worst]), float(values[worst])
            self.farthest[name] = max(self.farthest.get(name, far), far)

    def notes(self) -> tuple[str, ...]:
        """A sentence on the numbers, one for each category of events, and one on short histories."""
        events = [
            f"{some_of(n, self.events[name], 'value')} of {name!r} of events {agreed(n, 'is', 'are')} no "
            f"category that training knew, such as {self.example[name]!r}; read as unknown."
            for name, n in self.new.items()
        ]
        return (*self._numbers(), *events, *self._short_histories())

    def _short_histories(self) -> list[str]:
        """Tell where no history is as long as many of training: earlier events are likely to be missing."""
        tenure = dict(self.schema.numbers).get(TENURE)
        if tenure is None or not self.present[TENURE]:
            return []
        longer = int((np.asarray(tenure.edges) > self.longest).sum()) - 1  # of as many parts of training
        share = max(longer, 0) / max(len(tenure.edges) - 1, 1)
        if (1 - share) ** self.present[TENURE] > _CHANCE:
            return []
        days = unscaled(tenure, self.longest)
        return [
            f"no history reaches back more than {days:,.0f} days; {share:.0%} of those of training did, up "
            f"to {tenure.high:,.0f} days. Give every event of each customer: a shorter history counts as a "
            "shorter life."
        ]

    def _numbers(self) -> list[str]:
        """The columns of the table first, then the rest by its count."""
        if not self.beyond:
            return []
        table = {column.name for column in self.schema.numeric}
        of, dates = dict(self.schema.numbers), self.schema.date_formats
        names = sorted(self.beyond, key=lambda name: (name not in table, -self.beyond[name]))
        parts = [self._number(name, of, days=name in dates) for name in names[:_SHOWN]]
        more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
        return [f"beyond what training saw: {'; '.join([*parts, *more])}."]

    def _number(self, name: str, of: Mapping[str, Scaling], *, days: bool) -> str:
        scaling, unit = of[name], " days before" if days else ""
        far = unscaled(scaling, self.farthest[name][1])
        far = round(far, 4 - math.floor(math.log10(scaling.scale))) + 0.0  # as exact as float32; no -0
        return (
            f"{name!r} in {some_of(self.beyond[name], self.present[name], 'row')}, such as {far:.4g}{unit} "
            f"(training: {scaling.low:.4g} to {scaling.high:.4g})"
        )
