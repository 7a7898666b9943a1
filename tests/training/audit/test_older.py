"""Customers who are older than the log are found by the day they joined, or by how first events thin out."""

import numpy as np
import pytest

from model.times import DAY, MISSING_TIME, Instants
from model.values.history import EventLog
from training.audit.older import probe_older

DAYS, N = 400, 1_000
DRAW = np.random.default_rng(0)
JOINED = DRAW.integers(-DAYS, DAYS, N)  # days after the start of the log; half of the customers are older


def log_of_joined(joined: np.ndarray, *, gap: float) -> EventLog:
    """A first event on the day of joining and further ones at random, of the days of the log."""
    customers, times = [np.arange(len(joined))], [joined]
    for number, day in enumerate(joined.tolist()):
        later = DRAW.uniform(day, DAYS, DRAW.poisson((DAYS - day) / gap))
        customers.append(np.full(len(later), number))
        times.append(np.floor(later))
    owner, day = np.concatenate(customers), np.concatenate(times)
    kept = day >= 0
    return EventLog.build(
        owner[kept], (day[kept] * DAY).astype(np.int64), n_customers=len(joined), values={}, categories={}
    )


def found(log: EventLog, **dates: Instants) -> list[str]:
    return [finding.evidence for finding in probe_older(log, dates, "UTC")]


def test_by_the_day_they_joined_which_is_no_birthday() -> None:
    log = log_of_joined(JOINED, gap=20)
    joined = np.where(np.arange(N) % 10, JOINED * DAY, MISSING_TIME)
    birthday = (JOINED - 10_000) * DAY
    older = int((JOINED < 0)[np.arange(N) % 10 > 0].sum())
    assert found(log, signup=joined, birthday=birthday) == [
        f"{older} of 900 customers have a 'signup' before the log begins on 1970-01-01."
    ]
    assert found(log_of_joined(abs(JOINED), gap=20), signup=abs(JOINED) * DAY) == []


@pytest.mark.parametrize("gap", [5, 25, 80])
def test_by_first_events_that_thin_out(gap: float) -> None:
    (evidence,) = found(log_of_joined(JOINED, gap=gap))
    assert "customers are first seen in the first" in evidence


@pytest.mark.parametrize("last", [80, DAYS])
def test_customers_who_join_evenly_are_not_older(last: int) -> None:
    """Neither over the whole log nor, as a cohort, in its first months."""
    assert found(log_of_joined(DRAW.integers(0, last, N), gap=40)) == []
