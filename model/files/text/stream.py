"""The bytes of a text file on their way to a parser: unpacked, and checked to be UTF-8."""

import codecs
import io
import re
from pathlib import Path
from typing import IO, Final

from model.errors import DataError
from model.files.text.unpack import FAULTS, open_text

_NEWLINE: Final = b"\n"
_NUL: Final = b"\0"


class TextStream(io.RawIOBase):
    """A readable stream; flat memory however long the file is.

    Args:
        squeeze: make every run of blanks one blank, and drop those at the ends of lines.

    Raises:
        DataError: the file is no text, or damaged.
    """

    def __init__(self, path: Path, *, squeeze: bool = False) -> None:
        self._name = path.name
        self._raw = self._opened(path)
        self._squeeze = squeeze
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._rest = b""
        self._bytes = self._lines = self._quotes = 0

    def readable(self) -> bool:
        """Always."""
        return True

    @property
    def has_open_quote(self) -> bool:
        """Whether the bytes read so far hold an odd number of double quotes."""
        return self._quotes % 2 == 1

    def read(self, size: int = -1) -> bytes:
        """Some bytes; none at the end.

        Raises:
            DataError: they are not UTF-8, or the archive is damaged.
        """
        block = self._next(size)
        if not self._squeeze:
            return block
        while block:
            whole, newline, rest = (self._rest + block).rpartition(b"\n")
            self._rest = rest
            if newline:
                return squeeze_blanks(whole + newline)
            block = self._next(size)
        last, self._rest = self._rest, b""
        return squeeze_blanks(last)

    def close(self) -> None:
        """Close the file too."""
        self._raw.close()
        super().close()

    def _next(self, size: int) -> bytes:
        try:
            block = self._raw.read(size)
        except FAULTS as error:
            raise self._damaged(error) from None
        self._check_utf8(block)
        self._bytes += len(block)
        self._lines += block.count(b"\n")
        self._quotes += block.count(b'"')
        return block

    def _opened(self, path: Path) -> IO[bytes]:
        try:
            return open_text(path)
        except FAULTS as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> DataError:
        return DataError(f"{self._name} is damaged and cannot be unpacked ({error}). Export it again.")

    def _check_utf8(self, block: bytes) -> None:
        if _NUL in block:
            line = self._lines + 1 + block.count(_NEWLINE, 0, block.index(_NUL))
            utf16 = "utf-16be" if block.startswith(_NUL) else "utf-16le"
            raise DataError(
                f"{self._name} must be UTF-8 text, got a NUL byte in line {line}. Save it as UTF-8; if it is "
                f"UTF-16, convert it: iconv -f {utf16} -t utf-8 OLD > NEW"
            )
        held_back = len(self._decoder.getstate()[0])
        try:
            self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            line = self._lines + 1 + error.object.count(b"\n", 0, error.start)
            position = self._bytes - held_back + error.start + 1
            raise DataError(
                f"{self._name} must be UTF-8 text, got the byte 0x{error.object[error.start]:02x} in line "
                f"{line} (byte {position} of the file). {_advice(block)}"
            ) from None


def squeeze_blanks(block: bytes) -> bytes:
    """Whole lines with single blanks between the fields."""
    return re.sub(rb"(?m)^ | (?=\r?$)", b"", re.sub(rb"[ \t]+", b" ", block))


def _advice(block: bytes) -> str:
    """What to do about bytes that are no UTF-8."""
    try:
        block.decode("windows-1252")
    except UnicodeDecodeError:
        return "Save it as UTF-8 with the program that wrote it."
    return "Save it as UTF-8, or convert it: iconv -f windows-1252 -t utf-8 OLD > NEW"
