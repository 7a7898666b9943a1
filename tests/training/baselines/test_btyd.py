"""The purchase model as a baseline: when it applies, and who is outside it."""

from typing import Any

import numpy as np
import pytest

from model.values.columns import Texts
from tests.training.baselines.worlds import (
    COLUMN_TASK,
    CUTOFF,
    FOLDS,
    TEST,
    World,
    log_world,
    needs_lifetimes,
    table_world,
)
from training.baselines.pareto_nbd import purchase_probabilities, purchase_task
from training.baselines.tabular import share


def answer(world: World, **changes: Any) -> np.ndarray:
    assert world.task.kind == "log"
    options: dict[str, Any] = {"until": CUTOFF, "seed": 0, **changes}
    return purchase_probabilities(world.labelled, FOLDS.rows, TEST, world.task, world.schema, **options)


@needs_lifetimes
@pytest.mark.parametrize(
    ("kinds", "changes", "suits"),
    [
        (False, {}, True),
        (True, {}, True),
        (True, {"event": ("buy", "visit")}, True),
        (True, {"event": "any"}, False),
        (False, {"gap_days": 1}, False),
        (True, {"terminal": True}, False),
    ],
    ids=str,
)
def test_it_suits_events_that_repeat_from_the_cutoff_on(
    kinds: bool, changes: dict[str, Any], suits: bool
) -> None:
    world = log_world(kinds=kinds)
    task = world.task.model_copy(update=changes)
    assert (purchase_task(task, world.schema) is not None) == suits


def test_it_suits_no_label_of_a_column() -> None:
    assert purchase_task(COLUMN_TASK, table_world().schema) is None
    assert purchase_task(COLUMN_TASK, log_world().schema) is None


@needs_lifetimes
def test_what_happens_after_the_test_date_changes_nothing_and_what_happens_before_does() -> None:
    world = log_world()
    assert np.array_equal(answer(world), answer(world, until=CUTOFF + 1))
    assert not np.array_equal(answer(world), answer(world, until=CUTOFF // 2))


@needs_lifetimes
def test_only_events_of_the_named_type_are_purchases_and_who_has_none_gets_the_share_of_their_like() -> None:
    world = log_world(kinds=True)
    log = world.labelled.log
    assert log is not None
    kinds = log.categories["kind"]
    assert isinstance(kinds, Texts)
    buys = np.concatenate([[0], np.cumsum(kinds.codes == 0)])
    about = world.labelled.examples
    never = buys[log.until(about.customers, about.cutoffs)] == buys[log.offsets[about.customers]]
    like = FOLDS.rows[never[FOLDS.rows]]
    expected = [share(world.labelled.labels, like, k) for k in range(2)]
    found = answer(world)
    assert 0 < never[TEST].sum() < len(TEST)
    np.testing.assert_array_equal(found[never[TEST]], np.tile(expected, (never[TEST].sum(), 1)))
    assert not (found[~never[TEST]] == expected).any()
