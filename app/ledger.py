"""The ledger of the service: what is answered is queued, and one thread records it.

No answer waits for the ledger. Killed, the service loses what is queued: the answers of a tenth of a second.
"""

import logging
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from app.observe.metrics import Metrics
from app.request.scorer import Answered, Record
from model.ledger.key import VARIABLE, find_key
from model.ledger.recorder import Recorder
from model.ledger.records import Said, Version
from model.store.manifest import Manifest

_EVERY_S: Final = 0.1  # between two batches of records
_MOST_ROWS: Final = 65_536  # that wait; what comes beyond is lost
_log: Final = logging.getLogger(__name__)


class Recording:
    """Records the answers of all models, in folders below `root`.

    Args:
        key: as in PROPENSE_LEDGER_KEY; None for the file beside `root`.

    Raises:
        LedgerError: the key cannot be used.
    """

    def __init__(self, root: Path, key: str | None, metrics: Metrics) -> None:
        self._root, self._environment = root, {VARIABLE: key} if key else {}
        find_key(root, self._environment, make=True)
        self._metrics = metrics
        self._queue: deque[tuple[str, Version, Answered]] = deque()
        self._waiting = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._recorders: dict[str, Recorder] = {}
        self._failures: dict[str, str] = {}

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Record what is queued, and end."""
        self._stopped.set()
        self._thread.join()

    def of(self, manifest: Manifest) -> Record:
        """Return what queues the answers of a version, from any thread."""
        return partial(self._queue_up, manifest.name, Version.of(manifest))

    def count(self, name: str, counts: Mapping[str, int], failure: str) -> None:
        """Count the records of a model by what became of them, and log a failure once."""
        for outcome, n in counts.items():
            self._metrics.count_records(name, outcome, n)
        if failure and failure != self._failures.get(name):
            _log.error("records of %s are lost: %s", name, failure)
            self._failures[name] = failure

    def _queue_up(self, name: str, version: Version, answered: Answered) -> None:
        n = len(answered.rows)
        with self._lock:
            full = self._waiting and self._waiting + n > _MOST_ROWS
            if not full:
                self._waiting += n
                self._queue.append((name, version, answered))
        if full:
            self.count(name, {"lost": n}, f"more than {_MOST_ROWS} wait")

    def _run(self) -> None:
        while not self._stopped.wait(_EVERY_S):
            self._drain()
        self._drain()
        for recorder in self._recorders.values():
            recorder.close()

    def _drain(self) -> None:
        with self._lock:
            queued, self._waiting = list(self._queue), 0
            self._queue.clear()
        by_version: dict[tuple[str, Version], list[Answered]] = {}
        for name, version, answered in queued:
            by_version.setdefault((name, version), []).append(answered)
        for (name, version), batch in by_version.items():
            try:
                self._record(name, said_of(version, batch))
            except Exception as fault:  # whatever it is, the next batch is recorded
                self.count(name, {"lost": sum(len(one.rows) for one in batch)}, repr(fault))

    def _record(self, name: str, said: Said) -> None:
        recorder = self._recorders.get(name)
        if recorder is None:
            recorder = self._recorders[name] = Recorder(self._root, name, self._environment)
        recorder.record(said)
        self.count(name, recorder.counts, recorder.failure)
        recorder.counts.clear()


def said_of(version: Version, batch: Sequence[Answered]) -> Said:
    """Return what a version has said in some batches."""
    keys = None
    if any(one.keys for one in batch):
        keys = [key for one in batch for key in one.keys or [None] * len(one.rows)]
    eligible = None
    if batch[0].not_eligible is not None:
        eligible = np.array([why is None for one in batch for why in one.not_eligible or ()], dtype=bool)
    return Said(
        version,
        [None if id_ is None else str(id_) for one in batch for id_ in one.rows.ids],
        np.array([cutoff for one in batch for cutoff in one.rows.cutoffs], dtype=np.int64),
        np.concatenate([one.scored.probabilities for one in batch]),
        eligible,
        np.concatenate([one.scored.numeric for one in batch]),
        np.concatenate([one.scored.categories for one in batch]),
        keys,
    )
