"""Columns of dates that may be the start and the end of a contract."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.files.names import counted
from model.times import DAY, MISSING_TIME, Instants
from model.values.columns import as_texts
from model.values.dense import dense_end, dense_start
from training.init.candidate import LADDER, USUAL, Candidate, horizons, one_or_all
from training.init.labels import ended_values, positive_values
from training.init.look import Look
from training.init.words import means_an_outcome, names_an_end

_STARTED: Final = 0.95  # of the rows have a start, and of the ends are after it
_PLANNED: Final = 0.2  # of the rows that stay have an end: it is a date to come
_RENEWED_DAYS: Final = 31  # a contract that starts so soon after another continues it
_RENEWED_SHARE: Final = 0.2  # of contracts continue another, where `reactivates_within_days` is written


def contract_candidates(table: Look, id: str | None) -> Iterator[Candidate]:
    """Yield the columns of dates that another one comes before."""
    for end in table.of_kind("date"):
        yield from _contract(table, end, id)


def _contract(table: Look, end: str, id: str | None) -> Iterator[Candidate]:
    """The end of a contract, where a column is its start; by a status where every contract has an end."""
    ends = table.instants(end)
    starts = {name: table.instants(name) for name in table.of_kind("date") if name != end}
    known = ends != MISSING_TIME
    before = {
        name: times
        for name, times in starts.items()
        if (times != MISSING_TIME).mean() >= _STARTED and (times[known] <= ends[known]).mean() >= _STARTED
    }
    if not before or not known.any() or (known.mean() > _STARTED and not names_an_end(end)):
        return
    start = next((n for n in before if not names_an_end(n)), next(iter(before)))
    times = before[start][before[start] != MISSING_TIME]
    span = (dense_end(times) - dense_start(times)) // DAY
    keys: dict[str, Any] = {"ends": end, "starts": start, "horizons_days": horizons(span, USUAL)}
    keys |= _renewals(table, id, before[start], ends)
    why = f"contracts start at {start!r} and {counted(int(known.sum()), 'row')} of {len(ends):,} have an end"
    if known.mean() > _STARTED:
        for name in table.of_kind("boolean", "categorical"):
            ended = ended_values(table.counts(name))
            if 0 < len(ended) < len(table.counts(name)):
                status = {"ended_when": {"column": name, "value": one_or_all(ended)}}
                yield Candidate(keys | status, f"{why}; {name!r} says which have ended", 4, (end, start))
                return
    sure = 0 if not names_an_end(end) else 1 if _planned(table, known) else 4
    yield Candidate(keys, why, sure, (end, start))


def _renewals(table: Look, id: str | None, starts: Instants, ends: Instants) -> dict[str, Any]:
    """The days within which a contract continues the one before, where many do."""
    if id is None or id == table.unique_id:
        return {}
    ids = as_texts(table.table.columns[id]).codes
    order = np.lexsort((starts, ids))
    same = (
        (np.diff(ids[order]) == 0) & (ends[order][:-1] != MISSING_TIME) & (starts[order][1:] != MISSING_TIME)
    )
    gaps = (starts[order][1:][same] - ends[order][:-1][same]) / DAY
    short = gaps[gaps <= _RENEWED_DAYS]
    if len(short) < _RENEWED_SHARE * len(ends):
        return {}
    return {"reactivates_within_days": next(days for days in LADDER if days >= np.quantile(short, 0.9))}


def _planned(table: Look, known: NDArray[np.bool_]) -> bool:
    """Return whether many rows have an end although a label says that they stay: it is a date to come."""
    for name in table.of_kind("boolean", "categorical"):
        if means_an_outcome(name) and len(table.counts(name)) > 1:
            positive = positive_values(table.counts(name))
            texts = table.texts(name)
            stays = ~np.isin(texts.codes, [texts.values.index(value) for value in positive])
            return bool(known[stays].mean() > _PLANNED)
    return False
