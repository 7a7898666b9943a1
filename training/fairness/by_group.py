"""The figures of a model by group, and the largest gap between two groups, with intervals over customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from model.files.names import counted
from training.fairness.groups import Groups
from training.measure.bootstrap import (
    Floats,
    Integers,
    percentile_interval,
    resample_counts,
    weighted_measures,
)
from training.measure.measuring import coarse

FEWEST: Final = 10  # examples of the rarer outcome in a group that is compared
FIGURES: Final = (
    "base_rate",
    "mean_probability",
    "calibration",
    "calibration_error",
    "auc",
    "selected",
    "true_positive_rate",
    "false_positive_rate",
)
# Chance adds to a calibration error, most in the smallest group, so these are not compared.
COMPARED: Final = tuple(name for name in FIGURES if name != "calibration_error")


@dataclass(frozen=True)
class Figure:
    """A figure of a group; None where it is undefined. `low` and `high` are the ends of its 95 % interval."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class GroupFigures:
    """The figures of one group.

    Attributes:
        examples, customers, positives: counts.
        figures: by name, those of `FIGURES`: `calibration` is the mean probability minus the base rate,
            `selected` the share with a probability at or above the threshold, the rates those of selecting.
        small: why the group is not compared with others, and which figures are missing; empty if it is.
    """

    name: str
    examples: int
    customers: int
    positives: int
    figures: Mapping[str, Figure]
    small: str


@dataclass(frozen=True)
class Gap:
    """The largest difference of a figure between two groups.

    Attributes:
        figure: one of `COMPARED`.
        high_group, low_group: the groups with the highest and the lowest value.
        value: the difference.
        low, high: its 95 % interval, which allows for the choice among all pairs of groups.
    """

    figure: str
    high_group: str
    low_group: str
    value: float
    low: float
    high: float

    @property
    def beyond_chance(self) -> bool:
        """Whether chance alone hardly explains the difference."""
        return self.low > 0


def figures_by_group(
    labels: Floats,
    probabilities: Floats,
    customers: Integers,
    columns: Sequence[Groups],
    threshold: float,
    *,
    seed: int = 0,
) -> list[tuple[tuple[GroupFigures, ...], tuple[Gap, ...]]]:
    """Return the figures of the groups of each column and the gaps, from the same resamples of customers.

    Args:
        labels, probabilities, customers: (N,) as in `bootstrap.intervals`.
        columns: the groups of the N examples by each column.
        threshold: the probability from which on a customer is selected for an action.
    """
    graded, selected = coarse(probabilities), (probabilities >= threshold).astype(np.float64)

    def part(rows: Integers) -> _Part:
        plain = np.stack([np.ones(len(rows)), labels[rows], probabilities[rows], selected[rows]], axis=1)
        return _Part(rows, customers[rows], plain, graded[rows])

    parts = [[part(np.flatnonzero(g.codes == code)) for code in range(len(g.names))] for g in columns]
    whole = [_measured(groups, np.ones((1, len(labels))))[0] for groups in parts]
    resamples: list[list[Floats]] = [[] for _ in columns]
    for weights in resample_counts(customers, seed=seed):
        for of, drawn in zip(parts, resamples, strict=True):
            drawn.append(_measured(of, weights))
    found = []
    for groups, of, values, drawn in zip(columns, parts, whole, resamples, strict=True):
        together = np.concatenate(drawn)
        figures = [_group(groups.names[g], one, values[g], together[:, g]) for g, one in enumerate(of)]
        found.append((tuple(figures), tuple(_gaps(figures, values, together))))
    return found


@dataclass(frozen=True)
class _Part:
    """The examples of one group.

    Attributes:
        rows: (n,) positions among all examples.
        plain: (n, 4) float64: 1, the label, the probability, whether it is selected.
        graded: (n,) the probabilities in as many steps as AUC and calibration error need.
    """

    rows: Integers
    customers: Integers
    plain: Floats
    graded: Floats


def _measured(groups: Sequence[_Part], weights: Floats) -> Floats:
    """(B, G, F) the figures of each group under (B, N) weightings of all examples; NaN where undefined."""
    return np.stack([_figures(one, weights[:, one.rows]) for one in groups], axis=1)


def _figures(part: _Part, weights: Floats) -> Floats:
    """(B, F) `FIGURES` of a group."""
    labels, selected = part.plain[:, 1], part.plain[:, 3]
    n, positives, expected, chosen = (weights @ part.plain).T
    hits = weights @ (labels * selected)
    ranked = weighted_measures(labels, part.graded, weights)
    with np.errstate(invalid="ignore"):  # 0 / 0 where a resample has no such row
        columns = (
            positives / n,
            expected / n,
            (expected - positives) / n,
            ranked["calibration_error"],
            ranked["auc"],
            chosen / n,
            hits / positives,
            (chosen - hits) / (n - positives),
        )
    return np.stack(columns, axis=1)


def _group(name: str, part: _Part, values: Floats, resamples: Floats) -> GroupFigures:
    known = [None if np.isnan(value) else float(value) for value in values]
    bounds = [percentile_interval(part.customers, v, [resamples[:, f]]) for f, v in enumerate(known)]
    figures = {
        figure: Figure(value, *(ends or (None, None)))
        for figure, value, ends in zip(FIGURES, known, bounds, strict=True)
    }
    n, positives = len(part.rows), int(part.plain[:, 1].sum())
    return GroupFigures(
        name, n, len(np.unique(part.customers)), positives, figures, _why_small(positives, n - positives)
    )


def _why_small(positives: int, negatives: int) -> str:
    if not positives or not negatives:
        rate, kind = ("true", "positive") if not positives else ("false", "negative")
        return f"no {kind} example, so it has no AUC and no {rate} positive rate"
    few, kind = min((positives, "positive"), (negatives, "negative"))
    return f"only {counted(few, f'{kind} example')}" if few < FEWEST else ""


def _gaps(groups: Sequence[GroupFigures], values: Floats, resamples: Floats) -> list[Gap]:
    """The largest gap of each figure among the groups that are not small.

    The interval holds for all pairs of groups at once: it is as wide as the largest of their deviations in
    95 % of the resamples, each in units of its own spread (a studentised range, Westfall and Young 1993).
    """
    large = [g for g, group in enumerate(groups) if not group.small]
    pairs = np.array(list(combinations(large, 2)))
    gaps = []
    for f, figure in enumerate(FIGURES if len(pairs) else ()):
        if figure not in COMPARED:
            continue
        drawn = resamples[:, pairs[:, 0], f] - resamples[:, pairs[:, 1], f]
        difference = values[pairs[:, 0], f] - values[pairs[:, 1], f]
        drawn = drawn[~np.isnan(drawn).any(axis=1)]
        if not len(drawn):
            continue
        spread = drawn.std(axis=0)
        units = np.where(spread > 0, spread, 1.0)
        most = float(np.percentile(np.abs((drawn - difference) / units).max(axis=1), 95))
        pair = int(np.abs(difference).argmax())
        high, low = pairs[pair][:: 1 if difference[pair] >= 0 else -1].tolist()
        value, half = abs(float(difference[pair])), most * float(spread[pair])
        gaps.append(Gap(figure, groups[high].name, groups[low].name, value, value - half, value + half))
    return gaps
