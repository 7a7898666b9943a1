"""Recording beside answers that must be given: what cannot be recorded is counted, and nothing is raised."""

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from model.errors import LedgerError
from model.ledger.key import find_key
from model.ledger.ledger import Ledger
from model.ledger.records import Said, records_of
from model.ledger.writer import Writer


class Recorder:
    """Records what versions of one model say, for one thread.

    Args:
        root: the folder of ledgers; the ledger is begun where there is none.
        environment: has the key, or else `find_key` makes one.

    Attributes:
        counts: customers who are `recorded`, `lost`, and those `without_id`, who cannot be recorded.
        failure: why records were lost or not compacted, the last time.
    """

    def __init__(self, root: Path, name: str, environment: Mapping[str, str]) -> None:
        self._place = root, name, environment
        self._writer: Writer | None = None
        self.counts: Counter[str] = Counter()
        self.failure = ""

    def open(self) -> Writer:
        """Open the ledger, now rather than at the first record.

        Raises:
            LedgerError: it cannot be used.
        """
        if self._writer is None:
            root, name, environment = self._place
            key = find_key(root, environment, make=True)
            self._writer = Writer(Ledger.of(root, name, key, make=True))
        return self._writer

    def record(self, said: Said) -> None:
        """Record what is said."""
        n = sum(id_ is not None for id_ in said.ids)
        if n < len(said.ids):
            self.counts["without_id"] += len(said.ids) - n
        try:
            writer = self.open()
            writer.append(records_of(said, writer.ledger.key, time.time_ns() // 1000))
        except (LedgerError, OSError) as error:
            self.counts["lost"] += n
            self.failure = str(error)
            return
        self.counts["recorded"] += n
        try:
            writer.compact_if_due()
        except LedgerError as error:  # what is recorded stays so
            self.failure = str(error)

    def close(self) -> None:
        """End the segment."""
        if self._writer:
            self._writer.close()
            self._writer = None
