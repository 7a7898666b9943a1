"""What a probe found: the column, the figures, and what to do."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["leak", "warning", "note"]

_ORDER: Final[dict[Level, int]] = {"leak": 0, "warning": 1, "note": 2}


@dataclass(frozen=True)
class Finding:
    """One thing that a probe found.

    Attributes:
        probe: which probe, such as `one_class`; stable, for programs.
        level: a `leak` refuses to train unless the study allows the column.
        column: the column, aggregate or event type as the study calls it; None for the rows as such.
        evidence: a sentence with the figures.
        advice: a sentence that names the key to use.
    """

    probe: str
    level: Level
    column: str | None
    evidence: str
    advice: str


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Leaks first, then warnings, then notes; by column, then probe, within each."""
    return sorted(findings, key=lambda f: (_ORDER[f.level], f.column or "", f.probe))


def remedy(level: Level, column: str, *, aggregate: bool) -> str:
    """What to do about a column that may know the future."""
    name = json.dumps(column, ensure_ascii=False)  # a name in quotes is a text to YAML, whatever is in it
    if aggregate:
        leave = (
            "If the events behind it belong to the outcome, ask for them (target.event), ask earlier "
            "(target.gap_days), or leave them out of the log"
        )
    else:
        leave = f"If it is not known at the cutoff, leave it out (data.customers.exclude: [{name}])"
    return f"{leave}; if it is known, allow it (allow_leaks: [{name}])." if level == "leak" else f"{leave}."
