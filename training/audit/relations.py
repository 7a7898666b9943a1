"""The probes of a column beside another: two dates, the time of the split, the label's own shares."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, spearmanr

from model.values.columns import Numbers
from training.audit.columns import states_the_label
from training.audit.feature import FEWEST, Feature, Outcomes, read_feature
from training.audit.findings import Finding, exclude_line, remedy
from training.question.labels import Bools

_DATES: Final = 12  # columns of dates that are compared in pairs
_FOLLOWS: Final = 0.95  # the rank correlation with the time of the split
_CHANCE: Final = 1e-6
_VARIANCE: Final = 0.5  # of the positives that a share expects; a smaller one is not comparable


def probe_dates(
    ages: Mapping[str, Numbers], outcomes: Outcomes, *, unread: Collection[str] = ()
) -> list[Finding]:
    """Find dates whose distance from another date states the label, such as a status after the arrival.

    Args:
        ages: by name, the (N,) days of a date before the cutoff, NaN missing.
        unread: those that the model does not read: a finding is about the other date.
    """
    alone = {name: _auc(name, ages[name], outcomes) for name in list(ages)[:_DATES]}
    leaking = {name for name, feature in alone.items() if states_the_label(feature, outcomes)}
    found: dict[str, Finding] = {}
    for pair in combinations([name for name in alone if name not in leaking], 2):
        other, name = sorted(pair, key=lambda each: (each not in unread, alone[each].auc))
        finding = states_the_label(_auc(name, ages[other] - ages[name], outcomes), outcomes)
        if finding and name not in found:
            evidence = finding.evidence.replace("its value", f"its distance from {other!r}")
            found[name] = replace(finding, probe="date_distance", evidence=evidence)
    return list(found.values())


def _auc(name: str, days: Numbers, outcomes: Outcomes) -> Feature:
    return read_feature(name, days, "numeric", outcomes, aggregate=False)


def probe_carried_forward(
    numbers: Mapping[str, Numbers], time: str, when: NDArray[np.generic]
) -> list[Finding]:
    """Find numbers that rise or fall with the time of the split, so that the test has none of the training's.

    Args:
        numbers: by name, (N,) numbers or ages of dates, NaN missing.
        time: the column of the split.
        when: (N,) its values.
    """
    found = []
    for name, values in numbers.items():
        known = ~np.isnan(values)
        if known.sum() < 2 * FEWEST or len(np.unique(values[known])) < 3:
            continue
        follows = float(spearmanr(values[known], when[known]).statistic)
        if abs(follows) >= _FOLLOWS:
            found.append(
                Finding(
                    "follows_time",
                    "warning",
                    name,
                    f"{name!r} {'rises' if follows > 0 else 'falls'} with {time!r}, the time of the split "
                    f"(rank correlation {follows:.3f}): the latest rows have values that training never saw.",
                    f"Exclude what only tells the age of a row ({exclude_line([name])}).",
                )
            )
    return found


def probe_encoded(numbers: Mapping[str, Numbers], positive: Bools) -> list[Finding]:
    """Find numbers that equal the share of positives among the rows that have them: a target encoding.

    An estimate from other rows differs from these shares by chance; one that was computed from the same rows
    does not.

    Args:
        numbers: by name, (N,) shares, NaN missing.
        positive: (N,) the label of every row.
    """
    return [_encoded(name) for name, values in numbers.items() if _is_encoded(values, positive)]


def _is_encoded(values: Numbers, positive: Bools) -> bool:
    inside = (values > 0) & (values < 1)  # false for NaN
    shares, group = np.unique(values[inside], return_inverse=True)
    rows, hits = np.bincount(group), np.bincount(group, weights=positive[inside])
    variance = rows * shares * (1 - shares)
    many = variance >= _VARIANCE
    if many.sum() < 3 or rows[many].sum() < inside.sum() / 2:
        return False
    distance = (hits - rows * shares)[many] ** 2 / variance[many]
    return bool(chi2.cdf(distance.sum(), many.sum()) < _CHANCE)


def _encoded(name: str) -> Finding:
    return Finding(
        "target_encoding",
        "leak",
        name,
        f"{name!r} equals the share of positives among the rows with the same value, more closely than "
        "chance allows: it was computed from the label.",
        remedy("leak", name),
    )
