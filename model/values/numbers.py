"""Texts that are no values, beside the missing ones of `model.values.columns`."""

from typing import Final

_MARKS: Final = frozenset(
    {
        *(
            "-",
            "--",
            "---",
            "\u2013",
            "\u2014",
            "?",
            "??",
            ".",
            "*",
            "#",
            "\\n",
            "n.a.",
            "n/d",
            "nd",
            "tbd",
            "nil",
            "never",
        ),
        *("unknown", "missing", "unavailable", "undefined", "not available", "not applicable", "not known"),
        *("no data", "(null)", "(blank)", "(empty)", "0000-00-00", "0000-00-00 00:00:00"),
        *("#value!", "#ref!", "#div/0!", "#name?", "#num!", "#null!"),
    }
)


def is_mark(text: str) -> bool:
    """Return whether a text is a usual mark that there is no value, such as `-` or `\\N`."""
    return text.casefold() in _MARKS
