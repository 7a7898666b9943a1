"""Recording of batch scores in the ledger, and what a command says of it."""

import os
import time
from pathlib import Path
from typing import Any

from model.errors import LedgerError
from model.files.names import agreed, counted
from model.ledger.recorder import Recorder
from model.times import days


def open_recorder(root: Path, name: str) -> Recorder:
    """Return a recorder whose ledger can be used.

    Raises:
        LedgerError: it cannot.
    """
    recorder = Recorder(root, name, os.environ)
    recorder.open()
    return recorder


def finished(recorder: Recorder, retention_days: int | None) -> tuple[dict[str, Any], list[str]]:
    """End recording; returns its facts, and notes on what is not recorded and what is too old to keep."""
    ledger, notes = recorder.open().ledger, []
    recorder.close()
    try:
        before = None if retention_days is None else time.time_ns() // 1000 - days(retention_days)
        if n := ledger.compact(every_file=before is not None, before=before):
            notes.append(f"{counted(n, 'record')} removed from the ledger, by retention_days or as erased.")
    except LedgerError as error:
        notes.append(f"the ledger was not compacted: {error}")
    if n := recorder.counts["without_id"]:
        notes.append(f"{counted(n, 'row')} without an id {agreed(n, 'is', 'are')} not in the ledger.")
    if n := recorder.counts["lost"]:
        notes.append(f"{counted(n, 'record')} could not be written to the ledger: {recorder.failure}.")
    facts = {name: recorder.counts[name] for name in ("recorded", "lost", "without_id")}
    return {"ledger": str(ledger.folder), **facts}, notes
