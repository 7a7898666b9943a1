"""A text file's bytes, whatever its name: unpacked and recoded to UTF-8, or refused with advice."""

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

import pyarrow as pa

from model.errors import DataError
from model.files.names import listed

FAULTS: Final = (
    EOFError,
    OSError,
    RuntimeError,  # a password, or a compression that Python does not know
    ValueError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
_ZIP: Final = b"PK\x03\x04"
_CODECS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before that of UTF-16, which it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EXCEL: Final = "an Excel workbook. Save its sheet as CSV UTF-8"
_FOREIGN: Final = (
    (b"\xd0\xcf\x11\xe0", _EXCEL),
    (b"%PDF", "a PDF document. Export the table as CSV"),
    (
        b"SQLite format 3\0",
        "an SQLite database. Export the table as CSV: sqlite3 -header -csv FILE 'select ...'",
    ),
    (b"ORC", "an ORC file. Convert it to Parquet"),
    (b"Obj\x01", "an Avro file. Convert it to Parquet"),
    (b"\x89HDF", "an HDF5 file. Convert it to Parquet"),
    (b"\x80\x04", "a pickle. Write the table as Parquet: table.to_parquet(...)"),
    (b"\x80\x05", "a pickle. Write the table as Parquet: table.to_parquet(...)"),
    (b"7z\xbc\xaf", "a 7z archive. Unpack it: 7z x FILE"),
    (b"Rar!", "a RAR archive. Unpack it: unrar x FILE"),
    (b"<!DOCTYPE", "an HTML page. Download the data again"),
    (b"<html", "an HTML page. Download the data again"),
    (b"<?xml", "an XML document. Export the table as CSV"),
)


def first_bytes(path: Path) -> bytes:
    """What a file begins with, to tell its form."""
    with path.open("rb") as file:
        return file.read(16)


def open_text(path: Path) -> IO[bytes]:
    """The bytes of a text file, which may be gzip, bzip2, xz, Zstandard, a zip of one file, UTF-16 or UTF-32.

    Raises:
        DataError: the file is none of these, or an archive of several files.
        OSError, zipfile.BadZipFile, ...: see `FAULTS`; the archive is damaged. Reading may raise them too.
    """
    raw = _unpacked(path)
    head = raw.read(16)
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raw.close()
            raise DataError(f"{path.name} must be text, got {what}.")
    raw.close()
    raw = _unpacked(path)
    for mark, codec in _CODECS:
        if head.startswith(mark):
            return cast(IO[bytes], _Recoded(raw, codec))
    return raw


def _unpacked(path: Path) -> IO[bytes]:
    head = first_bytes(path)
    if head.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(path))
    if head.startswith(b"BZh"):
        return cast(IO[bytes], bz2.open(path))
    if head.startswith(b"\xfd7zXZ\0"):
        return cast(IO[bytes], lzma.open(path))
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return cast(IO[bytes], pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))
    return _member(path) if head.startswith(_ZIP) else path.open("rb")


def _member(path: Path) -> IO[bytes]:
    """The one file of a zip archive."""
    archive = zipfile.ZipFile(path)
    names = [name for name in archive.namelist() if not name.endswith("/") and not _is_hidden(name)]
    if "[Content_Types].xml" in names or "mimetype" in names:
        raise DataError(f"{path.name} must be text, got {_EXCEL}.")
    if len(names) != 1:
        raise DataError(
            f"{path.name} must be an archive of one file, got {len(names)}: {listed(names)}. Unpack it, and "
            "name one of them, or a glob."
        )
    if PurePosixPath(names[0]).suffix.lower() in (".parquet", ".pq", ".arrow", ".arrows", ".xlsx", ".xls"):
        raise DataError(f"{path.name} must be an archive of a text file, got {names[0]!r}. Unpack it.")
    return archive.open(names[0])


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


class _Recoded(io.RawIOBase):
    """Another encoding as UTF-8."""

    def __init__(self, raw: IO[bytes], codec: str) -> None:
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder(codec)()

    def read(self, size: int = -1) -> bytes:
        """Some bytes; none at the end."""
        while block := self._raw.read(size):
            if text := self._decoder.decode(block):
                return text.encode()
        return self._decoder.decode(b"", final=True).encode()

    def close(self) -> None:
        """Close the file too."""
        self._raw.close()
        super().close()
