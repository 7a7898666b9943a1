"""Where the rows of a CSV file end, though their cells may hold line breaks between quotes."""

import re
from collections.abc import Callable

End = Callable[[bytes | bytearray], int]


def ends(delimiter: str) -> tuple[End, End]:
    """What finds, in bytes that begin with a row, the end of the first row, and of the last whole one.

    A quote counts only where a cell begins, as to Arrow's parser. Zero where no row ends.
    """
    d = re.escape(delimiter.encode())
    quoted = rb'"[^"]*+(?:""[^"]*+)*+"[^%s\r\n]*+' % d
    cell = rb'(?:%s|[^"%s\r\n][^%s\r\n]*+|)' % (quoted, d, d)
    row = rb"%s(?:%s%s)*+(?:\r\n|\n|\r)" % (cell, d, cell)
    first, all_ = re.compile(row), re.compile(rb"(?:%s)*+" % row)

    def first_end(text: bytes | bytearray) -> int:
        found = first.match(text)
        return found.end() if found else 0

    def last_end(text: bytes | bytearray) -> int:
        if b'"' not in text:
            return max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        found = all_.match(text)
        return found.end() if found else 0

    return first_end, last_end
