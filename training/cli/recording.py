"""Recording of batch scores in the ledger, and what a command says of it."""

import os
from pathlib import Path
from typing import Any

from model.errors import LedgerError
from model.files.names import agreed, counted
from model.ledger.recorder import Recorder


def open_recorder(root: Path, name: str) -> Recorder:
    """Return a recorder whose ledger can be used.

    Raises:
        LedgerError: it cannot.
    """
    recorder = Recorder(root, name, os.environ)
    recorder.open()
    return recorder


def finished(recorder: Recorder) -> tuple[dict[str, Any], list[str]]:
    """End recording; returns its facts, and notes on what is not recorded."""
    ledger, notes = recorder.open().ledger, []
    recorder.close()
    try:
        ledger.compact()
    except LedgerError as error:
        notes.append(f"the ledger was not compacted: {error}")
    if n := recorder.counts["without_id"]:
        notes.append(f"{counted(n, 'row')} without an id {agreed(n, 'is', 'are')} not in the ledger.")
    if n := recorder.counts["lost"]:
        notes.append(f"{counted(n, 'record')} could not be written to the ledger: {recorder.failure}.")
    facts = {name: recorder.counts[name] for name in ("recorded", "lost", "without_id")}
    return {"ledger": str(ledger.folder), **facts}, notes
