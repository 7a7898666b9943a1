"""On what a champion and a challenger are compared, and when they cannot be."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.errors import ComparisonError
from model.times import days, parse_time
from tests.training.rivals import ids, learnt_from, twin_of
from tests.training.shops import LOG, TABLE, log_shop, table_shop
from training.prepare import Prepared, prepare
from training.publish.comparison import Comparison, ask_champion
from training.publish.twin import Twin


@pytest.fixture(scope="module")
def log_data(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Prepared]:
    shop = log_shop(tmp_path_factory.mktemp("log"), 500)
    return lambda *overrides: prepare(shop.study(LOG, *overrides))


@pytest.fixture(scope="module")
def table_data(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Prepared]:
    shop = table_shop(tmp_path_factory.mktemp("table"), 300)
    return lambda *overrides, text=TABLE: prepare(shop.study(text, *overrides))


def check_answers(comparison: Comparison, twin: Twin, prepared: Prepared) -> None:
    """Labels, groups and probabilities are those of the rows, at the longest horizon."""
    plan, data, rows = prepared.plan, prepared.dataset, comparison.rows
    assert set(rows) <= set(plan.test)
    assert plan.labels.complete[rows, -1].all()
    assert np.array_equal(comparison.labels, plan.labels.outcomes[rows, -1])
    assert np.array_equal(comparison.groups, plan.groups[rows])
    answers = twin.scorer.score(data.columns, data.log, plan.examples.take(rows))
    assert np.array_equal(comparison.champion, answers[:, -1])


def test_a_comparison_of_a_log(log_data: Callable[..., Prepared]) -> None:
    before, after = log_data("target.cutoffs.last=2022-05-30"), log_data()
    twin = twin_of(before)
    comparison = ask_champion(twin, after)
    check_answers(comparison, twin, after)
    asked = ids(after, after.plan.examples.customers[comparison.rows])
    assert not asked & (ids(before, learnt_from(before)) | ids(after, learnt_from(after)))
    n = len(comparison.rows)
    assert comparison.facts() == {
        "examples": n,
        "positives": int(comparison.labels.sum()),
        "horizon": "30",
        "test_date": "2022-07-31",
        "sentence": f"Compared on {n} of the challenger's {n} test examples at 2022-07-31, those that "
        "version 1 held out as well. Each is measured by its fit that never saw them: what is "
        "published learns from nearly everybody.",
    }


def test_a_window_that_was_not_observed_is_left_out(log_data: Callable[..., Prepared]) -> None:
    prepared = log_data()
    plan, twin = prepared.plan, twin_of(prepared)
    complete = plan.labels.complete.copy()
    complete[plan.test[::4], -1] = False
    plan = replace(plan, labels=replace(plan.labels, complete=complete))
    comparison = ask_champion(twin, replace(prepared, plan=plan))
    assert len(comparison.rows)
    assert not set(comparison.rows) & set(plan.test[::4])


def test_a_comparison_of_a_table(table_data: Callable[..., Prepared]) -> None:
    prepared = table_data()
    twin = twin_of(prepared, version=3)
    comparison = ask_champion(twin, prepared)
    check_answers(comparison, twin, prepared)
    facts = comparison.facts()
    assert (facts["horizon"], facts["test_date"]) == ("label", None)
    n = facts["examples"]
    assert n <= len(prepared.plan.test)
    assert facts["sentence"].startswith(
        f"Compared on {n} of the challenger's 60 test examples, those that version 3"
    )


def test_dates_that_a_fit_saw_are_told(log_data: Callable[..., Prepared]) -> None:
    short = log_data("target.horizons_days=[10, 110]")
    assert short.plan.kind == "customers"
    twin = twin_of(short)
    both = "Version 1 learnt from other customers at the same dates. The challenger learnt from"
    assert both in ask_champion(twin, short).sentence
    older = replace(twin, data_end=int(short.plan.examples.cutoffs[short.plan.test[0]]))
    sentence = ask_champion(older, short).sentence
    assert "Version 1 learnt from" not in sentence
    assert sentence.endswith("The challenger learnt from other customers at the same dates.")


def test_rows_known_by_what_they_hold_are_told(table_data: Callable[..., Prepared]) -> None:
    prepared = table_data(text=TABLE.replace(", id: id", ", exclude: [id]"))
    sentence = ask_champion(twin_of(prepared), prepared).sentence
    assert sentence.endswith(
        "Rows have no id: one that holds other values than before counts as another customer."
    )


def test_how_much_is_read_is_not_another_question(log_data: Callable[..., Prepared]) -> None:
    before = log_data("target.cutoffs.last=2022-05-30")
    twin, prepared = twin_of(before), log_data("target.lookback_days=30", "target.ingestion_lag_days=1")
    check_answers(ask_champion(twin, prepared), twin, prepared)


def refused(twin: Twin, prepared: Prepared) -> str:
    with pytest.raises(ComparisonError) as caught:
        ask_champion(twin, prepared)
    return str(caught.value)


def test_another_question_is_refused(
    log_data: Callable[..., Prepared], table_data: Callable[..., Prepared]
) -> None:
    asked = log_data("target.horizons_days=[10]", "target.outcome=absent")
    assert refused(twin_of(log_data()), asked) == (
        "both must answer one question, however the target is no longer that of version 1: horizons_days "
        "[10, 30] is now [10]; outcome 'occurs' is now 'absent'"
    )
    assert refused(twin_of(table_data()), table_data("target.positive=No")) == (
        "both must answer one question, however the target is no longer that of version 1: positive 'Yes' is "
        "now 'No'"
    )
    assert "kind 'log' is now 'column'" in refused(twin_of(log_data()), table_data())


def test_columns_that_are_gone_are_refused(table_data: Callable[..., Prepared]) -> None:
    text = refused(twin_of(table_data()), table_data("data.customers.exclude=[tenure]"))
    assert text.startswith(
        "today's data must hold what version 1 reads, however the data must have the columns ['tenure'] "
        "of the model, got ["
    )


def test_event_fields_that_are_gone_are_refused(log_data: Callable[..., Prepared]) -> None:
    assert refused(twin_of(log_data()), log_data("data.events.values=[items]")) == (
        "today's data must hold what version 1 reads, however the log must have the event fields "
        "['amount'] of the model"
    )


def test_data_that_end_before_the_champion_s_are_refused(log_data: Callable[..., Prepared]) -> None:
    prepared = log_data()
    later = replace(twin_of(prepared), data_end=parse_time("2023-01-01"))
    assert refused(later, prepared).startswith(
        "today's data must reach as far as those of version 1, however they end at 2022-08-"
    )


def test_a_test_date_before_the_champion_s_is_refused(log_data: Callable[..., Prepared]) -> None:
    twin, prepared = twin_of(log_data()), log_data("target.cutoffs.last=2022-06-30")
    assert refused(twin, prepared) == (
        "the test date must not lie before that of version 1, whose labels had closed by then, however it is "
        "2022-06-30 and that was 2022-07-31"
    )


def test_a_table_may_be_older(table_data: Callable[..., Prepared]) -> None:
    """Its latest date of any column is no end of what was observed."""
    prepared = table_data()
    twin = replace(twin_of(prepared), data_end=prepared.as_of + days(300))
    check_answers(ask_champion(twin, prepared), twin, prepared)


def test_too_few_examples_are_refused(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 100)
    twin = twin_of(prepare(shop.study(TABLE)))
    assert refused(twin, prepare(shop.study(TABLE, "split.seed=9"))) == (
        "a comparison needs 10 examples of either outcome that neither has seen, of several customers, "
        "however there are 2 positive and 1 negative ones; keep the split.seed 0 of version 1, or bring more "
        "customers"
    )
    assert refused(twin, prepare(shop.study(TABLE))).endswith(" negative ones; bring more customers")
