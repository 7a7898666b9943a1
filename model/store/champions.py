"""Which version of a model is in service, and which were before: two small files in the model's folder.

`champion` holds the version in service and is the truth; `champions.log` holds one champion a line, oldest
first. A change writes them in such an order that kill -9 between the two leaves the old state or the new.
The writing functions need the lock that `model.store.registry` holds.
"""

import re
from collections.abc import Collection, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from model.errors import CheckpointError
from model.store.disk import open_no_follow, replace_file, sync_folder

VERSION_PATTERN: Final = re.compile(r"[1-9][0-9]{0,8}")

_REMEMBERED: Final = 100  # lines of the log
_CAP: Final = 100_000  # bytes of a file


def read_champion(home: Path) -> int | None:
    """What the champion file says; None where there is none.

    Raises:
        CheckpointError: it does not hold a version number.
    """
    path = home / "champion"
    text = _read_text(path)
    if text is None:
        return None
    if not VERSION_PATTERN.fullmatch(text.strip()):
        raise CheckpointError(
            f"{path} must hold a version number, got {text!r:.40}; run `propense promote {home.name} VERSION`"
        )
    return int(text)


def past_champions(home: Path, versions: Collection[int]) -> list[int]:
    """The champions so far, oldest first, the present one last; without versions removed since.

    Lines of the log above the present champion are the trace of a change that kill -9 cut short.
    """
    try:
        present = read_champion(home)
    except CheckpointError:  # promoting is how to mend it
        present = None
    if present is None:
        return []
    lines = (_read_text(home / "champions.log") or "").split()
    past = [int(line) for line in lines if VERSION_PATTERN.fullmatch(line)]
    while present in past and past[-1] != present:
        past.pop()
    return _without_repeats([v for v in (*past, present) if v in versions])


def add_champion(home: Path, past: Sequence[int], version: int) -> None:
    """Put a version in service after the past ones: the log first, then the truth."""
    _write_log(home, [*past, version])
    _write_champion(home, version)


def drop_champion(home: Path, past: Sequence[int]) -> None:
    """Put the champion before the last of the past ones back in service: the truth first, then the log."""
    # What an earlier kill left in the log could pass for the past of the champion to come: clear it first.
    _write_log(home, past)
    _write_champion(home, past[-2])
    _write_log(home, past[:-1])


def forget_champions(home: Path) -> None:
    """No champion, no past: what a model without any version has."""
    for name in ("champion", "champions.log"):
        (home / name).unlink(missing_ok=True)
    sync_folder(home)


def _write_champion(home: Path, version: int) -> None:
    replace_file(home / "champion", f"{version}\n".encode())


def _write_log(home: Path, champions: Sequence[int]) -> None:
    kept = _without_repeats(champions)[-_REMEMBERED:]
    replace_file(home / "champions.log", "".join(f"{version}\n" for version in kept).encode())


def _without_repeats(champions: Sequence[int]) -> list[int]:
    return [version for version, _ in groupby(champions)]


def _read_text(path: Path) -> str | None:
    try:
        with open(path, "rb", opener=open_no_follow) as file:
            return file.read(_CAP).decode("ascii", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
