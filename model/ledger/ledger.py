"""The ledger of one model: a folder of segments, and of Parquet files that segments become.

Every process may append, to a segment of its own, and read at any time: both share a lock, which compaction
takes for itself. Compaction writes a Parquet file, then removes what is in it; killed between, it leaves
records twice, of which readers take one.
"""

import fcntl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.compute as pc

from model.errors import LedgerError
from model.ledger.files import DRAFT, PARQUET, SEGMENT, read_parquet, read_segment, write_parquet
from model.ledger.key import LedgerKey, find_key
from model.ledger.records import BYTES, TIME, joined
from model.store.disk import replace_file, sync_folder
from model.store.registry import NAME_PATTERN

SMALL: Final = 32 << 20  # bytes of a Parquet file that the next compaction adds to
ERASED: Final = "erased"  # the list of their marks


@dataclass(frozen=True)
class Recorded:
    """All records of a ledger.

    Attributes:
        table: a row each, in the columns of `model.ledger.records`.
        doubled: records that were there more than once.
        torn, damaged: bytes that could not be read: of frames that a killed process left, and of others.
    """

    table: Any
    doubled: int
    torn: int
    damaged: int


@dataclass(frozen=True)
class Ledger:
    """The ledger of one model in its folder."""

    folder: Path
    key: LedgerKey

    @classmethod
    def of(cls, root: Path, name: str, key: LedgerKey, *, make: bool = False) -> Self:
        """Return the ledger of a model below `root`.

        Args:
            make: whether to begin one where there is none.

        Raises:
            LedgerError: there is none, it cannot be made, or it has another key.
        """
        if not NAME_PATTERN.fullmatch(name):
            raise LedgerError(f"a ledger must be that of a model, got {name!r:.80}")
        ledger = cls(root / name, key)
        try:
            if make and not (ledger.folder / "key").exists():
                ledger.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                with ledger.locked(shared=False):
                    if not (ledger.folder / "key").exists():
                        replace_file(ledger.folder / "key", f"{key.name}\n".encode())
            known = (ledger.folder / "key").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise LedgerError(
                f"there is no ledger of {name} in {root}. `propense score {name} --ledger` begins one."
            ) from None
        except (OSError, ValueError) as error:
            raise LedgerError(f"{ledger.folder} cannot be used as a ledger: {error}") from error
        if known != key.name:
            raise LedgerError(
                f"{ledger.folder} must have the key it was begun with, got another. Restore it: without "
                "that key no record can be joined to a customer."
            )
        return ledger

    def read(self) -> Recorded:
        """Read all records but those of erased customers.

        Raises:
            LedgerError: a file is not of this ledger, or cannot be read.
        """
        with self.locked(shared=True):
            found = [read_segment(path, self.key) for path in self.files(SEGMENT)]
            tables = [
                *(read_parquet(path, self.key) for path in self.files(PARQUET)),
                *(t for tables, _ in found for t in tables),
            ]
            marks = self._marks()
        every = joined(tables)
        doubled = sum(map(len, tables)) - len(every)
        torn, damaged = (sum(getattr(frames, name) for _, frames in found) for name in ("torn", "damaged"))
        return Recorded(self._kept(every, marks, None), doubled, torn, damaged)

    def compact(self, *, every_file: bool = False, before: int | None = None) -> int:
        """Turn segments and small Parquet files into one Parquet file; returns the number of records dropped.

        Dropped are those of erased customers. A segment with damage stays as it is.

        Args:
            every_file: whether large Parquet files are searched too, and segments with damage rewritten.
            before: records said before this instant are dropped as well.

        Raises:
            LedgerError: a file is not of this ledger, or cannot be read or written.
        """
        with self.locked(shared=False):
            for draft in self.files(DRAFT):
                draft.unlink()
            return self._compact(every_file, before, self._marks())

    def erase(self, ids: Sequence[str]) -> int:
        """Remove all records of customers and list them as erased; returns the number of records removed.

        Killed before its end, a second call finishes it.

        Raises:
            LedgerError: a file is not of this ledger, or cannot be read or written.
        """
        with self.locked(shared=False):
            marks = {*self._marks(), *self.key.erasure_marks(self.key.pseudonyms(ids))}
            replace_file(self.folder / ERASED, "".join(f"{m.hex()}\n" for m in sorted(marks)).encode())
        return self.compact(every_file=True)

    def erased(self, ids: Sequence[str]) -> list[bool]:
        """Return whether each customer is on the list of the erased.

        Raises:
            LedgerError: the list cannot be read.
        """
        marks = self._marks()
        found = self.key.erasure_marks(self.key.pseudonyms(ids)) if marks else []
        return [mark in marks for mark in found] if marks else [False] * len(ids)

    @contextmanager
    def locked(self, *, shared: bool) -> Iterator[None]:
        """Hold the lock of the folder; it is released with its process too.

        Raises:
            LedgerError: the folder cannot be read or written.
        """
        try:
            with (self.folder / ".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise LedgerError(f"the ledger {self.folder} cannot be used: {error}") from error

    def _compact(self, every_file: bool, before: int | None, marks: set[bytes]) -> int:
        tables, old, dropped = [], [], 0
        for path in self.files(SEGMENT):
            found, frames = read_segment(path, self.key)
            if not frames.damaged or every_file:
                tables += found
                old.append(path)
        for path in self.files(PARQUET):
            small = path.stat().st_size < SMALL
            if small or every_file:
                table = read_parquet(path, self.key)
                if small or len(self._kept(table, marks, before)) < len(table):
                    tables.append(table)
                    old.append(path)
        if not old:
            return 0
        every = joined(tables)
        table = self._kept(every, marks, before)
        dropped = len(every) - len(table)
        if not dropped and len(old) == 1 and old[0].suffix == PARQUET:
            return 0
        if len(table):
            write_parquet(self.folder, table, self.key)
        for path in old:
            path.unlink()
        sync_folder(self.folder)
        return dropped

    def _kept(self, table: Any, marks: set[bytes], before: int | None) -> Any:
        """The records of customers who are not erased, said at an instant or later."""
        if marks and len(table):
            distinct = table["pseudonym"].unique().to_pylist()
            gone = [
                p for p, mark in zip(distinct, self.key.erasure_marks(distinct), strict=True) if mark in marks
            ]
            if gone:
                table = table.filter(pc.invert(pc.is_in(table["pseudonym"], pa.array(gone, BYTES))))
        if before is not None and len(table):
            table = table.filter(pc.greater_equal(table["said_at"], pa.scalar(before, TIME)))
        return table

    def files(self, suffix: str) -> list[Path]:
        """Return the files of a kind."""
        return sorted(path for path in self.folder.iterdir() if path.suffix == suffix)

    def _marks(self) -> set[bytes]:
        path = self.folder / ERASED
        try:
            return {bytes.fromhex(line) for line in path.read_text(encoding="ascii").split()}
        except FileNotFoundError:
            return set()
        except (OSError, ValueError) as error:
            raise LedgerError(
                f"{path} must list the erased customers: {error}. Restore it from a copy."
            ) from None


def ledger_root(registry: Path) -> Path:
    """Return the folder of ledgers beside a registry."""
    place = registry if registry.name else registry.resolve()
    return place.with_name(f"{place.name}-ledger")


def erased_of(
    registry: Path, name: str, environment: Mapping[str, str]
) -> Callable[[Sequence[str]], list[bool]] | None:
    """Return what says which customers of a model are erased; None where nobody is.

    Raises:
        LedgerError: there is a list of them, and no key.
    """
    given = environment.get("PROPENSE_LEDGER")
    root = Path(given) if given else ledger_root(registry)
    if not (root / name / ERASED).exists():
        return None
    return Ledger.of(root, name, find_key(root, environment, make=False)).erased
