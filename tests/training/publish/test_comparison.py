"""On what a champion and a challenger are compared, and when they cannot be."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.errors import ComparisonError
from model.times import days, format_instant, parse_time
from tests.training.champions import champion_of, ids, training_customers
from tests.training.shops import LOG, TABLE, log_shop, table_shop
from training.prepare import Prepared, prepare
from training.publish.comparison import Comparison, compare_on_unseen
from training.publish.measured import MeasuredModel


@pytest.fixture(scope="module")
def log_data(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Prepared]:
    shop = log_shop(tmp_path_factory.mktemp("log"), 500)
    return lambda *overrides: prepare(shop.study(LOG, *overrides))


@pytest.fixture(scope="module")
def table_data(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Prepared]:
    shop = table_shop(tmp_path_factory.mktemp("table"), 300)
    return lambda *overrides, text=TABLE: prepare(shop.study(text, *overrides))


def check_answers(comparison: Comparison, champion: MeasuredModel, prepared: Prepared) -> None:
    """Labels, groups and probabilities are those of the rows, at the longest horizon."""
    plan, data, rows = prepared.plan, prepared.dataset, comparison.rows
    assert set(rows) <= set(plan.unseen)
    assert plan.labels.complete[rows, -1].all()
    assert np.array_equal(comparison.labels, plan.labels.outcomes[rows, -1])
    assert np.array_equal(comparison.groups, plan.groups[rows])
    answers = champion.scorer.score(data.columns, data.log, plan.examples.take(rows))
    assert np.array_equal(comparison.champion, answers[:, -1])


def test_a_comparison_of_a_log(log_data: Callable[..., Prepared]) -> None:
    before, after = log_data("target.cutoffs.last=2022-05-30"), log_data()
    champion = champion_of(before)
    comparison = compare_on_unseen(champion, after)
    check_answers(comparison, champion, after)
    asked = ids(after, after.plan.examples.customers[comparison.rows])
    assert not asked & (ids(before, training_customers(before)) | ids(after, training_customers(after)))
    n = len(comparison.rows)
    assert comparison.facts() == {
        "examples": n,
        "positives": int(comparison.labels.sum()),
        "horizon": "30",
        "test_dates": ["2022-07-31"],
        "sentence": f"Compared on {n} of the challenger's {n} test examples of unseen customers at "
        "2022-07-31: those that version 1 held out too. Both are measured by their fits without the held-out "
        "customers, since the published models are fitted on all customers.",
    }


def test_a_window_that_was_not_observed_is_left_out(log_data: Callable[..., Prepared]) -> None:
    prepared = log_data()
    plan, champion = prepared.plan, champion_of(prepared)
    complete = plan.labels.complete.copy()
    complete[plan.unseen[::4], -1] = False
    plan = replace(plan, labels=replace(plan.labels, complete=complete))
    comparison = compare_on_unseen(champion, replace(prepared, plan=plan))
    assert len(comparison.rows)
    assert not set(comparison.rows) & set(plan.unseen[::4])


def test_a_comparison_of_a_table(table_data: Callable[..., Prepared]) -> None:
    prepared = table_data()
    champion = champion_of(prepared, version=3)
    comparison = compare_on_unseen(champion, prepared)
    check_answers(comparison, champion, prepared)
    facts = comparison.facts()
    assert (facts["horizon"], facts["test_dates"]) == ("label", [])
    n = facts["examples"]
    assert n <= len(prepared.plan.unseen)
    assert facts["sentence"].startswith(
        f"Compared on {n} of the challenger's 60 test examples of unseen customers: those that "
    )


def test_dates_that_a_fit_saw_are_told(log_data: Callable[..., Prepared]) -> None:
    short = log_data("target.horizons_days=[10, 110]")
    assert short.plan.kind == "customers"
    champion = champion_of(short)
    both = "Version 1 was trained on other customers at the same dates. The challenger was trained on"
    assert both in compare_on_unseen(champion, short).sentence
    older = replace(champion, data_end=int(short.plan.examples.cutoffs[short.plan.unseen[0]]))
    sentence = compare_on_unseen(older, short).sentence
    assert "Version 1 was trained on" not in sentence
    assert sentence.endswith("The challenger was trained on other customers at the same dates.")


def test_rows_known_by_what_they_hold_are_told(table_data: Callable[..., Prepared]) -> None:
    prepared = table_data(text=TABLE.replace(", id: id", ", exclude: [id]"))
    sentence = compare_on_unseen(champion_of(prepared), prepared).sentence
    assert sentence.endswith("Rows have no id: a row with changed values counts as another customer.")


def test_how_much_is_read_is_not_another_question(log_data: Callable[..., Prepared]) -> None:
    before = log_data("target.cutoffs.last=2022-05-30")
    champion, prepared = (
        champion_of(before),
        log_data("target.lookback_days=30", "target.ingestion_lag_days=1"),
    )
    check_answers(compare_on_unseen(champion, prepared), champion, prepared)


def refused(champion: MeasuredModel, prepared: Prepared) -> str:
    with pytest.raises(ComparisonError) as caught:
        compare_on_unseen(champion, prepared)
    return str(caught.value)


def test_another_question_is_refused(
    log_data: Callable[..., Prepared], table_data: Callable[..., Prepared]
) -> None:
    asked = log_data("target.horizons_days=[10]", "target.outcome=absent")
    assert refused(champion_of(log_data()), asked) == (
        "both models must have the same target, got another one than version 1: horizons_days [10, 30] is "
        "now [10]; outcome 'occurs' is now 'absent'."
    )
    assert refused(champion_of(table_data()), table_data("target.positive=No")) == (
        "both models must have the same target, got another one than version 1: positive 'Yes' is now 'No'."
    )
    assert "kind 'log' is now 'column'" in refused(champion_of(log_data()), table_data())


def test_columns_that_are_gone_are_refused(table_data: Callable[..., Prepared]) -> None:
    text = refused(champion_of(table_data()), table_data("data.customers.exclude=[tenure]"))
    assert text.startswith(
        "the data must have the fields of version 1: the data must have the columns ['tenure'] "
        "of the model, got ["
    )


def test_event_fields_that_are_gone_are_refused(log_data: Callable[..., Prepared]) -> None:
    assert refused(champion_of(log_data()), log_data("data.events.values=[items]")) == (
        "the data must have the fields of version 1: the log must have the event fields "
        "['amount'] of the model."
    )


def test_data_that_end_before_the_champion_s_are_refused(log_data: Callable[..., Prepared]) -> None:
    prepared = log_data()
    later = replace(champion_of(prepared), data_end=parse_time("2023-01-01"))
    assert refused(later, prepared).startswith(
        "the data must reach 2023-01-01, the data end of version 1, got data up to 2022-08-"
    )


def test_a_test_date_before_the_champion_s_is_refused(log_data: Callable[..., Prepared]) -> None:
    champion, prepared = champion_of(log_data()), log_data("target.cutoffs.last=2022-06-30")
    assert refused(champion, prepared) == (
        "the test date must not be before that of version 1, 2022-07-31, got 2022-06-30."
    )


def test_dates_before_the_champion_s_test_are_left_out(log_data: Callable[..., Prepared]) -> None:
    """At them the champion had read what was to come."""
    one, several = log_data(), log_data("split.test_fraction=null")
    dates = sorted(set(several.plan.examples.cutoffs[several.plan.test].tolist()))
    assert several.plan.held_out.since == dates[0] < dates[-1] == one.plan.held_out.since
    every = [format_instant(date) for date in dates]
    for before, after, compared in (
        (one, several, every[-1:]),
        (several, one, every[-1:]),
        (several, several, every),
    ):
        champion = champion_of(before)
        comparison = compare_on_unseen(champion, after)
        check_answers(comparison, champion, after)
        assert list(comparison.test_dates) == compared
    assert f"customers at {len(every)} dates from {every[0]} to {every[-1]}: those" in comparison.sentence


def test_a_table_may_be_older(table_data: Callable[..., Prepared]) -> None:
    """Its latest date of any column is no end of what was observed."""
    prepared = table_data()
    champion = replace(champion_of(prepared), data_end=prepared.as_of + days(300))
    check_answers(compare_on_unseen(champion, prepared), champion, prepared)


def test_too_few_examples_are_refused(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 100)
    champion = champion_of(prepare(shop.study(TABLE)))
    assert refused(champion, prepare(shop.study(TABLE, "split.seed=9"))) == (
        "a comparison must have 10 examples of each outcome, of several customers, that neither model was "
        "trained on, got 2 positive and 1 negative ones. Use the split.seed 0 of version 1, or add "
        "customers."
    )
    assert refused(champion, prepare(shop.study(TABLE))).endswith(" negative ones. Add customers.")
