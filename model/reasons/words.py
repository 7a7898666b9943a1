"""Inputs of a network in words: what a customer has, and what is usual."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from model.features.inputs import Inputs
from model.features.scaling import UNKNOWN, Scales
from model.reasons.groups import SEQUENCE, InputNames
from model.schema import BooleanColumn, DateColumn, Scaling, Schema

NONE: Final = "none"
_SPAN: Final = r"_(?:(?P<days>\d+)d|lifetime)"
_COUNT: Final = re.compile(rf"count(?:\[(?P<type>.*)\])?{_SPAN}", re.DOTALL)
_SUM: Final = re.compile(rf"sum\((?P<value>.*?)\)(?:\[(?P<type>.*)\])?{_SPAN}", re.DOTALL)
_VALUE: Final = re.compile(r"(?P<which>last|largest|mean)\((?P<value>.*)\)", re.DOTALL)
_SINCE: Final = re.compile(r"recency\[(?P<type>.*)\]_days", re.DOTALL)


class Phrase(NamedTuple):
    """A sentence around a value, and the whole of it where the value is missing."""

    before: str
    after: str = ""
    absent: str = ""
    factor: float = 1.0
    says: bool = True  # else the value is not for people


_AGGREGATES: Final = {
    "recency_days": Phrase("last event ", " days ago", "no event"),
    "tenure_days": Phrase("first event ", " days ago", "no event"),
    "recency_share": Phrase("silent for ", " % of the time since the first event", "no event", 100),
    "overdue": Phrase("silent for ", " times the mean gap between events", "one event or none"),
    "active_days": Phrase("days with an event: "),
    "active_rate": Phrase("days with an event: ", " %", "no event", 100),
    "mean_gap_days": Phrase("an event every ", " days", "one event or none"),
    "gap_spread_days": Phrase("gaps between events vary by ", " days", "one event or none"),
    "last_gap_days": Phrase("last gap between events: ", " days", "one event or none"),
}


_CALENDAR: Final = ("the day of the week", "the time of the year")


@dataclass(frozen=True)
class Said:
    """An input of one customer in words; `text` is a sentence without what is usual."""

    value: str
    text: str


@dataclass(frozen=True)
class Words:
    """Says what the inputs are.

    Attributes:
        scalings: of the D numbers.
        most: (D,) the bounds of the scaled numbers.
        numbers, codes: the place of each by its name.
    """

    schema: Schema
    scalings: tuple[Scaling, ...]
    most: NDArray[np.float64]
    numbers: Mapping[str, int]
    codes: Mapping[str, int]

    @classmethod
    def of(cls, schema: Schema, of_inputs: InputNames) -> Self:
        """Return the words of a schema."""
        numbers = {one.name: at for at, one in enumerate(of_inputs.numbers[: len(schema.numbers)])}
        codes = {one.name: at for at, one in enumerate(of_inputs.codes[: len(schema.categories)])}
        scalings = tuple(scaling for _, scaling in schema.numbers)
        return cls(schema, scalings, Scales.of(scalings).most, numbers, codes)

    def say(self, name: str, inputs: Inputs, row: int) -> Said:
        """Say what an input of an example is."""
        if name == SEQUENCE and name not in self.numbers:
            return self._sequence(inputs, row)
        if (at := self.numbers.get(name)) is not None:
            return self._number(name, at, float(inputs.numeric[row, at]))
        place = self.codes[name]
        code, vocabulary = int(inputs.categories[row, place]), self.schema.categories[place].vocabulary
        value = "missing" if code == 0 else "a new value" if code == UNKNOWN else vocabulary[code - 2]
        of_event = place >= len(self.schema.categorical)
        return Said(value, f"{name} of the last event: {value}" if of_event else f"{name}: {value}")

    def _number(self, name: str, at: int, scaled: float) -> Said:
        columns = self.schema.numeric
        phrase = _of_column(columns[at]) if at < len(columns) else _of_aggregate(name)
        if np.isnan(scaled):
            return Said(NONE if phrase.absent else "missing", phrase.absent or f"{name}: missing")
        if not phrase.says:
            return Said("", phrase.before)
        raw = unscaled(self.scalings[at], scaled)
        if at < len(columns) and isinstance(columns[at], BooleanColumn):
            value = "yes" if raw >= 0.5 else "no"
        else:
            beyond = "" if np.float32(scaled) < np.float32(self.most[at]) else "at least "
            value = beyond + number_text(raw * phrase.factor, 4 if at < len(columns) else 3)
        return Said(value, f"{phrase.before}{value}{phrase.after}")

    def _sequence(self, inputs: Inputs, row: int) -> Said:
        steps = inputs.steps
        assert steps is not None
        if self.schema.events is None:
            names = ", ".join(series.name for series in self.schema.series)
            return Said("", f"the course of {names}")
        n = int(steps.ends[row] - steps.starts[row])
        return Said(str(n), f"the order of the last events: {n}")


def with_usual(own: Said, other: Said, word: str) -> str:
    """Return the sentence with what is usual, or was before."""
    if not other.value:
        return own.text
    return f"{own.text} ({word}: {other.text if own.value == NONE else other.value})"


def unscaled(scaling: Scaling, scaled: float) -> float:
    """Return the number that `model.features.scaling.scale` scaled, as exact as float32."""
    return float(scaling.center + scaling.scale * np.sinh(scaled * scaling.deviation + scaling.mean))


def number_text(number: float, digits: int = 4) -> str:
    """Return a number in so many digits, or in all before the point."""
    if abs(number) >= 1000:
        return f"{number:,.0f}"
    text = f"{number:.{digits}g}" if abs(number) >= 0.001 else "0"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def _of_column(column: object) -> Phrase:
    name = getattr(column, "name", "")
    if isinstance(column, DateColumn):
        return Phrase(f"{name}: ", " days ago")
    return Phrase(f"{name}: ")


def _of_aggregate(name: str) -> Phrase:
    if name in _AGGREGATES:
        return _AGGREGATES[name]
    if name.startswith("cutoff_"):
        return Phrase(_CALENDAR["year" in name], says=False)
    if found := _SINCE.fullmatch(name):
        return Phrase(f"last {found['type']} ", " days ago", f"no {found['type']}")
    if found := _VALUE.fullmatch(name):
        return Phrase(f"{found['which']} {found['value']}: ", absent=f"no {found['value']}")
    if found := _COUNT.fullmatch(name):
        kind = f"{found['type']} events" if found["type"] else "events"
        return Phrase(f"{kind} {_span(found['days'])}: ")
    if found := _SUM.fullmatch(name):
        kind = f" of {found['type']}" if found["type"] else ""
        return Phrase(f"{found['value']}{kind} {_span(found['days'])}: ")
    return Phrase(f"{name}: ")


def _span(days: str | None) -> str:
    return f"in {days} days" if days else "in all"
