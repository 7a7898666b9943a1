"""Event types that state the outcome are found in the gap and before the cutoff; others are not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model.task import ContractTask, LogTask
from model.times import DAY
from model.values.columns import texts_of
from model.values.customers import Examples
from model.values.history import EventLog
from training.audit.events import RECENT_DAYS, probe_event_types
from training.audit.findings import Finding

CUTOFF = 100
TYPES = ("visit", "goodbye", "cancel")
GAP = LogTask(event="cancel", outcome="occurs", terminal=True, horizons_days=(30,), gap_days=7)
CONTRACT = ContractTask(ends="ends", horizons_days=(30,), gap_days=7)
ABSENT = LogTask(outcome="absent", horizons_days=(30,), gap_days=7)


class Shop:
    """N customers who all visit every few days, one in four of them positive; each is asked once."""

    def __init__(self, n: int = 400) -> None:
        self.positive = np.arange(n) % 4 == 0
        self.examples = Examples(np.arange(n), np.full(n, CUTOFF * DAY))
        self.events: list[tuple[int, float, int]] = [
            (c, day, 0) for c in range(n) for day in range(80, 130, 5)
        ]

    def add(self, customers: np.ndarray, day: float, kind: str) -> "Shop":
        self.events += [(c, day, TYPES.index(kind)) for c in customers.tolist()]
        return self

    def probe(self, task: Any = GAP, **shown: Any) -> list[Finding]:
        customers, days, codes = (np.array(column) for column in zip(*self.events, strict=True))
        n = len(self.positive)
        types = {"type": texts_of(codes.astype(np.int64), TYPES)}
        times = np.round(days * DAY).astype(np.int64)
        log = EventLog.build(customers, times, n_customers=n, values={}, categories=types)
        asked = {"examples": self.examples, "positive": self.positive, **shown}
        return probe_event_types(log, log.categories["type"], task, **asked)

    @property
    def leavers(self) -> np.ndarray:
        return np.flatnonzero(self.positive)


def test_a_type_in_the_gap_that_states_the_outcome_is_a_warning() -> None:
    shop = Shop()
    [found] = shop.add(shop.leavers[:60], CUTOFF + 3, "goodbye").probe()
    assert (found.probe, found.level, found.column) == ("event_within", "warning", "goodbye")
    assert found.evidence == (
        "60 of 60 examples with a 'goodbye' event within the gap of 7 days are positive "
        "(100.0%, against 25.0% of all 400)."
    )
    assert "target.gap_days" in found.advice


def test_a_type_before_the_cutoff_that_states_the_outcome_is_a_warning() -> None:
    shop = Shop()
    shop.add(shop.leavers[:58], CUTOFF - 3, "goodbye").add(np.array([1, 2]), CUTOFF - 3, "goodbye")
    [found] = shop.probe()
    assert (found.probe, found.level, found.column) == ("event_before", "warning", "goodbye")
    assert found.evidence == (
        "58 of 60 examples with a 'goodbye' event in the 30 days before the cutoff are positive "
        "(96.7%, against 25.0% of all 400)."
    )
    assert "target.event" in found.advice


@pytest.mark.parametrize(
    ("day", "probes"),
    [
        (CUTOFF - RECENT_DAYS, []),
        (CUTOFF - RECENT_DAYS + 1e-6, ["event_before"]),
        (CUTOFF, ["event_before"]),
        (CUTOFF + 1e-6, ["event_within"]),
        (CUTOFF + 7, ["event_within"]),
        (CUTOFF + 7 + 1e-6, []),
    ],
)
def test_the_windows_end_where_history_and_gap_do(day: float, probes: list[str]) -> None:
    shop = Shop()
    assert [f.probe for f in shop.add(shop.leavers, day, "goodbye").probe()] == probes


def test_without_a_gap_nothing_lies_in_it() -> None:
    shop = Shop()
    shop.add(shop.leavers, CUTOFF + 1, "goodbye")
    assert shop.probe(GAP.model_copy(update={"gap_days": 0})) == []


@pytest.mark.parametrize("task", [GAP, CONTRACT, ABSENT])
def test_it_does_not_matter_what_is_asked(task: LogTask | ContractTask) -> None:
    shop = Shop()
    assert [f.column for f in shop.add(shop.leavers, CUTOFF + 1, "goodbye").probe(task)] == ["goodbye"]


def test_an_event_that_the_task_waits_for_is_none() -> None:
    shop = Shop()
    shop.add(shop.leavers, CUTOFF - 1, "goodbye").add(shop.leavers, CUTOFF - 1, "cancel")
    assert [f.column for f in shop.probe()] == ["goodbye"]
    occurs = LogTask(outcome="occurs", horizons_days=(30,))
    assert shop.probe(occurs) == []
    assert shop.probe(occurs.model_copy(update={"event": ("goodbye", "cancel")})) == []
    assert [f.column for f in shop.probe(ABSENT.model_copy(update={"event": "cancel"}))] == [
        "goodbye",
        "cancel",
    ]


def test_a_type_that_others_have_too_is_none() -> None:
    shop = Shop()
    stays = np.flatnonzero(~shop.positive)[:10]
    assert shop.add(shop.leavers, CUTOFF + 1, "goodbye").add(stays, CUTOFF + 1, "goodbye").probe() == []


def test_a_type_of_few_examples_or_few_customers_is_none() -> None:
    shop = Shop()
    assert shop.add(shop.leavers[:19], CUTOFF + 1, "goodbye").probe() == []
    again = Shop()
    again.add(again.leavers[:5], CUTOFF + 1, "goodbye")
    many = np.repeat(np.arange(400), 10)
    often = Examples(many, np.full(len(many), CUTOFF * DAY))
    assert again.probe(examples=often, positive=again.positive[many]) == []


def test_an_event_that_comes_often_counts_once_an_example() -> None:
    shop = Shop()
    for day in range(1, 6):
        shop.add(shop.leavers[:30], CUTOFF + day, "goodbye")
    [found] = shop.probe()
    assert found.evidence.startswith("30 of 30 examples")


def test_where_nearly_all_are_positive_or_nobody_is_asked_nothing_is_told() -> None:
    shop = Shop()
    shop.add(shop.leavers, CUTOFF + 1, "goodbye")
    assert shop.probe(positive=np.arange(400) % 6 != 1) == []
    nobody = shop.examples.take(np.empty(0, dtype=np.int64))
    assert shop.probe(examples=nobody, positive=shop.positive[:0]) == []


def test_events_without_a_type_are_passed_over() -> None:
    shop = Shop()
    shop.add(shop.leavers, CUTOFF + 1, "goodbye")
    customers, days, codes = (np.array(column) for column in zip(*shop.events, strict=True))
    log = EventLog.build(customers, days * DAY, n_customers=400, values={}, categories={})
    missing = texts_of(np.where(codes == 1, -1, codes), TYPES)
    assert probe_event_types(log, missing, GAP, shop.examples, shop.positive) == []
    nothing = replace(missing, codes=np.full_like(codes, -1), values=())
    assert probe_event_types(log, nothing, GAP, shop.examples, shop.positive) == []
