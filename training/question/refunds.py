"""Events that count for the target though they look like refunds or cancelled orders."""

import re
from typing import Final

import numpy as np

from model.files.names import agreed, some_of
from model.task import LogTask
from model.values.columns import Texts
from model.values.history import EventLog
from model.values.spelling import folded, matching

_TAKEN_BACK: Final = re.compile(
    r"\b(refund|chargeback|reversal|storn|rembours|devol|reembols|cancel)"
    r"|\b(returns?|returned|void|voided|reversed|credit (note|memo))\b"
)
_CREDIT: Final = re.compile(r"c\d{4,}")  # C536379 beside 536365: an invoice that was cancelled


def refund_note(log: EventLog, task: LogTask, types: Texts | None) -> tuple[str, ...]:
    """Return a note if events with negative numbers, or with a category that names a refund, count."""
    wanted = np.ones(len(log.times), dtype=bool)
    if task.event_types and types is not None:
        named = matching(types.values, task.event_types)
        wanted = np.isin(types.codes, [code for code, name in enumerate(types.values) if name in named])
    taken_back, reasons = np.zeros(len(log.times), dtype=bool), []
    for name, numbers in log.values.items():
        negative = wanted & (numbers < 0)
        if negative.any():
            reasons.append(f"{name!r} is negative in {int(negative.sum()):,}")
            taken_back |= negative
    for name, texts in log.categories.items():
        if task.event_types and texts is types:
            continue  # the study names them
        codes = [code for code, text in enumerate(texts.values) if _is_refund(text)]
        back = wanted & np.isin(texts.codes, codes)
        if back.any():
            example = texts.values[texts.codes[np.flatnonzero(back)[0]]]
            reasons.append(f"{name!r} is such as {example!r} in {int(back.sum()):,}")
            taken_back |= back
    n = int(taken_back.sum())
    if not n:
        return ()
    key = "target.event" if types is not None else "target.event, by a column under data.events.type"
    events = some_of(n, int(wanted.sum()), "event")
    return (
        f"{events} that count for the target {agreed(n, 'looks', 'look')} like refunds or cancelled orders "
        f"({'; '.join(reasons)}) and {agreed(n, 'counts', 'count')} like the others. If only purchases "
        f"should count, name them under {key}, or leave the others out of the log.",
    )


def _is_refund(text: str) -> bool:
    plain = folded(text)
    return bool(_TAKEN_BACK.search(plain) or _CREDIT.fullmatch(plain))
