"""The label of a column target: what each value of the column counts as."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from model.errors import DataError
from model.files.names import check_names, counted, listed
from model.task import ColumnTask
from model.values.columns import Column, as_categories, column_of, parse_boolean
from model.values.spelling import folded, is_no_answer
from training.question.labels import Bools
from training.study.faults import show

Side = Literal["positive", "negative", "excluded"]

_ORDER: Final[tuple[Side, ...]] = ("positive", "negative", "excluded")
SHOWN: Final = 10  # values in a sentence


@dataclass(frozen=True)
class LabelValue:
    """A distinct value of the label column; None is a blank cell. `count` is its rows."""

    value: str | None
    count: int
    counts_as: Side


@dataclass(frozen=True)
class LabelColumn:
    """The label of N rows.

    Attributes:
        name: of the column.
        labelled: (N,) whether a row is positive or negative; the others are excluded.
        positive: (N,) whether it is positive.
        values: the values by side, the frequent ones first; a value that the study names is here even if
            no row has it.
    """

    name: str
    labelled: Bools
    positive: Bools
    values: tuple[LabelValue, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence if rows are excluded."""
        rows = [(one.value, one.count) for one in self.values if one.counts_as == "excluded" and one.count]
        if not rows:
            return ()
        n = counted(sum(count for _, count in rows), "row")
        return (f"left out {n} whose {self.name!r} counts as no answer: {listed_counts(rows)}.",)


def read_label(columns: Mapping[str, Column], task: ColumnTask) -> LabelColumn:
    """Read the label.

    Spellings of one value (`Yes`, `yes`, `YES `) count as one, unless the study names two of them for
    different sides; where every value is a boolean, so do `Y`, `true` and `1`. Blank cells are excluded.
    If the study has no `negative`, values that say that nothing is known (`?`, `Unknown`) are excluded,
    and the others must be one value, which is negative. If it has, values in neither list are excluded.

    Raises:
        DataError: the column or a positive value is absent, a side has no rows, or the study does not say
            what a value counts as.
    """
    check_names([task.column], list(columns), "the customer table")
    texts = as_categories(columns[task.column])
    blank, *counts = np.bincount(texts.codes + 1, minlength=len(texts.values) + 1).tolist()
    rows = {text: n for text, n in zip(texts.values, counts, strict=True) if n}
    sides = _sides(task, rows)
    side_of = np.array(["excluded", *(sides.get(text, "excluded") for text in texts.values)])[texts.codes + 1]
    values = [LabelValue(text, rows.get(text, 0), side) for text, side in sides.items()]
    values += [LabelValue(None, blank, "excluded")] if blank else []
    values.sort(key=lambda value: (_ORDER.index(value.counts_as), -value.count))
    return LabelColumn(task.column, side_of != "excluded", side_of == "positive", tuple(values))


def _sides(task: ColumnTask, rows: Mapping[str, int]) -> dict[str, Side]:
    """Return the side of each value, and of each value that the study names."""
    named: dict[str, Side] = dict.fromkeys(_names(task.positives), "positive")
    named |= dict.fromkeys(_names(task.negatives), "negative")
    key = _key(rows, named)
    side_of = {key(name): side for name, side in named.items()}
    found = set(map(key, rows))
    there = [*rows, *(name for name in named if key(name) not in found)]
    stated = {value: side_of.get(key(value)) for value in there}
    _check_there(task, rows, {side for value, side in stated.items() if value in rows})
    if task.negatives:
        return {value: side or "excluded" for value, side in stated.items()}
    answers = {v: rows[v] for v, side in stated.items() if side is None and not is_no_answer(v)}
    if len({key(value) for value in answers}) > 1:
        raise DataError(
            f"each value of the label {task.column!r} must count as positive or negative, got several beside "
            f"target.positive: {listed_counts(answers.items())}. Write which of them are negative, such as "
            f"target.negative: [{show(max(answers, key=answers.__getitem__))}]; rows with a value in neither "
            "list are left out."
        )
    if not answers:
        raise DataError(
            f"the label {task.column!r} must have both outcomes, got only {listed_counts(rows.items())}; "
            "blank cells are no answer. Write a value in the rows that are negative."
        )
    return {value: side or ("negative" if value in answers else "excluded") for value, side in stated.items()}


def _check_there(task: ColumnTask, rows: Mapping[str, int], sides: set[Side | None]) -> None:
    for side, names in (("positive", task.positives), ("negative", task.negatives)):
        if names and side not in sides:
            raise DataError(
                f"target.{side} must be a value of {task.column!r}, got {listed(names)}. The values are "
                f"{listed_counts(rows.items())}."
            )


def _key(values: Iterable[str], named: Mapping[str, Side]) -> Callable[[str], str]:
    """Return the function whose result is one for all spellings of a value."""
    if all(is_no_answer(value) or parse_boolean(value) in (0, 1) for value in (*values, *named)):
        spelling: Callable[[str], str] = _boolean
    else:
        spelling = folded
    sides: dict[str, set[Side]] = {}
    for name, side in named.items():
        sides.setdefault(spelling(name), set()).add(side)
    return str if any(len(of_key) > 1 for of_key in sides.values()) else spelling


def _boolean(text: str) -> str:
    return folded(text) if is_no_answer(text) else str(parse_boolean(text) == 1)


def _names(spellings: Sequence[str]) -> tuple[str, ...]:
    """Spell the study's values as those of a column: 1.0 is 1."""
    return as_categories(column_of(spellings)).values


def listed_counts(counts: Iterable[tuple[str | None, int]]) -> str:
    """List values with their rows, the frequent ones first; None is a blank cell."""
    pairs = sorted(counts, key=lambda pair: -pair[1])
    shown = [f"{'blank' if value is None else repr(value)} ({n:,})" for value, n in pairs[:SHOWN]]
    rest = sum(n for _, n in pairs[SHOWN:])
    return ", ".join([*shown, *([f"{len(pairs) - SHOWN:,} more ({rest:,})"] if rest else [])])
