"""The kind of each column of a table, inferred from its values.

The first rule that fits decides; shares are of the rows that are not missing.

| column holds                                                              | kind        |
|---------------------------------------------------------------------------|-------------|
| nothing                                                                   | left out    |
| named under `categorical` or `numeric`                                    | as named    |
| one value in every row                                                    | left out    |
| one value in some rows, nothing in the others                             | categorical |
| numbers: 0 and 1 only                                                     | boolean     |
| numbers: an id, see below                                                 | left out    |
| other numbers, whole-number codes too                                     | numeric     |
| texts: true/false, yes/no, t/f, y/n, in any case                          | boolean     |
| texts: numbers in >= 90 %, as `model.values.numbers` reads                 | as numbers  |
| texts or numbers: dates in >= 90 %, see `model.files.dates`               | date        |
| texts: sentences (>= 50 rows, > 20 % distinct, >= 4 words and 20 letters) | left out    |
| texts: an id                                                              | left out    |
| other texts, however many distinct                                        | categorical |

An id has >= 50 rows and > 95 % distinct values; where they are numbers, they are whole, and the
name says so (`customer_id`, `CustomerId`, `Invoice No`, `id_student`) or they rise by 1 from row to row.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.files.cells import LEADING_ZERO
from model.files.dates import MIN_SHARE, DateFormat, mixed_formats
from model.files.names import agreed, check_names, some_of
from model.files.table import RawTable
from model.values.columns import (
    Column,
    Numbers,
    Texts,
    absent,
    as_numbers,
    parse_boolean,
    parse_number,
)
from model.values.numbers import column_spelling, mixed_units, plain_numbers
from model.values.spelling import is_no_value

Kind = Literal["numeric", "boolean", "date", "categorical"]

_ID_NAME: Final = re.compile(r"(^|[_ .-])(id|uuid|guid|key|no|nr|number)$|^id[_ .-]", re.IGNORECASE)
_CAMEL_ID: Final = re.compile(r"[a-z0-9](Id|ID|Uuid|UUID|Guid|GUID|Key|No|Nr|Number)$")
_BOUND: Final = re.compile(r"(?:[<>≤≥~]=?|=[<>])\s*[\d.,]+|[\d.,]+\s*\+")
_MONTH: Final = re.compile(r"(0[1-9]|1[0-2])[/-]\d\d")
_NUMBER_FIRST: Final = re.compile(r"[^\w]{0,2}\d")
_MOST: Final = 0.5
_MANY_ROWS: Final = 50
_ID_SHARE: Final = 0.95
_SENTENCE_SHARE: Final = 0.2
_SENTENCE_WORDS: Final = 4
_SENTENCE_LETTERS: Final = 20
_BOOLEAN_SPELLINGS: Final = 40  # there are no more spellings of yes and no
_SAMPLE: Final = 1000


@dataclass(frozen=True)
class Kinds:
    """The kind of each column that a model may read.

    Attributes:
        kinds: by column, in the table's order.
        date_formats: the strptime format of each date column; None is ISO 8601.
        left_out: by column, the reason as a sentence.
        notes: sentences about what was guessed, with the key that changes it.
        spellings: of columns of numbers that are not plain, see `model.values.numbers`.
    """

    kinds: dict[str, Kind]
    date_formats: dict[str, str | None]
    left_out: dict[str, str]
    notes: tuple[str, ...]
    spellings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Verdict:
    """The kind of one column; None where it is left out, for `reason`."""

    kind: Kind | None
    reason: str = ""
    time_format: str | None = None
    note: str = ""
    spelling: str | None = None


def infer_kinds(
    table: RawTable,
    *,
    categorical: Collection[str] = (),
    numeric: Collection[str] = (),
    dates: Mapping[str, DateFormat],
    stated_dates: Collection[str] = (),
    skip: Collection[str] = (),
) -> Kinds:
    """Infer the kind of every column but those to skip.

    Args:
        categorical, numeric, stated_dates: columns whose kind is known.
        dates: the format of each column of dates.
        skip: columns that are not inputs, such as the id and the label.

    Raises:
        DataError: a named column does not exist, or is named under both kinds.
    """
    check_names([*categorical, *numeric, *stated_dates], table.columns, "the customer table")
    stated = {"categorical": categorical, "numeric": numeric, "dates": stated_dates}
    for one, other in combinations(stated, 2):
        if both := sorted(set(stated[one]) & set(stated[other])):
            raise DataError(f"a column must have one kind, got {both} under both {one} and {other}.")
    named: dict[str, Kind] = {
        **dict.fromkeys(categorical, "categorical"),
        **dict.fromkeys(numeric, "numeric"),
        **dict.fromkeys(stated_dates, "date"),
    }
    verdicts = {
        name: _judge(name, column, named.get(name), dates.get(name))
        for name, column in table.columns.items()
        if name not in skip
    }
    return Kinds(
        kinds={name: v.kind for name, v in verdicts.items() if v.kind},
        date_formats={name: v.time_format for name, v in verdicts.items() if v.kind == "date"},
        left_out={name: v.reason for name, v in verdicts.items() if not v.kind},
        notes=tuple(v.note for v in verdicts.values() if v.note),
        spellings={name: v.spelling for name, v in verdicts.items() if v.kind and v.spelling},
    )


def _judge(name: str, column: Column, named: Kind | None, date: DateFormat | None) -> _Verdict:
    if absent(column).all():
        return _left_out("every cell is missing")
    is_date = named == "date" or (named is None and not _holds_one(column) and not _names_an_id(name))
    if date and is_date:
        return _Verdict("date", time_format=date.time_format, note=date.note)
    if named == "numeric":
        return _judge_spelt(name, column, share=0) or _Verdict(named)
    if named:
        return _Verdict(named)
    if isinstance(column, Texts):
        return _judge_texts(name, column)
    return _judge_numbers(name, column)


def _holds_one(column: Column) -> bool:
    """Return whether all rows hold one value."""
    values = column.codes if isinstance(column, Texts) else column
    return bool((values == values[0]).all())


def _judge_numbers(name: str, numbers: Numbers) -> _Verdict:
    known = numbers[~np.isnan(numbers)]
    if known.min() == known.max():
        return _one_value(f"{known[0]:g}", everywhere=len(known) == len(numbers))
    if np.isin(known, (0, 1)).all():
        return _Verdict("boolean")
    if _is_id(name, known):
        return _left_out(f"it is an id: {len(known):,} rows hold nearly as many whole numbers")
    return _Verdict("numeric")


def _is_id(name: str, known: Numbers) -> bool:
    if len(known) < _MANY_ROWS or (known != np.floor(known)).any():
        return False
    if (np.diff(known) == 1).all():
        return True
    return _names_an_id(name) and len(np.unique(known)) > _ID_SHARE * len(known)


def _names_an_id(name: str) -> bool:
    return bool(_ID_NAME.search(name) or _CAMEL_ID.search(name))


def _judge_texts(name: str, column: Texts) -> _Verdict:
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
    values = [column.values[code] for code in np.flatnonzero(counts)]
    counts = counts[counts > 0]
    n_known = int(counts.sum())
    few = values if len(values) <= _BOOLEAN_SPELLINGS else []
    truths = {parse_boolean(value) for value in few if not is_no_value(value)}
    if len(values) == 1 or ({*map(parse_boolean, few)} in ({0.0}, {1.0})):
        return _one_value(values[0], everywhere=n_known == len(column))
    if truths == {0.0, 1.0}:
        return _Verdict("boolean")
    if numbers := _judge_spelt(name, column, share=MIN_SHARE):
        return numbers
    if mixed := mixed_formats(column) or mixed_units(values, counts, MIN_SHARE):
        return _left_out(mixed)
    return replace(_judge_words(values, n_known), note=_near_note(name, values, counts))


def _judge_words(values: Sequence[str], n_known: int) -> _Verdict:
    if n_known >= _MANY_ROWS and len(values) > _SENTENCE_SHARE * n_known and _are_sentences(values):
        return _left_out(f"it holds sentences: {len(values):,} distinct texts in {n_known:,} rows")
    if n_known >= _MANY_ROWS and len(values) > _ID_SHARE * n_known:
        return _left_out(f"it looks like an id: {len(values):,} distinct texts in {n_known:,} rows")
    return _Verdict("categorical")


def _judge_spelt(name: str, column: Column, *, share: float) -> _Verdict | None:
    """The verdict on texts of which a share, without marks of nothing, are numbers; None where fewer are."""
    if not isinstance(column, Texts):
        return None
    found = column_spelling(name, column, share)
    if found is None or (share and _are_codes([v for v in column.values if not is_no_value(v)])):
        return None
    spelling, note = found
    plain = plain_numbers(column, spelling) if spelling else column
    verdict = _judge_numbers(name, as_numbers(plain)) if share else _Verdict("numeric")
    if verdict.kind not in ("numeric", "boolean"):
        return verdict
    return replace(verdict, spelling=spelling, note=note)


def _are_codes(values: Sequence[str]) -> bool:
    """Return whether values are codes such as "007": digits alone, of one length, some with zeros before."""
    digits = [value for value in values if value.isdigit()]
    padded = any(re.match(LEADING_ZERO, value) for value in digits)
    return padded and len(set(map(len, digits))) == 1


def _are_sentences(values: Sequence[str]) -> bool:
    sample = _sample(values)
    words = np.mean([len(value.split()) for value in sample])
    letters = np.mean([len(value) for value in sample])
    return bool(words >= _SENTENCE_WORDS and letters >= _SENTENCE_LETTERS)


def _near_note(name: str, values: Sequence[str], counts: NDArray[np.integer]) -> str:
    """A sentence on texts that are nearly numbers or dates, and what to write for that."""
    total = int(counts.sum())
    numbers, bounds, months, number_first = (
        int(counts[[bool(fits(value)) for value in values]].sum())
        for fits in (
            *(lambda v: not np.isnan(parse_number(v)), _BOUND.fullmatch),
            *(_MONTH.fullmatch, _NUMBER_FIRST.match),
        )
    )
    if bounds and numbers + bounds >= MIN_SHARE * total:
        example = next(value for value in values if _BOUND.fullmatch(value))
        return (
            f"{name!r}: {some_of(bounds, total, 'cell')} {agreed(bounds, 'is a bound', 'are bounds')} such "
            f"as {example!r}; it was read as texts. If it is a number, write numbers in their place."
        )
    if months >= MIN_SHARE * total:
        return (
            f"{name!r}: cells such as {values[0]!r} may be months and years; it was read as texts. If it is "
            f'a date, set data.customers.dates: {{{name}: "%m/%y"}}.'
        )
    if numbers >= _MOST * total:
        return (
            f"{name!r}: {numbers:,} of {total:,} cells are numbers; it was read as texts. If it is a number, "
            f"set data.customers.numeric: [{name}]."
        )
    if number_first < MIN_SHARE * total or len(values) <= _MANY_ROWS:
        return ""
    return (
        f"{name!r}: cells such as {values[0]!r} begin with a number; it was read as {len(values):,} texts. "
        "If it is a number or a date, write it plainly and in one unit, such as 1234.5 or 2024-03-01."
    )


def _sample(values: Sequence[str]) -> Sequence[str]:
    return values[:: max(1, len(values) // _SAMPLE)]


def _one_value(value: str, *, everywhere: bool) -> _Verdict:
    """A column with one known value: information only where it is missing in some rows."""
    return _left_out(f"every row holds {value!r}") if everywhere else _Verdict("categorical")


def _left_out(reason: str) -> _Verdict:
    return _Verdict(None, reason=reason)
