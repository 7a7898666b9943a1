"""Appending to a ledger: one writer a process, whose segment no other process writes to."""

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from model.ledger.files import SEGMENT
from model.ledger.key import SIZE
from model.ledger.ledger import Ledger
from model.ledger.records import packed
from model.ledger.segment import frame, header

MOST_BYTES: Final = 64 << 20  # of a segment, until it is due for compaction
MOST_SECONDS: Final = 86_400.0
MOST_SEGMENTS: Final = 32  # of all writers so far


class Writer:
    """Appends records for one thread."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._lock: int | None = None
        self._file: int | None = None
        self._id = b""
        self._size = 0
        self._is_one_of_many = False
        self._since = time.monotonic()

    def append(self, records: Any) -> None:
        """Append a record batch by a single write: once this returns, no kill loses it.

        Raises:
            OSError: the disk is full, or the folder cannot be written to; nothing of the batch is recorded.
        """
        if len(records):
            with self._shared():
                self._write(packed(records))

    def compact_if_due(self) -> None:
        """Compact the ledger if the segment is large or old, or one of many.

        Raises:
            LedgerError: a file is not of this ledger, or cannot be read or written.
        """
        aged = time.monotonic() - self._since >= MOST_SECONDS
        if self._file is not None and (self._size >= MOST_BYTES or aged or self._is_one_of_many):
            self._end()
            self.ledger.compact()

    def close(self) -> None:
        """End the segment, on the disk itself: from then on a power cut cannot lose it."""
        if self._file is not None:
            with suppress(OSError):
                os.fsync(self._file)
        self._end()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _write(self, payload: bytes) -> None:
        # compaction removes a segment whoever writes to it: then begins another
        if self._file is None or os.fstat(self._file).st_nlink == 0:
            self._begin()
        assert self._file is not None
        start = b"" if self._size else header(self.ledger.key, self._id)
        data = start + frame(self.ledger.key, self._id, self._size + len(start), payload)
        if os.write(self._file, data) < len(data):
            try:
                os.ftruncate(self._file, self._size)
            except OSError:
                self._end()  # a torn frame is the last of a segment
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += len(data)

    def _begin(self) -> None:
        self._end()
        self._id = secrets.token_bytes(SIZE)
        path = self.ledger.folder / f"{self._id.hex()}{SEGMENT}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._size, self._since = 0, time.monotonic()
        self._is_one_of_many = len(self.ledger.files(SEGMENT)) > MOST_SEGMENTS

    def _end(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @contextmanager
    def _shared(self) -> Iterator[None]:
        """Hold the lock of the folder as readers do."""
        if self._lock is None:
            self._lock = os.open(self.ledger.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
