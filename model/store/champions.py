"""The champion of a model, the champions before it, and the last deleted version: small files beside them.

`champion` is the version in service, `champions.log` lists the champions, one per line, oldest first. kill -9
between the writes of both leaves the old state or the new. Writing needs the lock of `model.store.registry`.
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
    """Return the version in the champion file; None without such a file.

    Raises:
        CheckpointError: it is not a version number.
    """
    path = home / "champion"
    text = _read_text(path)
    if text is None:
        return None
    if not VERSION_PATTERN.fullmatch(text.strip()):
        raise CheckpointError(
            f"{path} must be a version number, got {text!r:.40}. Run `propense promote {home.name} VERSION`."
        )
    return int(text)


def past_champions(home: Path, versions: Collection[int]) -> list[int]:
    """Return the champions so far, oldest first and the present one last, without removed versions.

    Lines of the log after the present champion are left by a change that kill -9 interrupted.
    """
    try:
        present = read_champion(home)
    except CheckpointError:  # repaired by the next promotion
        present = None
    if present is None:
        return []
    lines = (_read_text(home / "champions.log") or "").split()
    past = [int(line) for line in lines if VERSION_PATTERN.fullmatch(line)]
    while present in past and past[-1] != present:
        past.pop()
    return _without_repeats([v for v in (*past, present) if v in versions])


def add_champion(home: Path, past: Sequence[int], version: int) -> None:
    """Put a version in service after the past ones: the log first, then the champion."""
    _write_log(home, [*past, version])
    _write_champion(home, version)


def drop_champion(home: Path, past: Sequence[int]) -> None:
    """Put the last but one of the past champions back in service: the champion first, then the log."""
    # The log may have lines of an interrupted change, which would count as the past of the next champion.
    _write_log(home, past)
    _write_champion(home, past[-2])
    _write_log(home, past[:-1])


def forget_champions(home: Path) -> None:
    """Remove the champion and its past, for a model without versions."""
    for name in ("champion", "champions.log"):
        (home / name).unlink(missing_ok=True)
    sync_folder(home)


def read_deleted(home: Path) -> int:
    """Return the highest version that was deleted; 0 for none."""
    text = (_read_text(home / "deleted") or "").strip()
    return int(text) if VERSION_PATTERN.fullmatch(text) else 0


def write_deleted(home: Path, version: int) -> None:
    """Keep the highest version that was deleted, so that its number is not given again."""
    replace_file(home / "deleted", f"{version}\n".encode())


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
