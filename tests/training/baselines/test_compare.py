"""The baselines of a run: which there are, what they read, and what no baseline may read."""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.training.baselines.worlds import (
    CUTOFF,
    EARLY,
    FOLDS,
    HELD,
    ROWS,
    TEST,
    TRAIN,
    World,
    log_world,
    needs_lifetimes,
    table_world,
)
from training.baselines.compare import Baselines
from training.baselines.pareto_nbd import NAME

TABULAR = ["gradient_boosting"]


@cache
def of_table() -> Baselines:
    """Those of the table as it is."""
    return table_world().baselines()


@cache
def of_log() -> Baselines:
    """Those of the log as it is."""
    return log_world().baselines()


def same(one: Baselines, other: Baselines) -> bool:
    assert one.probabilities.keys() == other.probabilities.keys()
    return all(np.array_equal(p, other.probabilities[name]) for name, p in one.probabilities.items())


def shuffled(rows: np.ndarray[Any, Any]) -> Any:
    def change(outcomes: np.ndarray[Any, Any]) -> None:
        outcomes[rows] = ~outcomes[rows]

    return change


def test_a_table_has_the_tabular_baselines_of_one_column() -> None:
    found = of_table()
    assert list(found.probabilities) == TABULAR
    assert all(p.shape == (len(TEST), 1) and p.dtype == np.float64 for p in found.probabilities.values())
    assert found.notes == ()


@needs_lifetimes
def test_a_purchase_log_has_recency_and_the_purchase_model_too() -> None:
    found = of_log()
    assert list(found.probabilities) == ["recency", *TABULAR, "btyd"]
    assert all(p.shape == (len(TEST), 2) for p in found.probabilities.values())


def test_without_the_package_there_is_no_purchase_model_and_nothing_to_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    found = log_world().baselines()
    assert list(found.probabilities) == ["recency", *TABULAR]
    assert found.notes == ()


@needs_lifetimes
def test_a_purchase_model_that_fails_is_left_out_and_says_why() -> None:
    found = log_world().baselines(until=0)
    assert list(found.probabilities) == ["recency", *TABULAR]
    assert found.notes == (
        f"{NAME} is left out: it needs customers with purchases on two days, got none of 0.",
    )


WORLDS = pytest.mark.parametrize(
    ("world", "found"), [(table_world(), of_table), (log_world(), of_log)], ids=["table", "log"]
)


@WORLDS
def test_every_baseline_ranks_unseen_customers(world: World, found: Callable[[], Baselines]) -> None:
    outcomes = world.labelled.labels.outcomes[TEST, -1]
    for name, p in found().probabilities.items():
        assert roc_auc_score(outcomes, p[:, -1]) > 0.65, name


@WORLDS
def test_labels_of_test_rows_are_never_read(world: World, found: Callable[[], Baselines]) -> None:
    assert same(found(), world.with_labels(shuffled(TEST)).baselines())


@pytest.mark.parametrize("rows", [TRAIN, HELD, EARLY], ids=["train", "held", "early"])
def test_labels_of_every_fold_are_read_by_all_but_the_purchase_model(rows: np.ndarray[Any, Any]) -> None:
    before = of_log().probabilities
    after = log_world().with_labels(shuffled(rows[::3])).baselines().probabilities
    changed = {name for name, p in before.items() if not np.array_equal(p, after[name])}
    assert changed == {"recency", *TABULAR}


def test_events_after_the_cutoff_change_nothing() -> None:
    world = log_world()
    log = world.labelled.log
    assert log is not None
    later = log.times > CUTOFF
    assert later.any()
    amounts = np.where(later, 1e6, log.values["amount"])
    times = np.where(later, np.int64(CUTOFF + 1), log.times)
    changed = replace(world.labelled, log=replace(log, times=times, values={"amount": amounts}))
    assert same(of_log(), replace(world, labelled=changed).baselines())


def test_a_seed_repeats() -> None:
    assert same(of_log(), log_world().baselines())


def test_later_horizons_are_likelier() -> None:
    for name, p in log_world((5, 10, 20, 40)).baselines().probabilities.items():
        assert (np.diff(p, axis=1) >= 0).all(), name
        assert ((p >= 0) & (p <= 1)).all(), name


def test_nothing_happening_is_the_complement_of_something_happening() -> None:
    others = log_world(outcome="absent").baselines().probabilities
    for name, p in of_log().probabilities.items():
        assert (np.diff(others[name], axis=1) <= 0).all()
        if name != "gradient_boosting":  # whose splits hang on the last bit
            np.testing.assert_allclose(others[name], 1 - p, atol=1e-4, err_msg=name)


def test_a_horizon_of_one_class_gets_its_rate_and_leaves_the_others_alone() -> None:
    world, alone = log_world((10, 40)), log_world((40,)).baselines().probabilities

    def nobody(outcomes: np.ndarray[Any, Any]) -> None:
        outcomes[ROWS, 0] = False

    after = world.with_labels(nobody).baselines().probabilities
    for name in ["recency", *TABULAR]:
        assert (after[name][:, 0] == 0).all()
        np.testing.assert_array_equal(after[name][:, 1], alone[name][:, 0])


def test_a_window_that_was_not_observed_is_not_learnt_from() -> None:
    hidden = TRAIN[::2]
    world = log_world().with_complete(hidden, 1, complete=False)
    found = world.baselines()
    assert same(found, world.with_labels(lambda o: o[hidden, 1:].fill(True)).baselines())
    flipped = world.with_labels(shuffled(TRAIN[1::8])).baselines()
    assert not same(found, flipped)


def test_a_horizon_that_nobody_was_observed_for_is_even() -> None:
    world = log_world((10,)).with_complete(ROWS, 0, complete=False)
    found = world.baselines().probabilities
    assert all((found[name] == 0.5).all() for name in ["recency", *TABULAR])


@pytest.mark.parametrize("plans", [3, 60, 300], ids=lambda n: f"{n} plans")
def test_missing_values_and_categories_that_training_lacks_are_answered(plans: int) -> None:
    found = table_world(plans=plans).baselines()
    assert all(np.isfinite(p).all() for p in found.probabilities.values())


def test_held_back_examples_without_both_classes_neither_stop_nor_calibrate() -> None:
    world = table_world()
    few = replace(world, folds=replace(FOLDS, judged=FOLDS.fold != 0))
    one_class = world.with_labels(lambda o: o[HELD].fill(True))
    for variant in (few, one_class):
        for name, p in variant.baselines().probabilities.items():
            assert roc_auc_score(world.labelled.labels.outcomes[TEST, 0], p[:, 0]) > 0.65, name
