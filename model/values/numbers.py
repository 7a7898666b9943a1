"""Numbers as people write them: `$1,234.50`, `15%`, `1.234,50`, `(12.00)`.

A spelling is the decimal mark of a column and its unit, such as `.$`, `,` or `.%`. Training finds it, and the
schema keeps it, so that a file of one row is read in the same way.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.values.columns import Column, Texts, parse_number, texts_of
from model.values.spelling import is_no_value

_UNITS: Final = frozenset(
    {"%", "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "PLN"}
    | {"CZK", "HUF", "BRL", "MXN", "ZAR", "TRY", "KR", "R$", "US$", "RS", "FR"}
)
_GROUPED: Final = {
    mark: re.compile(
        rf"(?:[1-9]\d{{0,2}}(?:[{group}]\d{{2,3}})*[{group}]\d{{3}}|0|[1-9]\d*)?(?:[{mark}]\d*)?"
    )
    for mark, group in ((".", ",'\u2019 \u00a0\u202f"), (",", ".'\u2019 \u00a0\u202f"))
}
_BARE: Final = re.compile(r"[\d.,'\u2019()+\-\u2212\s]")
_UNIT_LAST: Final = re.compile(r"[^A-Za-z]*\d[\s.]*[A-Za-z]{1,12}\.?")  # 5 GB, 3.5k, 12 years
_DOT: Final = re.compile(r"(?<=[A-Za-z])\.")  # of an abbreviation, such as Rs. or kr.
_SHOWN: Final = 3
_PADDED: Final = re.compile(r"[+-]?0\d")


def plain_numbers(column: Column, spelling: str) -> Column:
    """Return a column of numbers in a spelling with its texts as plain numbers; others stay, and are none."""
    if not isinstance(column, Texts):
        return column
    return texts_of(column.codes, [_plain(text, spelling) for text in column.values])


def describe_spelling(spelling: str | None) -> str:
    """Describe a spelling in a word or two, such as `decimal comma, EUR`; empty for plain numbers."""
    if not spelling:
        return ""
    return ", ".join(filter(None, ["decimal comma" if spelling[0] == "," else "", spelling[1:]])) or "1,234.5"


def mixed_units(values: Sequence[str], counts: NDArray[np.integer], share: float) -> str:
    """Say which units the numbers of a column have, if a share of the cells have several; else empty.

    Args:
        values, counts: as in `find_spelling`.
    """
    cells = Counter[str]()
    for value, count in zip(values, counts.tolist(), strict=True):
        unit = _unit(value)
        if _is_unit(unit) and any(not math.isnan(spelt_number(value, mark + unit)) for mark in ".,"):
            cells[unit] += count
    if len(cells) < 2 or sum(cells.values()) < share * counts.sum():
        return ""
    units = ", ".join(f"{unit!r} ({count:,})" for unit, count in cells.most_common(_SHOWN))
    return (
        f"it holds numbers of several units: {units}. Write them in one, or the unit in a column of its own."
    )


def column_spelling(name: str, column: Texts, share: float) -> tuple[str | None, str] | None:
    """Return the spelling of a column of numbers, None if they are plain, and a note if it is a guess.

    Args:
        share: of the cells but for marks of nothing that must be numbers; 0 for a column that the study says
            holds numbers, which has a spelling if more cells are numbers in it than plainly.

    Returns:
        None if fewer are numbers.
    """
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
    cells = {v: n for v, n in zip(column.values, counts.tolist(), strict=True) if n and not is_no_value(v)}
    found = find_spelling(list(cells), np.array(list(cells.values())), share) if cells else None
    if found is None:
        return None
    spelling, guess = found
    spelt = {value: spelt_number(value, spelling) for value in cells}
    plain = {value: parse_number(value) for value in cells}
    changed = [v for v in cells if not math.isnan(spelt[v]) and math.isnan(plain[v])]
    if not share and len(changed) <= sum(math.isnan(spelt[v]) and not math.isnan(plain[v]) for v in cells):
        return None  # the study says that codes such as "007" are numbers
    note = ""
    if guess and changed:
        read = f"read numbers such as {changed[0]!r} as {spelt[changed[0]]:g}"
        note = f"{name!r}: {read}, a guess: the mark may be of thousands or of decimals."
    same = np.array_equal(list(spelt.values()), list(plain.values()), equal_nan=True)
    return None if same else spelling, note


def find_spelling(
    values: Sequence[str], counts: NDArray[np.integer], share: float
) -> tuple[str, bool] | None:
    """Return the spelling in which a share of the cells are numbers, and whether its decimal mark is a guess.

    Args:
        values: the distinct texts. counts: (len(values),) cells of each.

    Returns:
        None where there is no such spelling, or where the units differ.
    """
    units = Counter[str]()
    for value, count in zip(values, counts.tolist(), strict=True):
        units[_unit(value)] += count
    known = [unit for unit in units if _is_unit(unit)]
    (most, cells), *_ = units.most_common(1)
    if most and not known and cells >= share * counts.sum():
        known = [most] if all(_UNIT_LAST.fullmatch(v) for v in values if _unit(v) == most) else []
    if len(known) > 1:
        return None
    read = {}
    for mark in ".,":
        spelling = mark + (known[0] if known else "")
        numbers = np.array([spelt_number(value, spelling) for value in values])
        if counts[~np.isnan(numbers)].sum() >= share * counts.sum():
            read[spelling] = numbers
    if not read:
        return None
    # of two readings of all cells, the mark of thousands is the likelier: 1.234 EUR is 1234
    best = max(
        read, key=lambda form: (int(counts[~np.isnan(read[form])].sum()), np.nansum(np.abs(read[form])))
    )
    one, *others = read.values()
    guess = any(
        (np.isnan(one) == np.isnan(other)).all() and not np.allclose(one, other, equal_nan=True)
        for other in others
    )
    return best, guess


def spelt_number(text: str, spelling: str) -> float:
    """Return the number of a text in a spelling, or NaN; a code such as 007 is none."""
    mark, unit = spelling[0], spelling[1:]
    found = _unit(text)
    if found not in ("", unit) or (unit == "%" and not found):
        return math.nan if unit or _PADDED.match(text) else parse_number(text)
    bare = "".join(_BARE.findall(_DOT.sub("", text))).replace("\u2212", "-").strip()
    sign = 1.0
    if bare.startswith("(") and bare.endswith(")"):
        sign, bare = -1.0, bare[1:-1].strip()
    elif bare.endswith("-") or bare.startswith(("-", "+")):
        sign, bare = (-1.0 if "-" in (bare[0], bare[-1]) else 1.0), bare.strip("+-").strip()
    if _GROUPED[mark].fullmatch(bare) and any(map(str.isdigit, bare)):
        whole, _, places = bare.partition(mark)
        return sign * float(f"{re.sub(r'[^0-9]', '', whole) or 0}.{places or 0}")
    return math.nan if unit or _PADDED.match(text) else parse_number(text)


def _is_unit(unit: str) -> bool:
    """Return whether a unit is money or percent."""
    return unit in _UNITS or (len(unit) == 1 and unicodedata.category(unit) == "Sc")


def _unit(text: str) -> str:
    return _BARE.sub("", text).upper()


def _plain(text: str, spelling: str) -> str:
    """A number as Python writes it; any other text so that it is none: `'007`, as spreadsheets mark it."""
    number = spelt_number(text, spelling)
    if not math.isnan(number):
        return repr(number)
    return text if math.isnan(parse_number(text)) else f"'{text}"
