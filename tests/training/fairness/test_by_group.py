"""Figures by group against fairlearn and plain loops; gaps against what chance gives."""

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
from numpy.typing import NDArray

from training.fairness.by_group import COMPARED, Gap, GroupFigures, figures_by_group
from training.fairness.groups import Groups
from training.measure.metrics import measure

Floats = NDArray[np.float64]


def world(sizes: tuple[int, ...], seed: int = 0) -> tuple[Floats, Floats, Groups]:
    """Right probabilities of customers in groups of some sizes."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    probabilities = rng.beta(2, 4, len(codes))
    labels = (rng.random(len(codes)) < probabilities).astype(np.float64)
    return labels, probabilities, Groups(tuple("abcdef"[: len(sizes)]), codes)


def measured(
    labels: Floats, probabilities: Floats, groups: Groups, customers: NDArray[np.int64] | None = None
) -> tuple[dict[str, GroupFigures], dict[str, Gap]]:
    each = np.arange(len(labels)) if customers is None else customers
    ((figures, gaps),) = figures_by_group(labels, probabilities, each, [groups], 0.5)
    return {one.name: one for one in figures}, {gap.figure: gap for gap in gaps}


def test_the_figures_are_those_of_fairlearn() -> None:
    labels, p, groups = world((300, 200, 90))
    figures, gaps = measured(labels, p, groups)
    metrics = {
        "selected": selection_rate,
        "true_positive_rate": true_positive_rate,
        "false_positive_rate": false_positive_rate,
        "auc": lambda y, s: measure(y, s).auc,
        "base_rate": lambda y, _: float(np.mean(y)),
    }
    for name, metric in metrics.items():
        scores = p if name == "auc" else (p >= 0.5).astype(np.float64)
        frame = MetricFrame(metrics=metric, y_true=labels, y_pred=scores, sensitive_features=groups.codes)
        for code, group in enumerate(groups.names):
            assert figures[group].figures[name].value == pytest.approx(frame.by_group[code])
        assert gaps[name].value == pytest.approx(frame.difference(method="between_groups"))
        assert groups.names[frame.by_group.argmax()] == gaps[name].high_group
        assert groups.names[frame.by_group.argmin()] == gaps[name].low_group


def test_counts_and_calibration_are_of_the_group_alone() -> None:
    labels, p, groups = world((300, 60))
    figures, _ = measured(labels, p, groups, np.arange(360) // 2)
    one = figures["b"]
    assert (one.examples, one.customers, one.positives) == (60, 30, labels[300:].sum())
    assert one.figures["calibration"].value == pytest.approx(p[300:].mean() - labels[300:].mean())
    alone = measure(labels[300:], p[300:])
    assert one.figures["calibration_error"].value == pytest.approx(alone.calibration_error)
    for figure in one.figures.values():
        assert figure.low is not None
        assert figure.high is not None
        assert figure.value is not None
        assert figure.low <= figure.value <= figure.high


def test_a_small_group_is_not_compared_and_says_why() -> None:
    labels, p, groups = world((300, 300, 40, 7))
    labels[600:640] = (np.arange(40) < 3).astype(np.float64)
    labels[640:] = 0
    figures, gaps = measured(labels, p, groups)
    assert figures["c"].small == "only 3 positive examples"
    assert figures["c"].figures["auc"].value is not None
    assert figures["d"].small == "no positive example, so it has no AUC and no true positive rate"
    assert (figures["d"].figures["auc"].value, figures["d"].figures["auc"].low) == (None, None)
    assert figures["a"].small == ""
    assert {name for gap in gaps.values() for name in (gap.high_group, gap.low_group)} == {"a", "b"}
    assert list(gaps) == list(COMPARED)


def test_one_large_group_has_no_gaps() -> None:
    assert measured(*world((300, 7)))[1] == {}


def test_a_gap_of_calibration_is_found() -> None:
    labels, p, groups = world((800, 800))
    p = np.where(groups.codes == 1, np.clip(p + 0.15, 0, 1), p)
    gap = measured(labels, p, groups)[1]["calibration"]
    assert gap.beyond_chance
    assert (gap.high_group, gap.low_group) == ("b", "a")
    assert gap.low < 0.15 < gap.high


def test_chance_alone_rarely_gives_a_gap_among_many_groups() -> None:
    """Without the allowance for all pairs of six groups, about a third would be called gaps."""
    found = [measured(*world((120,) * 6, seed))[1]["base_rate"].beyond_chance for seed in range(40)]
    assert sum(found) <= 6


def test_rows_of_one_customer_widen_the_intervals() -> None:
    labels, p, groups = world((200, 200))
    wide = measured(np.repeat(labels, 4), np.repeat(p, 4), Groups(groups.names, np.repeat(groups.codes, 4)))
    kept = measured(
        np.repeat(labels, 4),
        np.repeat(p, 4),
        Groups(groups.names, np.repeat(groups.codes, 4)),
        np.repeat(np.arange(400), 4),
    )
    widths = [of[1]["base_rate"].high - of[1]["base_rate"].low for of in (wide, kept)]
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.3)
