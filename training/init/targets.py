"""What may be predicted: the targets that files allow, the likeliest first, each with the reason."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DataError
from model.files.names import counted, listed
from model.times import DAY, MISSING_TIME, Instants
from model.values.columns import as_texts
from model.values.dense import dense_end, dense_start
from training.init.candidate import USUAL, Candidate, horizons, one_or_all
from training.init.contracts import contract_candidates
from training.init.files import Files, LogFields
from training.init.labels import label_candidates
from training.init.words import means_an_outcome

Codes = NDArray[np.int32]

_FOLLOWED: Final = 0.5  # of terminal events are followed by others of the customer, at most


def candidates(files: Files, wanted: str | None = None) -> list[Candidate]:
    """Return the targets that the files allow, the likeliest first.

    Args:
        wanted: a column of the table, a type of event, "occurs" or "absent"; None for all.

    Raises:
        DataError: the files have no such target.
    """
    found: list[Candidate] = []
    if files.table:
        found += [*contract_candidates(files.table, files.id), *label_candidates(files.table)]
    if files.log:
        found += _of_log(files.log)
    found.sort(key=lambda one: (-one.sure, not one.last_resort))
    if wanted is None:
        return found
    if chosen := [one for one in found if wanted in one.names]:
        return chosen
    names = dict.fromkeys(name for one in found for name in one.names)
    raise DataError(
        f"--target must be what the files can tell, got {wanted!r}. They can tell {listed(names)}."
    )


def _of_log(log: LogFields) -> Iterator[Candidate]:
    times = log.look.instants(log.time)
    ids = as_texts(log.look.table.columns[log.id]).codes
    known = (ids >= 0) & (times != MISSING_TIME)
    ids, times = ids[known], times[known]
    span = (dense_end(times) - dense_start(times)) // DAY
    if log.type:
        types = log.look.texts(log.type).take(known)
        yield from _of_types(ids, times, types.codes, types.values, horizons(span, USUAL))
    rhythm = _rhythm(ids, times)
    fitting: dict[str, Any] = {"horizons_days": horizons(span, rhythm)}
    why = f"{span:,} days of events; nine of ten gaps of a customer are at most {rhythm:.0f} days"
    yield Candidate({"outcome": "occurs", **fitting}, f"who has another event: {why}", 1, ("occurs",))
    yield Candidate(
        {"outcome": "absent", **fitting}, "who has none: churn without a contract", 0, ("absent",)
    )


def _of_types(
    ids: Codes, times: Instants, codes: Codes, names: Sequence[str], days: list[int]
) -> Iterator[Candidate]:
    """Each type of events; those that look terminal by their name, and by what follows, are one target."""
    last = np.full(ids.max() + 1, MISSING_TIME)
    np.maximum.at(last, ids, times)
    counts = np.bincount(codes + 1, minlength=len(names) + 1)[1:]
    followed = np.bincount(codes + 1, last[ids] > times + DAY, minlength=len(names) + 1)[1:]
    windows: dict[str, Any] = {"outcome": "occurs", "horizons_days": days}
    terminal = []
    for name, count, later in zip(names, counts.tolist(), followed.tolist(), strict=True):
        if count and means_an_outcome(name) and later <= _FOLLOWED * count:
            terminal.append(name)
        elif count:
            yield Candidate({"event": name, **windows}, counted(count, "event") + " of that type", 0, (name,))
    if terminal:
        why = "by its name it ends a customer's life, and few events follow it"
        yield Candidate({"event": one_or_all(terminal), **windows}, why, 3, tuple(terminal))


def _rhythm(ids: Codes, times: Instants) -> float:
    """The 90 % quantile of the days between two days with events of a customer."""
    pairs = np.unique(np.stack([ids, times // DAY]), axis=1)
    gaps = np.diff(pairs[1])[np.diff(pairs[0]) == 0]
    return float(np.quantile(gaps, 0.9)) if len(gaps) else 0.0
