"""Columns by name: a refusal that names the nearest one there is."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from itertools import islice

from model.errors import DataError

_LISTED = 30
_LETTERS = 200  # of a name
_COMPARED = 1000  # names that a wanted one is compared with


class MissingColumnsError(DataError):
    """A file lacks columns.

    Attributes:
        missing: each with the nearest name that the file has, None where nothing is like it.
    """

    def __init__(self, message: str, missing: Sequence[tuple[str, str | None]]) -> None:
        super().__init__(message)
        self.missing = missing


def check_names(wanted: Iterable[str], known: Collection[str], owner: str) -> None:
    """Check that every wanted column is there.

    Args:
        owner: what should have them, such as a file's name; begins the message.

    Raises:
        MissingColumnsError: one is not; the text suggests the nearest names and lists the known ones.
    """
    missing = [(name, nearest(name, known)) for name in dict.fromkeys(wanted) if name not in known]
    if missing:
        (first, near), more = missing[0], len(missing) - 1
        others = f" (and lacks {listed([name for name, _ in missing[1:]])} too)" if more else ""
        hint = f"did you mean {near!r}? " if near else ""
        message = f"{owner} has no column {first!r}{others}; {hint}its columns are {listed(known)}"
        raise MissingColumnsError(message, missing)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like this one, ignoring case; None where nothing is like it."""
    folded = {other.casefold(): other for other in islice(known, _COMPARED)}
    # With one of its two letters wrong, "id" is only half like itself.
    cutoff = 0.5 if len(name) < 3 else 0.6
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)
    return folded[close[0]] if close else None


def listed(names: Collection[str]) -> str:
    """The first names, quoted, and how many more there are."""
    short = (n if len(n) <= _LETTERS else f"{n[:_LETTERS]}..." for n in islice(names, _LISTED))
    quoted = ", ".join(map(repr, short))
    more = len(names) - _LISTED
    return f"{quoted} and {more} more" if more > 0 else quoted


def counted(count: int, noun: str) -> str:
    """`1 cell`, `2,000 cells`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def some_of(count: int, total: int, noun: str) -> str:
    """`1 of 2,000 cells`."""
    return f"{count:,} of {counted(total, noun)}"


def agreed(count: int, one: str, several: str) -> str:
    """The form of a word that goes with a count: `is` and `are`."""
    return one if count == 1 else several


def check_unique(names: Sequence[str], owner: str) -> None:
    """Check that no column name comes twice.

    Raises:
        DataError: some do; the text names them.
    """
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(f"{owner} must name each column once, got {listed(repeated)} again. Rename them.")
