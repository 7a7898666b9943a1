"""A split's figures: at the longest horizon, where it is complete, beside what the base rate loses."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from training.measure.measuring import measured
from training.question.labels import Labels
from training.run.splits import split_figure
from training.split.plan import Plan

N = 40
RNG = np.random.default_rng(0)
OUTCOMES = RNG.random((N, 2)) < 0.4
COMPLETE = np.stack([np.ones(N, dtype=bool), np.arange(N) < 25], axis=1)
GROUPS = np.arange(N) // 2
PLAN = cast(Plan, SimpleNamespace(labels=Labels(OUTCOMES, COMPLETE, OUTCOMES, COMPLETE), groups=GROUPS))
ROWS = np.arange(5, 35)
ANSWERS = RNG.random((len(ROWS), 2))


def test_the_longest_horizon_is_measured_where_it_is_complete() -> None:
    figure = split_figure("forward", PLAN, ROWS, ANSWERS, 0.3)
    y = OUTCOMES[5:25, 1].astype(np.float64)
    assert figure.split == "forward"
    assert figure.metrics == measured(y, ANSWERS[:20, 1], GROUPS[5:25])
    assert figure.metrics["n"] == 20


def test_the_base_rate_is_that_of_the_split_s_own_training() -> None:
    y = OUTCOMES[5:25, 1]
    for rate in (0.3, 0.6):
        lost = np.mean([-np.log(rate if positive else 1 - rate) for positive in y])
        assert split_figure("x", PLAN, ROWS, ANSWERS, rate).base_rate_log_loss == pytest.approx(lost)
