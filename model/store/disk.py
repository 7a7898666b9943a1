"""Writes that survive kill -9 and a power cut: what is there after either is the old or the new, whole.

And reads of the very file that is named.
"""

import os
from pathlib import Path


def write_file(path: Path, data: bytes) -> None:
    """Write a new file down to the disk.

    Raises:
        FileExistsError: there is such a file already.
    """
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Give a small file new content in one step. One writer at a time: the caller holds a lock."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    write_file(draft, data)
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put a folder's list of names on the disk; without it a finished rename can still be lost."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_no_follow(name: str, flags: int) -> int:
    """An opener for `open`: a link is not followed, and a pipe is not waited for."""
    return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
