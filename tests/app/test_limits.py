import time

import pytest

from app.errors import Problem
from app.limits import BodyBudget, Saturation, Shares, queue_full


def test_bodies_are_budget_up_to_a_sum() -> None:
    budget = BodyBudget(100)
    with budget.body() as first, budget.body() as second:
        first(60)
        second(40)
        with pytest.raises(
            Problem, match="bodies of 100 bytes together are being read; ask again shortly"
        ) as no:
            first(1)
        assert (no.value.status, no.value.kind, no.value.headers) == (503, "too-busy", {"Retry-After": "1"})
    with budget.body() as third:
        third(100)


def test_one_key_may_hold_half_of_all() -> None:
    budget = BodyBudget(100)
    with budget.body("a") as first, budget.body("a") as second, budget.body("b") as other:
        first(30)
        with pytest.raises(Problem, match="this key may have 50 bytes of bodies in progress") as no:
            second(21)
        assert (no.value.status, no.value.kind) == (503, "key-too-busy")
        second(20)
        other(50)
    shares = Shares(1, "requests")
    shares.take("a", 1)
    shares.take(None, 5)
    with pytest.raises(Problem, match="may have 1 requests in progress"):
        shares.take("a", 1)
    shares.give("a", 1)
    shares.take("a", 1)


def busy() -> Problem:
    return queue_full(1)


def test_refusals_without_a_lull_saturate(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    saturation = Saturation(after_s=2.0)
    assert not saturation.lasts()
    saturated = []
    for _ in range(6):
        saturation.note(busy())
        saturated.append(saturation.lasts())
        now += 0.5
    assert saturated == [False, False, False, False, True, True]
    now += 0.6
    assert not saturation.lasts()
    saturation.note(busy())
    assert not saturation.lasts()


def test_other_refusals_do_not_saturate() -> None:
    saturation = Saturation(after_s=0.0)
    saturation.note(Problem(503, "model-not-in-service", "none"))
    assert not saturation.lasts()
    saturation.note(busy())
    assert saturation.lasts()
