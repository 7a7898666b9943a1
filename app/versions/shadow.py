"""Shadow scoring: a challenger scores again what its champion has answered, for the log and metrics only."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from anyio.to_thread import run_sync
from numpy.typing import NDArray

from app.observe.metrics import Metrics
from app.versions.loader import Loader, Refused
from app.versions.snapshot import Fingerprint, fingerprint
from model.predictor import Predictions, Predictor
from model.schema import Schema
from model.store.manifest import Manifest
from model.values.iso_times import parse_instants
from model.values.rows import RequestRows, cells_by_row, event_fields

Probability = NDArray[np.float64]
_log: Final = logging.getLogger(__name__)
_WAIT_S: Final = 0.1  # between batches: fewer log lines, and less time in which requests share the processor
_MOST_ROWS: Final = 16_384  # that wait or are being scored; what comes beyond is dropped
_MOST_REQUESTS: Final = 1024  # in one batch, whose ids make one line of the log


@dataclass(frozen=True, slots=True)
class _Answered:
    champion: Manifest
    rows: RequestRows
    scored: Predictions
    request_id: str


class Shadow:
    """One challenger. No fault of it concerns the champion.

    Args:
        name: the model.
        version: the challenger.
    """

    def __init__(self, name: str, version: int, loader: Loader, metrics: Metrics) -> None:
        self._name = name
        self._version = version
        self._loader = loader
        self._metrics = metrics
        self._thread = ThreadPoolExecutor(1, "shadow")
        self._predictor: Predictor | None = None
        self._fingerprint: Fingerprint | None = None
        self._queue: deque[_Answered] = deque()
        self._rows = 0
        self._scheduled = False
        self._failure = ""

    async def look(self) -> None:
        """Load the challenger, if its files have changed since the last attempt."""
        folder = self._loader.registry.root / self._name / str(self._version)
        seen = await run_sync(fingerprint, folder, abandon_on_cancel=True)
        if seen == self._fingerprint:
            return
        self._fingerprint = seen
        loaded = await self._loader.load(self._name, self._version, lambda predictor: predictor)
        if isinstance(loaded, Refused):
            _log.error("%s %d cannot be a shadow: %s", self._name, self._version, loaded.reason)
        else:
            _log.info("%s %d scores in the shadow of the champion", self._name, self._version)
            self._predictor = loaded

    def offer(self, champion: Manifest, rows: RequestRows, scored: Predictions, request_id: str) -> None:
        """Queue what was answered; drop it if too much waits, or if the champion is the challenger."""
        if self._predictor is None or champion.version == self._version:
            return
        if self._rows and self._rows + len(rows) > _MOST_ROWS:
            self._metrics.count_shadow(self._name, self._version, "dropped", len(rows))
            return
        self._queue.append(_Answered(champion, rows, scored, request_id))
        self._rows += len(rows)
        if not self._scheduled:
            self._scheduled = True
            loop = asyncio.get_running_loop()
            loop.call_later(_WAIT_S, self._start, loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = self._take()
        work = loop.run_in_executor(self._thread, self._score, batch)
        work.add_done_callback(lambda done: self._end(loop, batch, done))

    def _end(
        self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Answered], done: asyncio.Future[Probability]
    ) -> None:
        n = sum(len(one.rows) for one in batch)
        self._rows -= n
        self._scheduled = bool(self._queue)
        if self._scheduled:
            loop.call_later(_WAIT_S, self._start, loop)
        if fault := done.exception():
            self._fail(fault, n)
        else:
            self._log_differences(batch, done.result())

    def _take(self) -> list[_Answered]:
        """Take what waits, as far as one champion has answered it."""
        batch = [self._queue.popleft()]
        while self._queue and len(batch) < _MOST_REQUESTS and self._queue[0].champion is batch[0].champion:
            batch.append(self._queue.popleft())
        return batch

    def _score(self, batch: Sequence[_Answered]) -> Probability:
        assert self._predictor
        rows = RequestRows.joined([one.rows for one in batch])
        rows = reshaped(rows, batch[0].champion.schema_, self._predictor.manifest.schema_)
        return self._predictor.predict_rows(rows).probabilities[:, -1]

    def _log_differences(self, batch: Sequence[_Answered], challenger: Probability) -> None:
        answered = np.concatenate([one.scored.probabilities[:, -1] for one in batch])
        differences = np.abs(answered - challenger)
        self._metrics.count_shadow(self._name, self._version, "scored", len(answered))
        self._metrics.add_shadow_difference(self._name, self._version, float(differences.sum()))
        fields = {
            "model": self._name,
            "version": batch[0].champion.version,
            "shadow_version": self._version,
            "n": len(answered),
            "mean": _short(answered.mean()),
            "shadow_mean": _short(challenger.mean()),
            "mean_absolute_difference": _short(differences.mean()),
            "request_ids": [one.request_id for one in batch],
        }
        _log.info("scored in the shadow", extra={"fields": fields})

    def _fail(self, fault: BaseException, n: int) -> None:
        self._metrics.count_shadow(self._name, self._version, "failed", n)
        if repr(fault) != self._failure:  # once, not at every batch
            _log.error("%s %d fails in the shadow", self._name, self._version, exc_info=fault)
            self._failure = repr(fault)


def _short(value: float) -> float:
    return round(float(value), 6)


def reshaped(rows: RequestRows, read: Schema, wanted: Schema) -> RequestRows:
    """Return the same customers with the fields of another schema; a field that was not sent is missing.

    Args:
        read: the schema by which the rows were read.
        wanted: the other schema.
    """
    places = _places(wanted.column_names, read.column_names)
    cells = rows.cells
    if places != list(range(len(read.column_names))):
        columns, missing = rows.columns(), [None] * len(rows)
        cells = cells_by_row([missing if at is None else columns[at] for at in places])
    dates = {
        name: rows.dates.get(name) or parse_instants(cells[at :: len(places)], read.time_zone, str)
        for at, name in enumerate(wanted.column_names)
        if name in wanted.date_formats
    }
    table = RequestRows(rows.ids, rows.cutoffs, cells, dates=dates)
    if wanted.events is None:
        return table
    if read.events is None:
        return replace(table, lengths=[0] * len(rows), events=[[] for _ in event_fields(wanted.events)])
    fields = _places(event_fields(wanted.events), event_fields(read.events))
    absent = [None] * len(rows.times)
    events = [absent if at is None else rows.events[at] for at in fields]
    return replace(table, lengths=rows.lengths, times=rows.times, events=events)


def _places(wanted: Sequence[str], read: Sequence[str]) -> list[int | None]:
    places = {name: position for position, name in enumerate(read)}
    return [places.get(name) for name in wanted]
