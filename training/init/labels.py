"""Columns of a table that may be the label, and the values that count."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from model.values.columns import parse_boolean
from model.values.spelling import folded, is_no_answer
from training.init.candidate import Candidate, one_or_all
from training.init.look import Look
from training.init.words import means_an_outcome, means_staying, names_a_label, names_the_stayers
from training.question.label_column import listed_counts

_VALUES: Final = 10  # of a label, at most
_YES: Final = frozenset({"ja", "oui", "si"})


def label_candidates(table: Look) -> Iterator[Candidate]:
    """Yield the columns of a few values."""
    last = list(table.table.columns)[-1]
    for name in table.of_kind("boolean", "categorical", "numeric"):
        counts = {value: n for value, n in table.counts(name).items() if not is_no_answer(value)}
        is_text = name not in table.of_kind("numeric")
        if 1 < len(set(map(_key(counts), counts))) <= (_VALUES if is_text else 2):
            yield _label(name, counts, is_last=name == last, is_text=is_text)


def ended_values(values: Iterable[str]) -> list[str]:
    """The values that name an end, such as `Cancelled`."""
    return [value for value in values if means_an_outcome(value) and not means_staying(value)]


def positive_values(counts: Mapping[str, int], ending: Sequence[str] = ()) -> list[str]:
    """The values that count: those that name an end, else yes, else what is not staying, else the rarer."""
    values = list(counts)
    truths = [value for value in values if parse_boolean(value) == 1 or folded(value) in _YES]
    moving = [value for value in values if not means_staying(value)]
    for found in (list(ending), truths, moving):
        if 0 < len(found) < len(values):
            return found
    return [min(values, key=counts.__getitem__)]


def _label(name: str, counts: Mapping[str, int], *, is_last: bool, is_text: bool) -> Candidate:
    """The column as a label: which of its values are positive, and how likely it is meant."""
    key = _key(counts)
    two = len(set(map(key, counts))) == 2
    named = means_an_outcome(name) or (two and names_a_label(name))
    ending = ended_values(counts)
    found = positive_values(counts, ending)
    if two and names_the_stayers(name):
        found = [value for value in counts if key(value) not in set(map(key, found))]
    positive = list({key(value): value for value in reversed(found)}.values())[::-1]
    rest = [value for value in counts if key(value) not in set(map(key, positive))]
    keys: dict[str, Any] = {"column": name, "positive": one_or_all(positive)}
    if not two or len(positive) > 1:
        keys["negative"] = list({key(value): value for value in rest}.values())
    sure, why = (0 if two else -1), "several values, one of them may be the outcome"
    if named and (two or ending):
        sure, why = 3, "the name is that of an outcome"
    elif ending and is_text:
        sure, why = 2, "its values name an outcome"
    elif two and names_the_stayers(name):
        sure, why = 2, "it says who is still there"
    elif two:
        why = "two values" + (", and it is the last column" if is_last else "")
    return Candidate(keys, f"{why}: {listed_counts(counts.items())}", sure, (name,), is_last and two)


def _key(values: Iterable[str]) -> Callable[[str], str]:
    """What the spellings of a value have in common, as `training.question.label_column` counts them."""
    if all(parse_boolean(value) in (0, 1) for value in values):
        return lambda value: str(parse_boolean(value))
    return folded
