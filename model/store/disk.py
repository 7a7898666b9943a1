"""Atomic, durable writes: after kill -9 or a power cut, a file has its old or its new content."""

import os
from pathlib import Path


def write_file(path: Path, data: bytes) -> None:
    """Write a new file and sync it.

    Raises:
        FileExistsError: the file exists.
    """
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Replace the content of a small file in one step. The caller holds a lock: one writer at a time."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    write_file(draft, data)
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Sync the list of names of a folder; without it, a finished rename can be lost."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_no_follow(name: str, flags: int) -> int:
    """Opener for `open` that does not follow a link or wait for a pipe."""
    return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def open_now(name: str, flags: int) -> int:
    """Opener for `open` that does not wait for a pipe."""
    return os.open(name, flags | os.O_NONBLOCK)
