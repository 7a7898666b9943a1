"""Which file is the customer table and which the log, and the use of the log's columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from model.errors import DataError
from model.files.names import counted, some_of
from model.times import DAY, MISSING_TIME, format_instant
from model.values.columns import as_texts
from training.init.look import Look, shared_ids
from training.init.words import id_rank, means_an_outcome, names_a_type

_CATEGORIES: Final = 200  # of a column of the log that is read as an attribute, at most


@dataclass(frozen=True)
class LogFields:
    """The columns of a log, as guessed. `why` is a phrase on what makes it one."""

    look: Look
    id: str
    time: str
    type: str | None
    values: tuple[str, ...]
    attributes: tuple[str, ...]
    why: str

    @property
    def unread(self) -> list[str]:
        """The columns that are not read."""
        used = {self.id, self.time, self.type, *self.values, *self.attributes}
        return [name for name in self.look.table.columns if name not in used]


@dataclass(frozen=True)
class Files:
    """The files by their role; `id` is the id column of the table, None where it has none."""

    table: Look | None
    id: str | None
    log: LogFields | None

    @property
    def sentences(self) -> list[str]:
        """What each file is, and why."""
        found = []
        if self.table:
            rows = counted(self.table.table.n_rows, "row")
            several = self.id is not None and self.id != self.table.unique_id
            kind = f"{rows}, several of a customer" if several else f"{rows}, one a customer"
            found.append(f"{self.table.path.name}: a table, {kind}.")
        if self.log:
            times = self.log.look.instants(self.log.time)
            known = times[times != MISSING_TIME]
            first, last = (format_instant(int(t - t % DAY)) for t in (known.min(), known.max()))
            events = counted(len(times), "event")
            found.append(f"{self.log.look.path.name}: a log of {events}, {first} to {last}; {self.log.why}.")
        return found


def roles_of(looks: Sequence[Look]) -> Files:
    """Return which file is the customer table and which the log.

    Raises:
        DataError: both are tables or both are logs, or they have no ids in common.
    """
    if len(looks) == 1:
        (one,) = looks
        if one.is_log:
            return Files(
                None, None, _log(one, str(one.repeated_id), f"several rows have one {one.repeated_id!r}")
            )
        named = one.repeated_id if one.repeated_id and id_rank(one.repeated_id) > 0 else None
        return Files(one, one.unique_id or named, None)
    for table, log in sorted([(looks[0], looks[1]), (looks[1], looks[0])], key=lambda two: not two[1].is_log):
        if (found := shared_ids(table, log)) and log.time:
            own, other = found
            ours, theirs = (
                set(as_texts(look.table.columns[n]).values) for look, n in ((table, own), (log, other))
            )
            why = f"{some_of(len(ours & theirs), len(theirs), 'id')} are in {table.path.name}"
            return Files(table, own, _log(log, other, why))
    kinds = " and ".join(f"{look.path.name}, {'a log' if look.is_log else 'a table'}" for look in looks)
    raise DataError(
        f"two files must be a table with an id of its own in every row, and a log with times and the same "
        f"ids, got {kinds}, without that. Give both the same id column, or name one of the files alone."
    )


def _log(look: Look, id: str, why: str) -> LogFields:
    time = str(look.time)
    categories = [n for n in look.of_kind("categorical", "boolean") if n != id]
    few = {n: list(look.counts(n)) for n in categories if len(look.counts(n)) <= _CATEGORIES}
    named = [n for n in few if names_a_type(n)]
    ending = [n for n, values in few.items() if len(values) > 2 and any(map(means_an_outcome, values))]
    type = next(iter([*(n for n in named if n in ending), *named, *ending]), None)
    values = tuple(n for n in look.of_kind("numeric") if n != id and id_rank(n) == 0)
    return LogFields(
        look, id, time, type, values, tuple(n for n in few if n != type and id_rank(n) >= 0), why
    )
