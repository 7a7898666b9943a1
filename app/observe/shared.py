"""The folder through which several workers add up their metrics.

prometheus_client looks for it while it is imported: so nothing here may import that.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from model.errors import PropenseError

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's word
_PREFIX: Final = "propense-metrics-"
_LOCK: Final = "lock"
_OWNER: Final = "owner"


@contextmanager
def shared_metrics(workers: int) -> Iterator[None]:
    """A new folder for the metrics of the workers that are started meanwhile; one worker needs none.

    Raises:
        PropenseError: there are several workers, and no folder can be written.
    """
    if workers == 1:
        yield
        return
    root = _writable(workers)
    _remove_orphans(root)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=root, ignore_cleanup_errors=True) as folder:
        os.environ[VARIABLE] = folder
        try:
            with _locked(Path(folder) / _OWNER):  # for as long as this process lives, however it ends
                yield
        finally:
            del os.environ[VARIABLE]


def folder() -> Path | None:
    """Where this worker's metrics meet those of the others; None if it is alone."""
    return Path(os.environ[VARIABLE]) if VARIABLE in os.environ else None


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep the other workers out of the folder, but for the values that each writes to its own files."""
    with _locked(folder / _LOCK):
        yield


def _writable(workers: int) -> Path:
    with suppress(FileNotFoundError):
        return Path(tempfile.gettempdir())
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK):
        return memory
    raise PropenseError(
        f"{workers} workers need a folder to add up their metrics in, however neither /tmp nor /dev/shm can "
        "be written; mount a tmpfs at /tmp, or set PROPENSE_WORKERS=1"
    )


def _remove_orphans(root: Path) -> None:
    """Remove the folders of services that were killed."""
    for folder in root.glob(f"{_PREFIX}*"):
        with suppress(OSError), _locked(folder / _OWNER, fcntl.LOCK_EX | fcntl.LOCK_NB):
            shutil.rmtree(folder)


@contextmanager
def _locked(file: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    with file.open("a") as held:
        fcntl.flock(held, how)
        yield
