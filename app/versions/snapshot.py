"""What is seen of a registry at a glance: who is champion, and whether a file has changed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.errors import CheckpointError
from model.store.registry import Registry

Mark = tuple[tuple[object, ...], ...]
NOT_PROMOTED: Final = "no version is promoted; run `propense promote {name} VERSION`"


@dataclass(frozen=True)
class Sight:
    """One name. Two equal ones mean that nothing has changed.

    Attributes:
        champion: the version that the registry puts in service.
        fault: why it names none.
        mark: differs once the champion file or a file of the champion does.
    """

    champion: int | None
    fault: str | None
    mark: Mark


@dataclass(frozen=True)
class View:
    """A registry.

    Attributes:
        folder: what its folder is to the system; another once something else is mounted there.
        names: all names that have a version.
    """

    folder: tuple[int, int]
    names: Mapping[str, Sight]


def view(registry: Registry) -> View:
    """Look at all names.

    Raises:
        CheckpointError: the registry cannot be read.
        OSError: the same.
    """
    seen = {name: sight(registry, name) for name in registry.names()}
    status = registry.root.stat()
    return View((status.st_dev, status.st_ino), {name: one for name, one in seen.items() if one})


def sight(registry: Registry, name: str) -> Sight | None:
    """Look at one name; None if the registry holds no version of it.

    Raises:
        CheckpointError: the name's folder cannot be read.
    """
    if not registry.versions(name):
        return None
    home = registry.root / name
    file = (_stamp(home / "champion"),)
    try:
        champion = registry.champion(name)
    except CheckpointError as error:
        return Sight(None, str(error), file)
    if champion is None:
        return Sight(None, NOT_PROMOTED.format(name=name), file)
    return Sight(champion, None, file + mark(home / str(champion)))


def mark(folder: Path) -> Mark:
    """Changes when a file of the folder does. Taken before a file is read, so that no change is missed."""
    try:
        entries = sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except OSError as error:
        return (_stamp(folder), (error.errno,))
    return (_stamp(folder), *(_stamp(folder / entry) for entry in entries))


def _stamp(path: Path) -> tuple[object, ...]:
    try:
        status = path.lstat()
    except OSError as error:
        return (path.name, error.errno)
    return (path.name, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
