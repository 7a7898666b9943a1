"""A ledger in a folder, and records for it."""

from pathlib import Path
from typing import Any

import numpy as np

from model.ledger.key import LedgerKey
from model.ledger.ledger import Ledger
from model.ledger.records import Said, Version, records_of
from model.ledger.writer import Writer

KEY = LedgerKey(bytes(range(32)))
VERSION = Version(1, b"v" * 16, ("30", "90"))


def ledger_in(root: Path) -> Ledger:
    return Ledger.of(root, "churn", KEY, make=True)


def said(*ids: str | None, as_of: int = 0, version: Version = VERSION, **more: Any) -> Said:
    """What a version says of customers; the probability of each is a tenth of its length."""
    n = len(ids)
    probabilities = np.array([[len(id_ or "") / 10] * len(version.horizons or "1") for id_ in ids]).reshape(
        n, -1
    )
    plain = {"eligible": np.ones(n, dtype=bool), "numeric": np.zeros((n, 3), dtype=np.float32)}
    return Said(
        version,
        ids,
        np.full(n, as_of),
        probabilities,
        categories=np.zeros((n, 0), dtype=np.int64),
        **{**plain, **more},
    )


def append(ledger: Ledger, *ids: str | None, now: int = 1, **more: Any) -> None:
    """Append records by a writer of their own."""
    writer = Writer(ledger)
    writer.append(records_of(said(*ids, **more), ledger.key, now))
    writer.close()


def recorded(ledger: Ledger, *ids: str) -> dict[str, int]:
    """How many records there are of each of these customers, and of others under ""."""
    names = dict(zip(ledger.key.pseudonyms(ids), ids, strict=True))
    counts: dict[str, int] = {}
    for pseudonym in ledger.read().table["pseudonym"].to_pylist():
        name = names.get(pseudonym, "")
        counts[name] = counts.get(name, 0) + 1
    return counts
