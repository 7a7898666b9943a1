"""Spellings of one name: texts that differ only in case, accents, blanks, or a full stop; and of no value."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

_BETWEEN: Final = re.compile(r"(?<=\w)[\s_-]+(?=\w)")  # a sign at the beginning stays: -1 is not 1
_NO_ANSWER: Final = frozenset(
    {"unknown", "unk", "not known", "undefined", "undetermined", "unavailable", "not available", "no data"}
    | {"missing", "n.a", "n.d", "\\n", "pending", "tbd", "nil", "empty", "blank", "not set", "unset"}
    | {"unspecified", "not specified", "not applicable"}
)
_NO_VALUE: Final = frozenset(  # in a column of numbers or times; as an answer it may mean something
    {"nd", "n/d", "never", "(null)", "(blank)", "(empty)", "0000-00-00", "0000-00-00 00:00:00"}
    | {"#value!", "#ref!", "#div/0!", "#name?", "#num!", "#null!"}
)


@lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """What all spellings of a name have in common: `Order_Placed` and `order placed ` are one."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _BETWEEN.sub(" ", plain.strip().rstrip(".").rstrip().casefold()) or plain


def matching(values: Sequence[str], names: Iterable[str]) -> list[str]:
    """Return the values that are spellings of one of the names."""
    keys = {folded(name) for name in names}
    return [value for value in values if folded(value) in keys]


def is_no_answer(text: str) -> bool:
    """Return whether a text says that a value is not known, such as `?`, `--` or `Unknown`."""
    return folded(text) in _NO_ANSWER or not any(map(str.isalnum, text))


def is_no_value(text: str) -> bool:
    """Return whether a cell of numbers or times says that there is none, such as `-`, `\\N` or `Never`."""
    plain = text.casefold()
    return plain in _NO_VALUE or plain.rstrip(".") in _NO_ANSWER or not any(map(str.isalnum, text))
