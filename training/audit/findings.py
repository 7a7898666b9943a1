"""The findings of the probes, and what to do about them: the line of the study to write."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import yaml

Level = Literal["leak", "warning", "note"]

_ORDER: Final[dict[Level, int]] = {"leak": 0, "warning": 1, "note": 2}
_COLUMNS: Final = "\0"  # stands for the columns in the advice of a group
_SHOWN: Final = 3


@dataclass(frozen=True)
class Finding:
    """The result of one probe.

    Attributes:
        probe: a stable code, such as `one_class`.
        level: a `leak` prevents training unless the study allows the column.
        column: the column, aggregate or event type; None for a finding about the rows.
        evidence: a sentence with the figures.
        advice: a sentence with the study key to change.
    """

    probe: str
    level: Level
    column: str | None
    evidence: str
    advice: str


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings: leaks, warnings, notes; within each by column, then probe."""
    return sorted(findings, key=lambda f: (_ORDER[f.level], f.column or "", f.probe))


def remedy(level: Level, column: str, *, aggregate: bool = False) -> str:
    """Return the advice about a column that may reveal the future."""
    if aggregate:
        leave = (
            "If its events are part of the outcome, name them under target.event, raise target.gap_days, or "
            "leave them out of the log"
        )
    else:
        leave = f"Exclude what is not known at the cutoff ({exclude_line([column])})"
    allow = f"; allow what is known (allow_leaks: {yaml_list([column])})"
    return f"{leave}{allow if level == 'leak' else ''}."


def exclude_line(columns: Sequence[str]) -> str:
    """Return the line of a study that excludes these columns."""
    return f"under data.customers, exclude: {yaml_list(columns)}"


def yaml_list(names: Sequence[str]) -> str:
    """Return names as a YAML list on one line, with quotes where YAML needs them."""
    text: str = yaml.safe_dump(list(names), default_flow_style=True, width=math.inf, allow_unicode=True)
    return text.strip()


@dataclass(frozen=True)
class Group:
    """Findings of one kind, about one column or several, to be read as one paragraph.

    Attributes:
        evidence: the sentences of the first findings, and a sentence for all others.
        advice: about all the columns.
    """

    level: Level
    columns: tuple[str, ...]
    evidence: str
    advice: str


def grouped(findings: Iterable[Mapping[str, Any]]) -> list[Group]:
    """Group findings of the same level, probe and advice, in their order.

    Args:
        findings: `Finding`s as plain values, new or read from report.json.
    """
    groups: dict[tuple[bool, str, str, str], list[Mapping[str, Any]]] = {}
    for finding in findings:
        column, advice = finding["column"], finding["advice"]
        if column is not None:
            advice = advice.replace(yaml_list([column]), _COLUMNS)
        key = column is None, finding["level"], finding["probe"], advice
        groups.setdefault(key, []).append(finding)
    return [_group(advice, found) for (*_, advice), found in groups.items()]


def _group(advice: str, found: Sequence[Mapping[str, Any]]) -> Group:
    columns = tuple(f["column"] for f in found if f["column"] is not None)
    sentences = [f["evidence"] for f in found[:_SHOWN]]
    if more := columns[_SHOWN:]:
        sentences.append(f"The same holds for {', '.join(map(repr, more))}.")
    return Group(
        found[0]["level"], columns, " ".join(sentences), advice.replace(_COLUMNS, yaml_list(columns))
    )
