"""Columns that have a value, or lack it, for one outcome only."""

import numpy as np
import pytest

from tests.training.audit.tables import choose, clean, outcomes


def test_filled_for_one_outcome_but_a_few_odd_rows_is_a_leak() -> None:
    examples = clean(3_000, 0.3, 0)
    filled = examples.positive & (np.random.default_rng(9).random(3_000) < 0.4)
    filled[np.flatnonzero(~examples.positive)[:2]] = True
    found = examples.add("reason_code", np.where(filled, 7.0, np.nan)).probe()
    [leak] = found
    assert (leak.probe, leak.level, leak.column) == ("one_class", "leak", "reason_code")
    n = int(filled.sum())
    assert leak.evidence == (
        f"'reason_code' is filled in {n} of 3,000 rows, and {n - 2} of these are positive "
        f"({(n - 2) / n:.1%}, against 30.0% of all rows)."
    )


def test_empty_for_one_outcome_only_is_a_leak() -> None:
    examples = clean(3_000, 0.3, 0)
    empty = examples.positive & (np.random.default_rng(9).random(3_000) < 0.4)
    [leak] = examples.add("renews_in", np.where(empty, np.nan, np.arange(3_000) % 31.5)).probe()
    assert (leak.probe, leak.level) == ("one_class", "leak")
    assert "'renews_in' is empty in" in leak.evidence


def test_filled_for_a_small_part_of_one_outcome_is_a_warning() -> None:
    examples = clean(3_000, 0.3, 0)
    filled = examples.positive & (np.random.default_rng(9).random(3_000) < 0.05)
    [found] = examples.add("x", np.where(filled, 7.0, np.nan)).probe()
    assert (found.probe, found.level) == ("one_class", "warning")


@pytest.mark.parametrize("odd", [0.05, 0.2])
def test_filled_for_mostly_one_outcome_is_none(odd: float) -> None:
    examples = clean(3_000, 0.3, 0)
    rng = np.random.default_rng(9)
    filled = (examples.positive & (rng.random(3_000) < 0.3)) | (
        ~examples.positive & (rng.random(3_000) < odd)
    )
    assert examples.add("x", np.where(filled, rng.normal(size=3_000), np.nan)).probe() == []


def test_what_chance_may_do_is_none() -> None:
    """Of 150 filled rows none is positive, but of 3,000 rows only 60 are."""
    examples = outcomes(3_000, 0.02, np.random.default_rng(0))
    filled = np.flatnonzero(~examples.positive)[:150]
    column = np.full(3_000, np.nan)
    column[filled] = filled % 4.5
    assert examples.add("x", column).probe() == []


def test_rows_of_few_customers_are_few() -> None:
    """Six customers with 50 rows each are no more proof than six rows."""
    rng = np.random.default_rng(0)
    examples = outcomes(3_000, 0.3, rng)
    examples.groups = np.repeat(np.arange(60), 50)
    examples.positive = (np.arange(60) % 3 == 0)[examples.groups]
    few = np.isin(examples.groups, [0, 3, 6, 9, 12, 15])
    examples.add("x", np.where(few, 1.0, np.nan), "categorical")
    examples.add("plan", choose({"gold": few}, otherwise="iron"), "categorical")
    assert [f for f in examples.probe() if f.probe == "one_class"] == []


def test_a_value_of_one_outcome_only_is_a_warning_and_a_leak_if_it_covers_the_outcome() -> None:
    examples = clean(3_000, 0.3, 0)
    draw = np.random.default_rng(9).random(3_000)
    others = draw < 0.1
    some, most = examples.positive & (draw < 0.2), examples.positive & (draw < 0.7)
    examples.add("state", choose({"blocked": some, "trial": others}, otherwise="open"), "categorical")
    examples.add("gone", most.astype(np.float64), "boolean")
    leak, warning = examples.probe()
    assert (leak.probe, leak.level, leak.column) == ("one_class", "leak", "gone")
    assert (warning.probe, warning.level, warning.column) == ("one_class", "warning", "state")
    n = int(some.sum())
    assert (
        f"'state' is 'blocked' in {n} of 3,000 rows, and {n} of these are positive (100.0%"
        in warning.evidence
    )


def test_several_such_values_are_told_together() -> None:
    examples = clean(3_000, 0.3, 0)
    part = np.random.default_rng(9).integers(0, 12, 3_000)
    reasons = {f"r{i}": examples.positive & (part == i) for i in range(5)}
    reasons |= {"n1": ~examples.positive & (part < 1), "mixed": part < 12}
    [leak] = [
        f for f in examples.add("reason", choose(reasons), "categorical").probe() if f.column == "reason"
    ]
    assert leak.probe == "one_class"
    assert "or one of 2 more values in" in leak.evidence


def test_of_a_history_only_events_that_announce_the_outcome_tell() -> None:
    examples = clean(3_000, 0.3, 0)
    draw = np.random.default_rng(9).random(3_000)
    positive, negative = examples.positive & (draw < 0.4), ~examples.positive & (draw < 0.8)
    columns = {"announces": positive, "ends": negative, "but once": ~positive, "often": ~negative}
    for name, filled in columns.items():
        examples.add(name, np.where(filled, 7.0, np.nan))
    found = [f for f in examples.probe() if f.probe == "one_class"]
    assert {f.column for f in found} == set(columns)
    of_history = [f for f in examples.probe(aggregates=tuple(columns)) if f.probe == "one_class"]
    assert [f.column for f in of_history] == ["announces"]
