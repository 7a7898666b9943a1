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
| texts: numbers in >= 95 %; the words are noted and read as missing        | as numbers  |
| texts or numbers: dates in >= 90 %, see `model.files.dates`               | date        |
| texts: sentences (>= 50 rows, > 20 % distinct, >= 4 words and 20 letters) | left out    |
| texts: an id                                                              | left out    |
| other texts, however many distinct                                        | categorical |

An id has >= 50 rows and > 95 % distinct values; where they are numbers, they are whole, and the
name says so (`customer_id`, `CustomerId`, `Invoice No`, `id_student`) or they rise by 1 from row to row.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.files.cells import LEADING_ZERO, spells_number
from model.files.dates import MIN_SHARE, DateFormat, mixed_formats
from model.files.names import check_names, counted
from model.files.table import RawTable, unreadable_note
from model.times import MISSING_TIME
from model.values.columns import Column, Numbers, Texts, as_dates, as_numbers, as_texts, parse_boolean

Kind = Literal["numeric", "boolean", "date", "categorical"]

_ID_NAME: Final = re.compile(r"(^|[_ .-])(id|uuid|guid|key|no|nr|number)$|^id[_ .-]", re.IGNORECASE)
_CAMEL_ID: Final = re.compile(r"[a-z0-9](Id|ID|Uuid|UUID|Guid|GUID|Key|No|Nr|Number)$")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?[0-9]+(,[0-9]+)?$")
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
        notes: sentences about assumptions and unreadable values, for the report.
    """

    kinds: dict[str, Kind]
    date_formats: dict[str, str | None]
    left_out: dict[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Verdict:
    """The kind of one column; None where it is left out, for `reason`."""

    kind: Kind | None
    reason: str = ""
    time_format: str | None = None
    note: str = ""


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
    for one, other in (("categorical", "numeric"), ("categorical", "dates"), ("numeric", "dates")):
        stated = {"categorical": categorical, "numeric": numeric, "dates": stated_dates}
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
    )


def _judge(name: str, column: Column, named: Kind | None, date: DateFormat | None) -> _Verdict:
    known = column.codes >= 0 if isinstance(column, Texts) else ~np.isnan(column)
    if not known.any():
        return _left_out("every cell is missing")
    if date and named in (None, "date") and not _names_an_id(name):
        return _Verdict("date", time_format=date.time_format, note=_date_note(name, column, date))
    if named:
        return _Verdict(named, note=unreadable_note(name, column) if named == "numeric" else "")
    if isinstance(column, Texts):
        return _judge_texts(name, column)
    return _judge_numbers(name, column)


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
    truths = {parse_boolean(value) for value in values} if len(values) <= _BOOLEAN_SPELLINGS else set()
    if len(values) == 1 or truths in ({0.0}, {1.0}):
        return _one_value(values[0], everywhere=n_known == len(column))
    if truths == {0.0, 1.0}:
        return _Verdict("boolean")
    if _are_numbers(values, counts):
        numbers = _judge_numbers(name, as_numbers(column))
        words = numbers.kind in ("numeric", "boolean")
        return replace(numbers, note=unreadable_note(name, column)) if words else numbers
    if mixed := mixed_formats(column):
        return _left_out(mixed)
    return replace(_judge_words(values, n_known), note=_comma_note(name, values))


def _judge_words(values: Sequence[str], n_known: int) -> _Verdict:
    if n_known >= _MANY_ROWS and len(values) > _SENTENCE_SHARE * n_known and _are_sentences(values):
        return _left_out(f"it holds sentences: {len(values):,} distinct texts in {n_known:,} rows")
    if n_known >= _MANY_ROWS and len(values) > _ID_SHARE * n_known:
        return _left_out(f"it looks like an id: {len(values):,} distinct texts in {n_known:,} rows")
    return _Verdict("categorical")


def _are_numbers(values: Sequence[str], counts: NDArray[np.integer]) -> bool:
    """Return whether enough rows are numbers and none is a code such as "007"."""
    if any(re.match(LEADING_ZERO, value) for value in values):
        return False
    spelt = np.array([spells_number(value) for value in values])
    return bool(counts[spelt].sum() >= MIN_SHARE * counts.sum())


def _are_sentences(values: Sequence[str]) -> bool:
    sample = _sample(values)
    words = np.mean([len(value.split()) for value in sample])
    letters = np.mean([len(value) for value in sample])
    return bool(words >= _SENTENCE_WORDS and letters >= _SENTENCE_LETTERS)


def _date_note(name: str, column: Column, date: DateFormat) -> str:
    texts = as_texts(column)
    unread = np.flatnonzero((texts.codes >= 0) & (as_dates(texts, date.time_format, "UTC") == MISSING_TIME))
    if not len(unread):
        return date.note
    example = texts.values[texts.codes[unread[0]]]
    lost = f"{name!r}: read {counted(len(unread), 'cell')} without a date, such as {example!r}, as missing."
    return f"{date.note} {lost}".strip()


def _comma_note(name: str, values: Sequence[str]) -> str:
    sample = _sample(values)
    with_comma = [value for value in sample if "," in value]
    if not with_comma or not all(_DECIMAL_COMMA.match(value) for value in sample):
        return ""
    return (
        f"{name!r}: values such as {with_comma[0]!r} were read as texts; "
        "write them with a decimal point if they are numbers."
    )


def _sample(values: Sequence[str]) -> Sequence[str]:
    return values[:: max(1, len(values) // _SAMPLE)]


def _one_value(value: str, *, everywhere: bool) -> _Verdict:
    """A column with one known value: information only where it is missing in some rows."""
    return _left_out(f"every row holds {value!r}") if everywhere else _Verdict("categorical")


def _left_out(reason: str) -> _Verdict:
    return _Verdict(None, reason=reason)
