"""The draft as a YAML file, with what was guessed and why as comments."""

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from model.files.dates import date_formats
from model.files.names import listed
from training.audit.findings import yaml_list
from training.init.draft import Draft

Place = tuple[str, ...]

_WIDTH: Final = 110
_OTHERS: Final = 8  # further targets that are written, at most


def study_text(draft: Draft, folder: Path) -> str:
    """Return the text of the study for a file in this folder."""
    head = ["Guessed by `propense init`, with the reasons. Next: `propense audit`.", *draft.files.sentences]
    lines = [*_comment(head), *_section(draft.values(folder), _reasons(draft), ())]
    if draft.target is None:
        lines += _comment(
            ["No target is plain from the files. Write one of these, or of those in the README:"]
        )
    elif draft.others:
        lines += ["", *_comment(["Other targets, to put in place of the one above:"])]
    for other in draft.others[:_OTHERS]:
        lines += [*_comment([f"- {other.why}:"]), f"# target: {_printable(other.spelt)}"]
    return "\n".join(lines) + "\n"


def _reasons(draft: Draft) -> dict[Place, list[str]]:
    """The sentences above a key, by its place."""
    table, log, target = draft.files.table, draft.files.log, draft.target
    why = [f"Not {why}" for why in draft.failed] + [f"{target.why}." if target else "", *draft.refused]
    reasons: dict[Place, list[str]] = {("target",): why}
    reasons["data", "customers", "exclude"] = [f"{name!r}: {why}" for name, why in draft.exclude.items()]
    if table and table.is_snapshots:
        reasons["data", "customers", "path"] = [
            f"Rows are of several dates, in {table.time!r}. To hold out the latest, add split: {{time: ...}}."
        ]
    if log:
        times = {log.time: log.look.table.columns[log.time]}
        unread = f"Not read, ids and texts: {listed(log.unread)}." if log.unread else ""
        reasons["data", "events", "path"] = [unread]
        reasons["data", "events", "time"] = [date_formats(times, key="time_format: {form}")[log.time].note]
        values = listed(list(log.look.counts(log.type))) if log.type else ""
        reasons["data", "events", "type"] = [f"Its values: {values}."]
    return reasons


def _section(values: Mapping[str, Any], reasons: Mapping[Place, list[str]], place: Place) -> Iterator[str]:
    indent = "  " * len(place)
    for key, value in values.items():
        here = (*place, key)
        yield from [""] if not place and isinstance(value, Mapping) else []
        yield from _comment(reasons.get(here, []), indent)
        if isinstance(value, Mapping):
            yield f"{indent}{key}:"
            yield from _section(value, reasons, here)
        else:
            plain = yaml_list(value) if isinstance(value, list) else yaml_list([value])[1:-1]
            yield f"{indent}{key}: {plain}"


def _comment(sentences: list[str], indent: str = "") -> list[str]:
    """Comments of at most 110 letters a line."""
    wrapped = [
        textwrap.wrap(_printable(one), _WIDTH - len(indent), break_on_hyphens=False) for one in sentences
    ]
    return [f"{indent}# {line}" for lines in wrapped for line in lines]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
