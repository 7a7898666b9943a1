"""What the inputs of a network are called, and which of them share a reason.

A unit is what belongs together whatever the data: a column (its number, codes and rate), a series, and the
aggregates of one event type, of one numeric field of events, or of the recency, the rhythm and the length
of a history. A group is one or more units, or inputs that a study names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.features.aggregates import TENURE
from model.schema import EventSchema, Schema
from model.store.manifest import InputGroup

MAX_GROUPS: Final = 10
REST: Final = "other inputs"
SEQUENCE: Final = "sequence"
_RECENCY: Final = ("recency_days", "recency_share", "overdue")


class Input(NamedTuple):
    """The name of an input, its unit, and the family of units that may be grouped with that."""

    name: str
    unit: str
    family: str


@dataclass(frozen=True)
class InputNames:
    """What the D numbers, the C + V codes and the steps of `model.features.inputs.Inputs` are.

    The number, the codes and the rate of a column have one name.
    """

    numbers: tuple[Input, ...]
    codes: tuple[Input, ...]
    steps: Input | None

    @classmethod
    def of(cls, schema: Schema, *, with_steps: bool) -> "InputNames":
        """Return the names of a schema's inputs."""
        steps = with_steps and bool(schema.events or schema.series)
        series = {c: SEQUENCE if steps else one.name for one in schema.series for c in one.columns}
        columns = {c.name: Input(c.name, series.get(c.name, c.name), "columns") for c in schema.columns}
        numbers = [columns[c.name] for c in schema.numeric]
        codes = [columns[c.name] for c in schema.categorical]
        if schema.events:
            numbers += [_aggregate(feature.name, schema.events) for feature in schema.events.features]
            codes += [Input(c.name, c.name, "attributes") for c in schema.events.categories]
            if schema.events.type:  # of the last event
                codes[len(schema.categorical)] = Input(schema.events.type.name, "recency", "recency")
        numbers += [columns[c.name] for c in schema.categorical if c.rates]
        codes += [columns[c.name] for _, c in schema.valued]
        return cls(tuple(numbers), tuple(codes), Input(SEQUENCE, SEQUENCE, SEQUENCE) if steps else None)

    @property
    def inputs(self) -> tuple[Input, ...]:
        """All inputs, each name once."""
        every = (*self.numbers, *self.codes, *([self.steps] if self.steps else []))
        return tuple({one.name: one for one in reversed(every)}.values())[::-1]

    @property
    def names(self) -> tuple[str, ...]:
        """All names that a group may list: of inputs and of units."""
        return tuple(dict.fromkeys(name for one in self.inputs for name in (one.name, one.unit)))


@dataclass(frozen=True)
class Members:
    """The group of each input.

    Attributes:
        names: of the G groups.
        numbers, codes: (D,) and (C + V,) int64.
        steps: of the sequence; -1 for a head that reads none.
    """

    names: tuple[str, ...]
    numbers: NDArray[np.int64]
    codes: NDArray[np.int64]
    steps: int

    def __len__(self) -> int:
        return len(self.names)


def members(of_inputs: InputNames, groups: Sequence[InputGroup]) -> Members:
    """Assign every input to the group that lists its name, else its unit, else to one of the rest."""
    names = [group.name for group in groups]
    place = {name: at for at, group in reversed([*enumerate(groups)]) for name in group.inputs}

    def of(one: Input) -> int:
        at = place.get(one.name, place.get(one.unit))
        if at is None:
            if REST not in names:
                names.append(REST)
            at = names.index(REST)
        return at

    numbers, codes = ([of(one) for one in some] for some in (of_inputs.numbers, of_inputs.codes))
    steps = of(of_inputs.steps) if of_inputs.steps else -1
    return Members(tuple(names), np.array(numbers, np.int64), np.array(codes, np.int64), steps)


def alone(of_inputs: InputNames) -> Members:
    """Give every input a group of its own."""
    return members(of_inputs, [InputGroup(name=one.name, inputs=(one.name,)) for one in of_inputs.inputs])


def _aggregate(name: str, events: EventSchema) -> Input:
    """The unit of an aggregate of `model.features.aggregates`."""
    types = events.type.vocabulary if events.type else ()
    of_type = [kind for kind in types if f"[{kind}]_" in name]
    if of_type:
        return Input(name, max(of_type, key=len), "types")
    for value in events.values:
        if f"({value.name})" in name:
            return Input(name, value.name, "values")
    if name.startswith("cutoff_"):
        return Input(name, "season", "season")
    if name in (*_RECENCY, TENURE):
        unit = "tenure" if name == TENURE else "recency"
        return Input(name, unit, unit)
    return Input(name, "rhythm", "rhythm")
