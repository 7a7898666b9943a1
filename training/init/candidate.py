"""A target that the files allow, and the horizons that fit their length."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

LADDER: Final = (1, 2, 3, 7, 14, 30, 60, 90, 180, 365)  # days
USUAL: Final = 90  # days ahead, where nothing tells how often customers act
_SHORTEST: Final = 30  # days, where the data are long enough
_PARTS: Final = 5  # longest horizons that the data hold


@dataclass(frozen=True)
class Candidate:
    """A target of a study, and why.

    Attributes:
        keys: of the section `target`.
        sure: 4 by the dates of contracts, 3 by name, 2 by values, 1 as the data allow it, 0 only possible, -1
            unlikely.
        names: by which `--target` finds it.
        last_resort: whether it is the last column, to be taken where nothing else is likely.
    """

    keys: Mapping[str, Any]
    why: str
    sure: int
    names: tuple[str, ...]
    last_resort: bool = False

    @property
    def spelt(self) -> str:
        """The target as one line of YAML."""
        text: str = yaml.safe_dump(
            dict(self.keys), default_flow_style=True, width=math.inf, allow_unicode=True, sort_keys=False
        )
        return text.strip()


def horizons(span: int, rhythm: float) -> list[int]:
    """Return two horizons that fit data of so many days, of customers who act about every `rhythm` days."""
    fitting = [days for days in LADDER if days * _PARTS <= span] or [LADDER[0]]
    slow = [days for days in fitting if days >= max(rhythm, _SHORTEST)]
    longest = slow[0] if slow else fitting[-1]
    return [*[days for days in LADDER if days <= longest / 2][-1:], longest]


def one_or_all(values: Sequence[str]) -> str | list[str]:
    """A study names one value, or a list of several."""
    return values[0] if len(values) == 1 else list(values)
