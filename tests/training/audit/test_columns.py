"""Leaks planted among clean columns are found, each by its probe and level; clean columns raise none."""

import numpy as np
import pytest

from model.values.columns import Texts
from tests.training.audit.tables import choose, clean, outcomes
from training.audit.columns import MAX_ROWS


@pytest.mark.parametrize("n", [300, 1_000, 5_000])
@pytest.mark.parametrize("base_rate", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_clean_columns_raise_none(n: int, base_rate: float, seed: int) -> None:
    assert clean(n, base_rate, seed).probe(seed=seed) == []


@pytest.mark.parametrize("seed", range(20))
def test_few_positives_raise_none(seed: int) -> None:
    assert clean(300, 20 / 300, seed).probe() == []
    assert clean(120, 4 / 120, seed).probe() == []


def test_one_outcome_or_no_rows_raise_none() -> None:
    assert clean(200, 0.0, 0).probe() == []
    assert clean(200, 1.0, 0).probe() == []
    assert clean(0, 0.5, 0).probe() == []


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_that_states_the_label_is_a_leak(sign: int) -> None:
    examples = clean(1_000, 0.2, 0)
    noise = np.random.default_rng(9).normal(size=1_000)
    [leak, *others] = examples.add("fee", sign * (6 * examples.answer + noise)).probe()
    assert (leak.probe, leak.level, leak.column) == ("states_the_label", "leak", "fee")
    assert leak.evidence == (
        "'fee' nearly determines the label: its value alone has an AUC of 1.000 on 1,000 rows, 200 of them "
        "positive."
    )
    assert leak.advice == (
        "Exclude what is not known at the cutoff (under data.customers, exclude: [fee]); "
        "allow what is known (allow_leaks: [fee])."
    )
    assert others == []


def test_a_number_that_nearly_states_the_label_is_a_warning() -> None:
    examples = clean(2_000, 0.3, 0)
    noise = np.random.default_rng(9).normal(size=2_000)
    found = examples.add("fee", 2.5 * examples.answer + noise).probe()
    assert ("states_the_label", "warning", "fee") in [(f.probe, f.level, f.column) for f in found]
    assert all("allow_leaks" not in f.advice for f in found)


def test_a_good_honest_number_is_none() -> None:
    examples = clean(2_000, 0.3, 0)
    rng = np.random.default_rng(9)
    for name in ("tenure", "spent", "visits"):
        examples.add(name, 1.0 * examples.answer + rng.normal(size=2_000))
    assert examples.probe() == []


def test_a_number_that_states_the_label_in_the_middle_is_a_leak() -> None:
    examples = clean(1_000, 0.2, 0)
    spread = np.random.default_rng(9).normal(size=1_000) * 100
    found = examples.add("balance", np.where(examples.positive, 0.0, spread)).probe()
    assert [(f.probe, f.level, f.column) for f in found] == [
        ("one_class", "leak", "balance"),
        ("states_the_label", "leak", "balance"),
    ]


def test_a_category_that_states_the_label_is_a_leak_however_many_there_are() -> None:
    examples = clean(5_000, 0.3, 0)
    rng = np.random.default_rng(9)
    codes = rng.integers(0, 200, 5_000) + 200 * examples.positive
    column = Texts(codes.astype(np.int32), tuple(f"shop {i}" for i in range(400)))
    found = examples.add("shop", column, "categorical").probe()
    assert [(f.probe, f.level, f.column) for f in found] == [("states_the_label", "leak", "shop")]


def test_a_category_of_each_customer_is_no_leak_though_their_rows_agree() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(500), 6)
    examples = outcomes(3_000, 0.3, rng)
    examples.groups, examples.positive = groups, (rng.random(500) < 0.3)[groups]
    town = Texts((groups // 2).astype(np.int32), tuple(f"town {i}" for i in range(250)))
    assert examples.add("town", town, "categorical").add("x", rng.normal(size=3_000)).probe() == []


def test_the_strongest_come_first_then_by_column() -> None:
    examples = clean(1_000, 0.2, 0)
    number = examples.answer
    examples.add("b", number).add("a", number).add("churn_risk", np.arange(1_000.0) % 7)
    levels = list(dict.fromkeys((f.level, f.column) for f in examples.probe()))
    assert levels == [("leak", "a"), ("leak", "b"), ("note", "churn_risk")]


def test_of_many_rows_a_sample_is_read_and_a_seed_decides_which() -> None:
    n = MAX_ROWS + 5_000
    examples = clean(n, 0.3, 0, n_columns=8)
    noise = np.random.default_rng(9).normal(size=n)
    examples.add("fee", 6 * examples.answer + noise)
    [leak] = examples.probe(seed=4)
    assert f"on {MAX_ROWS:,} rows" in leak.evidence
    assert examples.probe(seed=4) == [leak]
    assert examples.probe(seed=5)[0].evidence != leak.evidence


def test_texts_in_a_numeric_column_are_gaps_and_words_are_booleans() -> None:
    examples = clean(500, 0.4, 0, n_columns=8)
    left = choose({"yes": examples.positive}, otherwise="no")
    paid = choose({"100": examples.positive}, otherwise="unknown")
    found = examples.add("gone", left, "boolean").add("paid", paid, "numeric").probe()
    assert {(f.column, f.level) for f in found} == {("gone", "leak"), ("paid", "leak")}
    assert any(
        "'paid' is filled in 200 of 500 rows, and 200 of these are positive" in f.evidence for f in found
    )


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_number_that_is_not_zero_for_positives_only_is_a_leak(share: float) -> None:
    examples = clean(1_000, 0.2, 0, n_columns=8)
    spent = np.random.default_rng(9).random(1_000) < share
    examples.add("spend", np.where(examples.positive & spent, 20.0, 0.0) + 0.0)
    found = [f for f in examples.probe() if f.probe == "one_class"]
    assert [(f.level, f.column) for f in found] == [("leak", "spend")]
    tickets = np.random.default_rng(9).poisson(np.where(examples.positive, 1.5, 0.5)).astype(np.float64)
    assert clean(1_000, 0.2, 0, n_columns=8).add("tickets", tickets).probe() == []


def test_a_date_is_judged_by_whether_it_is_filled() -> None:
    examples = clean(500, 0.4, 0, n_columns=8)
    examples.add("ended_on", np.where(examples.positive, 30.0, np.nan), "date")
    examples.add("begun_on", np.random.default_rng(9).uniform(300, 600, 500), "date")
    found = examples.probe()
    assert {(f.probe, f.column) for f in found} == {
        ("states_the_label", "ended_on"),
        ("one_class", "ended_on"),
    }
    assert "its value alone has an AUC of 1.000" in found[1].evidence


def test_an_aggregate_is_no_column_to_leave_out() -> None:
    examples = clean(1_000, 0.2, 0)
    examples.add("count[cancel]_30d", examples.answer)
    [leak] = examples.probe(aggregates=("count[cancel]_30d",))
    assert (leak.probe, leak.level) == ("states_the_label", "leak")
    assert leak.advice == (
        "If its events are part of the outcome, name them under target.event, raise target.gap_days, or "
        "leave them out of the log; "
        "allow what is known (allow_leaks: ['count[cancel]_30d'])."
    )
