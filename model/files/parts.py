"""Files that are one table or one log: found in a folder or by a glob, read one after another."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import ClassVar, Final

from model.errors import DataError
from model.files.arrow_files import ArrowFile
from model.files.batch import Batch
from model.files.names import check_names, counted, listed
from model.files.text.csv_text import DelimitedFile
from model.files.text.json_lines import JsonLines

ARROW: Final = (".parquet", ".pq", ".arrows", ".arrow", ".feather")
JSON: Final = (".ndjson", ".jsonl")
_TEXT: Final = (".csv", ".tsv", ".txt", ".tab", ".psv")
_PACKED: Final = (".gz", ".bz2", ".xz", ".zst", ".zip")


@dataclass(frozen=True)
class Found:
    """The files that a path stands for, sorted, and sentences on those beside them that are no data."""

    files: list[Path]
    notes: list[str]


def suffix_of(path: Path) -> str:
    """The suffix that tells the form of a file, in lower case: `.csv` of `t.csv.gz`."""
    suffix = path.suffix.lower()
    return path.with_suffix("").suffix.lower() or suffix if suffix in _PACKED else suffix


def find_files(path: Path) -> Found:
    """The file itself, the files of a folder, or those that a glob finds.

    Names that begin with `_` or `.` are no data (`_SUCCESS`, `_temporary/`, `._part.parquet`), unless the
    glob begins so. In a folder, Parquet and Arrow go before text.

    Raises:
        DataError: there are none.
    """
    if path.is_file():
        return Found([path], [])
    if path.is_dir():
        root, pattern, hidden = path, "**/*", tuple[str, ...](("_", "."))
    else:
        root, pattern = Path(path.anchor), str(path.relative_to(path.anchor))
        hidden = tuple({"_", "."} - {path.name[:1]})
    every = sorted(file for file in root.glob(pattern) if file.is_file())
    own = len(root.parts) if path.is_dir() else len(path.parts) - 1
    files = [file for file in every if not any(part.startswith(hidden) for part in file.parts[own:])]
    if path.is_dir():
        forms = ([file for file in files if suffix_of(file) in form] for form in (ARROW, (*JSON, *_TEXT)))
        files = next(filter(None, forms), files)
    if not files:
        raise DataError(f"{path} must be a file, a folder of files or a glob; no file matches")
    others = [
        str(file.relative_to(root) if path.is_dir() else file.name)
        for file in every
        if file not in set(files)
    ]
    values = [part for file in files for part in file.parts[own:-1] if "=" in part]
    return Found(
        files,
        [
            *_passed_over(path, "that are no data", others),
            *([f"{path.name}: names of folders such as {values[0]!r} are no columns."] if values else []),
        ],
    )


def _passed_over(path: Path, what: str, names: Sequence[str]) -> list[str]:
    return (
        [f"{path.name}: passed over {counted(len(names), 'file')} {what}: {listed(names)}."] if names else []
    )


@dataclass
class Parts:
    """Several files that are one table.

    Attributes:
        sources: at least one; the first has the names.
        said: notes on the folder.
        empty: the names of the files that hold nothing.
    """

    path: Path
    sources: Sequence[DelimitedFile | ArrowFile | JsonLines]
    said: Sequence[str]
    empty: Sequence[str]
    _n_rows: list[int] = field(default_factory=list)  # of each source that was read
    first_row: ClassVar[int] = 1

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        every = self.sources if self.optional else self.sources[:1]
        return tuple(dict.fromkeys(name for source in every for name in source.names))

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Columns that are nested or binary, with their types."""
        return self.sources[0].unreadable

    @property
    def optional(self) -> bool:
        """Whether a field may be absent."""
        return all(source.optional for source in self.sources)

    @property
    def hint(self) -> str:
        """What to do where many rows cannot be read."""
        return self.sources[0].hint

    @property
    def notes(self) -> Sequence[str]:
        """What was repaired or passed over, after the last batch."""
        blank = [s.path.name for s, n_rows in zip(self.sources, self._n_rows, strict=False) if not n_rows]
        return [
            *self.said,
            *_passed_over(self.path, "without rows", [*self.empty, *blank]),
            *(note for source in self.sources for note in source.notes),
        ]

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Yield all rows of some columns.

        Raises:
            DataError: a file is damaged, or lacks a column.
        """
        self._n_rows.clear()
        for source in self.sources:
            if not source.optional:
                check_names(columns, source.names, source.path.name)
            self._n_rows.append(0)
            for batch in source.batches(columns):
                first = sum(self._n_rows)
                self._n_rows[-1] += batch.n_rows
                yield replace(
                    batch,
                    unread={at: f"({self.row_name(first + at)}) {why}" for at, why in batch.unread.items()},
                )

    def row_name(self, row: int) -> str:
        """Return the file and the number there of a row that was read, counted from 0 over all files."""
        starts = [0, *accumulate(self._n_rows)]
        part = bisect_right(starts, row) - 1
        source = self.sources[part]
        return f"{source.path.name} row {row - starts[part] + source.first_row}"
