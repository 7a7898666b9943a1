"""The head of a delimited file: its delimiter, its header, and the lines around it that are no data."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from model.errors import DataError, EmptyFileError
from model.files.names import check_unique, counted, listed
from model.files.text.stream import squeeze_blanks
from model.values.columns import is_missing

MAX_BYTES: Final = 1 << 20
BLANK: Final = " "
_DELIMITERS: Final = ",;\t|"
_SAMPLE: Final = 20  # rows and lines that are looked at
_SEP: Final = re.compile(r'"?sep=(.)"?\s*$', re.IGNORECASE)

Cells = Sequence[str]


@dataclass(frozen=True)
class Head:
    """What precedes the rows.

    Attributes:
        names: of the columns.
        fields: of a row for the parser: the names, and one more where rows end in a delimiter.
        delimiter: one of `,;|`, a tab, or a blank for runs of blanks.
        lines: up to the last line that is no data.
        first_row: the number of the first row, where the header is row 1.
        is_empty: whether no row follows.
        notes: what was passed over or named.
        hint: what to do where many rows cannot be read.
    """

    names: tuple[str, ...]
    fields: tuple[str, ...]
    delimiter: str
    lines: int
    first_row: int
    is_empty: bool
    notes: tuple[str, ...]
    hint: str


def read_head(text: str, owner: str) -> Head:
    """Read the head in the first bytes of a file, at most `MAX_BYTES`.

    Lines `sep=;`, comments that begin with `#`, titles above the header and a row of units below it are
    passed over.

    Raises:
        DataError: the file is empty or no delimited text, or repeats a name.
    """
    is_cut = len(text.encode()) >= MAX_BYTES - 3
    if text.lstrip()[:1] in ("{", "["):
        raise DataError(
            f"{owner} must be delimited text, got JSON. Write an object a line, in a file that ends in "
            ".ndjson: jq -c '.[]' OLD > NEW.ndjson"
        )
    lines = list(io.StringIO(text, newline=""))
    start, delimiter = _preface(lines)
    delimiter = delimiter or _delimiter([line for line in _unquoted(lines[start:]) if line.strip()])
    rows = _rows("".join(lines[start:]), delimiter, owner, is_cut=is_cut)
    if not rows:
        raise EmptyFileError(f"{owner} must hold a header and rows, got an empty file")
    if is_cut and len(rows) == 1 and not _rest(lines, start + rows[0][1]):
        raise DataError(f"{owner} must have a header of at most {MAX_BYTES >> 20} MiB, got a longer one")
    titles = _titles([cells for cells, _ in rows])
    (header, end), below = rows[titles], [cells for cells, _ in rows[titles + 1 :]]
    header = [cell.removeprefix("#").strip() if n == 0 else cell for n, cell in enumerate(header)]
    units = int(_are_units(below))
    if units:
        end = rows[titles + 1][1]
    passed = [line.strip() for line in lines[:start] if line.strip()] + [
        " ".join(filter(None, cells)) for cells, _ in rows[:titles]
    ]
    header, ends_in_delimiter = _without_trailing(header, below)
    names = tuple(name or f"column {n}" for n, name in enumerate(header, 1))
    check_unique(names, owner)
    unnamed = [new for new, old in zip(names, header, strict=True) if not old]
    notes = [
        *(
            [f"passed over {counted(len(passed), 'line')} above the header: {listed(passed)}."]
            if passed
            else []
        ),
        *([f"passed over row 2, which holds units or a second header: {listed(below[0])}."] if units else []),
        *([f"named {counted(len(unnamed), 'column')} without a name {listed(unnamed)}."] if unnamed else []),
    ]
    return Head(
        names=names,
        fields=(*names, "\0") if ends_in_delimiter else names,
        delimiter=delimiter,
        lines=start + end,
        first_row=2 + units,
        is_empty=not _rest(lines, start + end),
        notes=tuple(f"{owner}: {note}" for note in notes),
        hint=_hint(len(names), below, delimiter),
    )


def _rest(lines: Sequence[str], start: int) -> str:
    return "".join(lines[start:]).strip()


def _preface(lines: Sequence[str]) -> tuple[int, str]:
    """How many lines at the top are blank, `sep=` or comments, and the delimiter that `sep=` names."""
    delimiter, comments = "", 0
    for number, line in enumerate(lines):
        if found := _SEP.match(line.strip("\r\n")):
            delimiter = found[1]
        elif line.startswith("#"):
            comments = number + 1
        elif line.strip():
            # A header may begin with `#` itself: then rows, not names, stand below it.
            own = comments == number > 0 and _is_header_of(lines[number - 1], line)
            return number - 1 if own else number, delimiter
    return 0, delimiter


def _is_header_of(comment: str, line: str) -> bool:
    delimiter = _delimiter([line])
    cells, below = comment.split(delimiter), line.split(delimiter)
    return len(cells) == len(below) > 1 and any(_has_digit(cell) for cell in below)


def _unquoted(lines: Sequence[str]) -> list[str]:
    text = "".join(lines[: 2 * _SAMPLE])
    return re.sub(r'"[^"]*"', "q", text).splitlines()


def _delimiter(lines: Sequence[str]) -> str:
    """The commonest of four in the header line; else runs of blanks.

    Where the first line has none that the lines below it have, it is a title.
    """
    if not lines:
        return ","
    header, below = lines[0], lines[1:_SAMPLE]
    best = max(_DELIMITERS, key=header.count)
    if best in header and _are_common(best, below):
        return best
    fullest = max(_DELIMITERS, key=lambda d: sum(line.count(d) for line in below))
    if len(below) > 1 and _are_common(fullest, below[1:]):
        return fullest
    if best in header:
        return best
    return BLANK if below and len(header.split()) == len(below[0].split()) > 1 else ","


def _are_common(delimiter: str, lines: Sequence[str]) -> bool:
    """Whether at least half of the lines have a delimiter; also where there are none."""
    return 2 * sum(delimiter in line for line in lines) >= len(lines)


def _rows(text: str, delimiter: str, owner: str, *, is_cut: bool) -> list[tuple[list[str], int]]:
    """The first rows that are not blank, stripped, each with the number of lines up to its end."""
    if delimiter == BLANK:
        text = squeeze_blanks(text.encode()).decode()
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[list[str], int]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(([cell.strip() for cell in row], reader.line_num))
            if len(rows) > 2 * _SAMPLE:
                return rows
    except csv.Error as error:
        if not rows:
            text = f"{owner} must begin with a header row, got text that is none ({error})"
            raise DataError(text) from None
    return rows[:-1] if is_cut and len(rows) > 1 else rows


def _titles(rows: Sequence[Cells]) -> int:
    """How many rows above the header hold one text, or far fewer fields than the rows below them."""
    for number, row in enumerate(rows[: _SAMPLE // 2]):
        below = rows[number + 1 : number + 5]
        if not below or not _is_title(row, below):
            return number if number and _is_header(row) else 0
    return 0


def _is_title(row: Cells, below: Sequence[Cells]) -> bool:
    width = max(map(len, below))
    filled = sum(map(bool, row))
    return width > 1 and (filled == 1 or 2 * len(row) <= width) and 2 * filled <= width


def _is_header(row: Cells) -> bool:
    names = [cell for cell in row if cell]
    return len(names) > 1 and len(set(names)) == len(names) and not any(map(_is_number, names))


def _are_units(rows: Sequence[Cells]) -> bool:
    """Whether the first row has words wherever the rows below it have numbers or dates."""
    if len(rows) < 4:
        return False
    first, below = rows[0], [row for row in rows[1 : _SAMPLE + 1] if len(row) == len(rows[0])]
    columns = [[row[n] for row in below if row[n]] for n in range(len(first))]
    numbers = [n for n, cells in enumerate(columns) if len(cells) >= 3 and all(map(_is_number, cells))]
    words = [first[n] for n in numbers if first[n] and not is_missing(first[n])]
    return (
        len(words) >= 2
        and not any(map(_has_digit, words))
        and any(re.search(r"[^\W\d_]|%", w) for w in words)
    )


def _without_trailing(header: list[str], below: Sequence[Cells]) -> tuple[list[str], bool]:
    """The header without the field behind a last delimiter, and whether the rows have that field."""
    sample = below[:_SAMPLE]
    if not sample:
        return header, False
    widths = {len(row) for row in sample}
    last_is_blank = not any(row[-1] for row in sample)
    if widths == {len(header) + 1} and last_is_blank:
        return header, True
    if len(header) > 1 and not header[-1]:
        if widths == {len(header) - 1}:
            return header[:-1], False
        if widths == {len(header)} and last_is_blank:
            return header[:-1], True
    return header, False


def _hint(n_names: int, below: Sequence[Cells], delimiter: str) -> str:
    widths = {len(row) for row in below}
    if len(below) > 2 and len(widths) == 1 and widths != {n_names}:
        (width,) = widths
        return f"Its header has {counted(n_names, 'name')} and its rows {counted(width, 'field')}: name each."
    return f"Put texts that hold the delimiter {delimiter!r} in quotes."


def _is_number(cell: str) -> bool:
    """Whether a cell has digits and no letters: a number, an amount, a date."""
    return _has_digit(cell) and not re.search(r"[^\W\d_]", cell)


def _has_digit(cell: str) -> bool:
    return re.search(r"\d", cell) is not None
