"""What the values of the label column, and the types of events, count as: facts and their sentences."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from model.task import ColumnTask, ContractTask, LogTask
from model.values.columns import Column, Texts
from model.values.spelling import folded, matching
from training.question.label_column import listed_counts, read_label


def label_facts(columns: Mapping[str, Column], task: ColumnTask) -> dict[str, Any]:
    """Return the label column with its values, their rows, and the side of each."""
    return {"column": task.column, "values": [asdict(value) for value in read_label(columns, task).values]}


def event_type_facts(types: Texts, task: LogTask | ContractTask | ColumnTask) -> list[dict[str, Any]]:
    """Return each type of the log with its events and the keys of the target that it counts for."""
    keys: dict[str, list[str]] = {}
    for key, names in _named(task):
        for value in matching(types.values, names):
            keys.setdefault(value, []).append(f"target.{key}")
    counts = np.bincount(types.codes[types.codes >= 0], minlength=len(types.values))
    return [
        {
            "type": types.values[code],
            "count": int(counts[code]),
            "counts_as": keys.get(types.values[code], []),
        }
        for code in np.argsort(-counts, kind="stable").tolist()
        if counts[code]
    ]


def _named(task: LogTask | ContractTask | ColumnTask) -> Iterable[tuple[str, Sequence[str]]]:
    if isinstance(task, LogTask):
        yield "event", task.event_types
    if not isinstance(task, ColumnTask):
        yield "returns", task.returns
        yield "involuntary", task.involuntary


def label_sentence(label: Mapping[str, Any]) -> str:
    """List the values of the label by what they count as."""
    parts = []
    for side in ("positive", "negative", "excluded"):
        values = [(v["value"], v["count"]) for v in label["values"] if v["counts_as"] == side]
        if values:
            parts.append(f"{listed_counts(values)} {'are' if side == 'excluded' else 'count as'} {side}")
    names = [v["value"] for v in label["values"] if v["value"] is not None]
    return f"Values of {label['column']!r}: {'; '.join(parts)}.{_one_spelling(names)}"


def event_type_sentences(facts: Sequence[Mapping[str, Any]]) -> list[str]:
    """List the types of events by the key of the target that they count for."""
    groups: dict[str, dict[str, int]] = {}
    for one in facts:
        groups.setdefault(" and ".join(one["counts_as"]), {})[one["type"]] = one["count"]
    others = groups.pop("", {})
    lines = [
        f"Events that count as {key}: {listed_counts(values.items())}.{_one_spelling(list(values))}"
        for key, values in groups.items()
    ]
    return (
        [*lines, f"{'Other types' if lines else 'Types'} of events: {listed_counts(others.items())}."]
        if others
        else lines
    )


def _one_spelling(names: Sequence[str]) -> str:
    if len({folded(name) for name in names}) == len(names):
        return ""
    return " Spellings that differ in case, blanks or accents count as one."
