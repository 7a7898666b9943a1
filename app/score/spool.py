"""Bytes that wait on disk, in a file that has no name and so is gone with its process."""

import io
import tempfile
from dataclasses import dataclass
from typing import BinaryIO, Final, Self, cast

from app.errors import Problem

_IN_MEMORY: Final = 32 << 20  # bytes, where no folder can be written


@dataclass
class Spool:
    """A file that is written at its end.

    Attributes:
        limit: bytes that it may hold.
        on_disk: whether a folder could be written; else it is in memory, and may hold less.
        size: bytes that were written.
        taken: of these, bytes that were taken from the start.
    """

    file: BinaryIO
    limit: int
    on_disk: bool
    size: int = 0
    taken: int = 0

    @classmethod
    def open(cls, limit: int) -> Self:
        """A new one."""
        try:
            return cls(cast(BinaryIO, tempfile.TemporaryFile()), limit, on_disk=True)
        except OSError:
            return cls(io.BytesIO(), min(limit, _IN_MEMORY), on_disk=False)

    def has_room(self, n_bytes: int) -> bool:
        """Whether so many bytes more fit."""
        return self.size + n_bytes <= self.limit

    def append(self, data: bytes) -> None:
        """Write some bytes.

        Raises:
            Problem: they do not fit, or the disk is full.
        """
        if not self.has_room(len(data)):
            raise self._full()
        try:
            self.file.seek(self.size)
            self.file.write(data)
        except OSError:
            raise _no_room("the disk of the service is full") from None
        self.size += len(data)

    def take(self, n_bytes: int) -> bytes:
        """The next bytes; once all are taken, their room is free again."""
        self.file.seek(self.taken)
        data = self.file.read(n_bytes)
        self.taken += len(data)
        if self.taken == self.size:
            self.file.truncate(0)
            self.size = self.taken = 0
        return data

    def close(self) -> None:
        """Let go of the bytes."""
        self.file.close()

    def _full(self) -> Problem:
        if self.on_disk:
            detail = f"a file of this kind may have {self.limit} bytes; send several, or one that is streamed"
            return Problem(413, "body-too-large", detail)
        return _no_room(f"the service has no folder to write to, and {self.limit} bytes of memory")


def _no_room(what: str) -> Problem:
    return Problem(
        503, "no-room", f"{what}; send an Arrow stream, NDJSON or CSV", headers={"Retry-After": "60"}
    )
