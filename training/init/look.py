"""A file looked at: its columns, which of them may be ids and dates, and whether it is a log."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from model.files.dates import DateFormat, date_formats
from model.files.table import RawTable, read_table
from model.times import DAY, MISSING_TIME, Instants
from model.values.columns import Numbers, Texts, as_categories, as_dates, as_texts
from training.init.words import id_rank, means_an_outcome, names_a_label, names_a_type, names_an_end
from training.schema.kinds import Kinds, infer_kinds

FILLED: Final = 0.9  # of the rows of a log have a time
REPEATED: Final = 0.05  # of the rows of a log are further ones of their customer
UNIQUE: Final = 0.999  # of the rows of a table have an id of their own
_FEWEST: Final = 20  # customers of a log whose id is not named as one
_SNAPSHOT_DAYS: Final = 6  # at least between the dates of snapshots


@dataclass(frozen=True)
class Look:
    """A file, its columns and their kinds."""

    path: Path
    table: RawTable
    dates: dict[str, DateFormat]
    kinds: Kinds

    def texts(self, name: str) -> Texts:
        """A column as texts, in which 3 and 3.0 are one."""
        return as_categories(self.table.columns[name])

    def counts(self, name: str) -> dict[str, int]:
        """The rows of each distinct value, the frequent ones first."""
        texts = self.texts(name)
        counts = np.bincount(texts.codes[texts.codes >= 0], minlength=len(texts.values)).tolist()
        return dict(sorted(zip(texts.values, counts, strict=True), key=lambda pair: -pair[1]))

    def instants(self, name: str) -> Instants:
        """(N,) the instants of a column of dates."""
        return as_dates(self.table.columns[name], self.dates[name].time_format, "UTC")

    def filled(self, name: str) -> float:
        """The share of rows with a date."""
        return float((self.instants(name) != MISSING_TIME).mean())

    def of_kind(self, *kinds: str) -> list[str]:
        """The columns of some kinds, in the order of the file."""
        return [name for name, kind in self.kinds.kinds.items() if kind in kinds]

    @cached_property
    def distinct(self) -> dict[str, float]:
        """The distinct values of each column that may be an id, as a share of the rows."""
        columns = self.table.columns
        may = [
            name
            for name, column in columns.items()
            if self.kinds.kinds.get(name) not in ("date", "boolean")
            and (isinstance(column, Texts) or _whole(column))
        ]
        shares = {name: len(as_texts(columns[name]).values) / self.table.n_rows for name in may}
        return {name: share for name, share in shares.items() if share > 0}

    @cached_property
    def unique_id(self) -> str | None:
        """The column with an id of its own in every row; None without one."""
        found = [n for n, share in self.distinct.items() if share >= UNIQUE and id_rank(n) >= 0]
        named = [n for n in found if id_rank(n) > 0 or (isinstance(self.table.columns[n], Texts))]
        return max(named, key=id_rank, default=None)

    @cached_property
    def repeated_id(self) -> str | None:
        """The column that names a customer in several rows; None without one."""
        found = {n: share for n, share in self.distinct.items() if share <= 1 - REPEATED and id_rank(n) >= 0}
        return max(
            found,
            key=lambda n: (id_rank(n), found[n] if n not in self.of_kind("boolean") else 0),
            default=None,
        )

    @cached_property
    def time(self) -> str | None:
        """The column of a log's times: the dates that nearly every row has, the most distinct ones."""
        found = [n for n in self.of_kind("date") if self.filled(n) >= FILLED and not names_an_end(n)]
        return max(found, key=lambda n: len(np.unique(self.instants(n))), default=None)

    @cached_property
    def is_log(self) -> bool:
        """Whether rows are events: several of a customer, each at a time, without a label or an end."""
        if self.time is None or self.repeated_id is None:
            return False
        rank = id_rank(self.repeated_id)
        few = rank == 0 and len(as_texts(self.table.columns[self.repeated_id]).values) < _FEWEST
        if (
            few
            or (self.unique_id and id_rank(self.unique_id) >= rank)
            or any(map(names_an_end, self.of_kind("date")))
        ):
            return False
        flags = [n for n in self.of_kind("boolean", "categorical") if self._is_flag(n)]
        return not flags and not self.is_snapshots

    @cached_property
    def is_snapshots(self) -> bool:
        """Whether customers have a row each at the same few dates, with a state that may have ended."""
        states = [
            n
            for n in self.of_kind("boolean", "categorical")
            if any(map(means_an_outcome, (n, *self.counts(n))))
        ]
        if self.time is None or self.repeated_id is None or not states:
            return False
        days = np.unique(self.instants(self.time) // DAY)
        return len(days) > 1 and int(np.diff(days).min()) >= _SNAPSHOT_DAYS

    def _is_flag(self, name: str) -> bool:
        two = len(self.counts(name)) == 2
        return two and not names_a_type(name) and (means_an_outcome(name) or names_a_label(name))


def look_at(path: Path) -> Look:
    """Read a file of any form, all columns.

    Raises:
        DataError: it cannot be used.
    """
    table = read_table(path)
    dates = date_formats(table.columns)
    return Look(path, table, dates, infer_kinds(table, dates=dates))


def shared_ids(table: Look, log: Look) -> tuple[str, str] | None:
    """The id columns of a table and a log with the most values in common; None where none has any."""
    best: tuple[float, str, str] | None = None
    for own in [n for n, share in table.distinct.items() if share >= UNIQUE]:
        ours = set(as_texts(table.table.columns[own]).values)
        for other in log.distinct:
            theirs = set(as_texts(log.table.columns[other]).values)
            both = len(ours & theirs)
            score = both / len(ours | theirs) + (0.1 * (own == other) if both else 0)
            if score and (best is None or score > best[0]):
                best = score, own, other
    return best and best[1:]


def _whole(column: Numbers) -> bool:
    known: Numbers = column[~np.isnan(column)]
    return bool(len(known)) and bool((known == np.floor(known)).all())
