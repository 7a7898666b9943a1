"""What a Parquet file will take in memory, by the heads of its pages: its footer can say anything.

https://parquet.apache.org/docs/file-format: before each page stands a `PageHeader`, at the end of the file
a `FileMetaData`. That is read here and not by pyarrow, which some damaged ones make abort the process.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from app.errors import Problem
from app.score.messages import Unreadable
from app.score.thrift import Struct, Thrift, structs, whole

_TAIL: Final = struct.Struct("<I4s")
_MAGIC: Final = b"PAR1"
_MAX_FOOTER: Final = 4 << 20
_HEAD: Final = 1 << 10  # bytes that most heads fit into
_LONGEST_HEAD: Final = 1 << 20  # it may hold the least and the greatest value
_USUAL_PAGE: Final = 4 << 20  # bytes; beyond it the pages of all columns together are looked at
_MOST_VALUES: Final = 1 << 26  # of one column in one row group
# The numbers of fields: of a footer, a row group, a column, its metadata, the head of a page and its kinds.
_GROUPS, _COLUMNS, _METADATA = 4, 1, 3
_TOTAL, _DATA_AT, _DICTIONARY_AT = 7, 9, 11
_SIZE, _PACKED, _N_VALUES = 2, 3, 1
_DATA, _DICTIONARY, _DATA_2 = 5, 7, 8


def row_groups(file: BinaryIO, size: int) -> list[Struct]:
    """The row groups that the footer names.

    Raises:
        Unreadable: there is no footer.
        Problem: it is too long.
    """
    file.seek(max(size - _TAIL.size, 0))
    tail = file.read()
    if len(tail) < _TAIL.size or not tail.endswith(_MAGIC):
        raise Unreadable
    length, _ = _TAIL.unpack(tail)
    if length > _MAX_FOOTER:
        detail = (
            f"the footer of a Parquet file must have at most {_MAX_FOOTER} bytes; write larger row groups"
        )
        raise Problem(413, "batch-too-large", detail)
    if length > size - _TAIL.size:
        raise Unreadable
    file.seek(size - _TAIL.size - length)
    footer = _read(file.read(length))
    if footer is None:
        raise Unreadable
    return structs(footer[0], _GROUPS)


def check_pages(file: BinaryIO, group: Struct, max_bytes: int) -> None:
    """Look at every page of a row group.

    Args:
        max_bytes: what the largest pages of all columns may take together.

    Raises:
        Problem: they take more.
        Unreadable: there are no pages where the footer says.
    """
    columns = structs(group, _COLUMNS)
    largest = [_largest(file, data) for column in columns for data in structs(column, _METADATA)]
    if sum(largest) > max(max_bytes, len(largest) * _USUAL_PAGE):
        raise Problem(
            413, "batch-too-large", "the pages of the Parquet file are too large; write smaller ones"
        )


def _largest(file: BinaryIO, column: Struct) -> int:
    """Bytes of the largest page of a column, and of its dictionary."""
    starts = [at for field in (_DICTIONARY_AT, _DATA_AT) if (at := whole(column, field))]
    if min(starts, default=-1) < 0:
        raise Unreadable
    dictionary = page = values = 0
    for head in _heads(file, min(starts), min(starts) + whole(column, _TOTAL)):
        if _DICTIONARY in head:
            dictionary += whole(head, _SIZE)
        else:
            page = max(page, whole(head, _SIZE))
        kinds = [*structs(head, _DATA), *structs(head, _DATA_2)]
        values += sum(whole(kind, _N_VALUES) for kind in kinds)
    if values > _MOST_VALUES:
        detail = f"a row group must have at most {_MOST_VALUES} values in a column; write smaller ones"
        raise Problem(413, "batch-too-large", detail)
    return dictionary + page


def _heads(file: BinaryIO, at: int, end: int) -> Iterator[Struct]:
    while at < end:
        head, length = _head(file, at)
        packed = whole(head, _PACKED)
        if min(whole(head, _SIZE), packed) < 0:
            raise Unreadable
        yield head
        at += length + packed


def _head(file: BinaryIO, at: int) -> tuple[Struct, int]:
    for size in (_HEAD, _LONGEST_HEAD):
        file.seek(at)
        if head := _read(file.read(size)):
            return head
    raise Unreadable


def _read(data: bytes) -> tuple[Struct, int] | None:
    """The struct at the start, and its length; None where it is not whole."""
    thrift = Thrift(data)
    try:
        return thrift.struct(), thrift.at
    except (IndexError, RecursionError):
        return None
