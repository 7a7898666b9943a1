"""Spellings of one name: texts that differ only in case, accents, blanks, or a full stop at the end."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

_BETWEEN: Final = re.compile(r"(?<=\w)[\s_-]+(?=\w)")  # a sign at the beginning stays: -1 is not 1
_NO_ANSWER: Final = frozenset(
    {
        "unknown",
        "unk",
        "not known",
        "undefined",
        "undetermined",
        "missing",
        "not available",
        "n.a",
        "n.d",
        "\\n",
    }
    | {"pending", "tbd", "nil", "empty", "blank", "not set", "unset", "unspecified", "not specified"}
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
    return folded(text) in _NO_ANSWER or not any(c.isalnum() for c in text)
