"""Rows, customers and events that come again in a file, counted over its batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from model.files.names import agreed, counted, some_of
from model.schema import Schema
from model.task import ColumnTask, Task
from model.values.columns import Column, as_texts
from model.values.duplicates import COMMON_ROWS, COMMON_SHARE, Hashes, duplicate_events, row_hashes
from model.values.history import EventLog


@dataclass
class Repeats:
    """Counts over the batches of one file; 16 bytes a row.

    Attributes:
        task: rows are counted where the label is a column and no log tells them apart.
        rows: of each batch, the `row_hashes` of the columns that the model reads.
        ids: of each batch, the hashes of its ids.
        events: events that are there; duplicates: those that equal an earlier one.
    """

    task: Task
    schema: Schema
    rows: list[Hashes] = field(default_factory=list)
    ids: list[Hashes] = field(default_factory=list)
    events: int = 0
    duplicates: int = 0

    def add(
        self, columns: Mapping[str, Column], n_rows: int, ids: Column | None, log: EventLog | None
    ) -> None:
        """Count rows of a table, and events.

        Args:
            ids: (n_rows,) None where the table has none.
        """
        if isinstance(self.task, ColumnTask) and log is None:
            read = {name: columns[name] for name in self.schema.column_names}
            self.rows.append(row_hashes(read, n_rows, _hashes))
        if ids is not None:
            texts = as_texts(ids)
            self.ids.append(_hashes(texts.values)[texts.codes[texts.codes >= 0]])
        if log is not None:
            self.events += len(log.times)
            self.duplicates += duplicate_events(log)

    def notes(self) -> tuple[str, ...]:
        """A sentence for each kind that there is."""
        found = []
        if self.duplicates:
            again = counted(self.duplicates, "exact duplicate")
            found.append(f"{counted(self.events, 'event')}, with {again}.")
        ids = np.concatenate([np.empty(0, np.uint64), *self.ids])
        if (n_ids := len(np.unique(ids))) < len(ids):
            found.append(f"{len(ids):,} rows of {counted(n_ids, 'customer')}; each row is an example.")
        rows = np.concatenate([np.empty(0, np.uint64), *self.rows])
        sizes = np.unique(rows, return_counts=True)[1]
        common = sizes > max(COMMON_ROWS, COMMON_SHARE * len(rows))
        if n_repeats := int((sizes - 1)[~common].sum()):
            found.append(f"{repeated_rows(n_repeats, len(rows))}.{uncounted_rows(int(sizes[common].sum()))}")
        return tuple(found)


def _hashes(texts: Sequence[str]) -> Hashes:
    return np.fromiter(map(hash, texts), np.int64, len(texts)).view(np.uint64)


def repeated_rows(n_repeats: int, n_rows: int) -> str:
    """Say how many rows equal an earlier one, as the beginning of a sentence."""
    rows, repeat = some_of(n_repeats, n_rows, "row"), agreed(n_repeats, "repeats", "repeat")
    return f"{rows} ({n_repeats / n_rows:.1%}) {repeat} an earlier row in every column"


def uncounted_rows(n_common: int) -> str:
    """Say how many rows are too common to be duplicates, as the end of a paragraph; empty if none is."""
    if not n_common:
        return ""
    return (
        f" {n_common:,} rows that equal more than {100 * COMMON_SHARE:g} % of all rows are not counted: the "
        "columns are coarse."
    )
