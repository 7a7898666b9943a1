"""Columns of a model that predict a group: through them a model knows a group that it does not read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.values.columns import Column
from training.audit.dominance import auc_together
from training.audit.feature import Feature, Outcomes, random_folds, read_feature
from training.fairness.groups import Groups
from training.schema.kinds import Kind

_LEAST: Final = 0.65  # the AUC of a column that is named
_ERRORS: Final = 3.0  # standard errors by which it is better than chance
_NAMED: Final = 5
_FOLDS: Final = 3
_TOGETHER: Final = 60  # columns; further ones add little


@dataclass(frozen=True)
class Proxy:
    """A column, and how well it alone predicts out of fold who is in a group and who is not."""

    column: str
    group: str
    auc: float


@dataclass(frozen=True)
class Proxies:
    """The columns that predict a group best, the best first.

    Attributes:
        named: those well above chance; a column once, with the group that it predicts best.
        group, together: the group that one column predicts best, and the AUC of all columns together for it;
            None where there are too few customers, or no columns.
    """

    named: tuple[Proxy, ...]
    group: str | None
    together: float | None


def proxies(inputs: Mapping[str, Column], kinds: Mapping[str, Kind], groups: Groups, *, seed: int) -> Proxies:
    """Find the inputs that predict the groups of N customers.

    Args:
        inputs: by name, one raw value a customer; a date as its age in days.
        kinds: the kind of each input.
    """
    by_group: dict[str, tuple[Outcomes, list[Feature]]] = {}
    codes = range(len(groups.names))
    for code in codes[:1] if len(codes) == 2 else codes:  # who is not in one of two is in the other
        positive = groups.codes == code
        each = np.arange(len(positive))
        outcomes = Outcomes(positive, each, random_folds(each, positive, seed=seed, n=_FOLDS))
        if outcomes.are_enough and inputs:
            read = (
                read_feature(name, column, kinds[name], outcomes, aggregate=False)
                for name, column in inputs.items()
            )
            by_group[groups.names[code]] = outcomes, sorted(read, key=lambda f: -f.auc)
    if not by_group:
        return Proxies((), None, None)
    pairs = [(feature, group) for group, (_, features) in by_group.items() for feature in features]
    pairs.sort(key=lambda pair: -pair[0].auc)
    strongest: dict[str, Proxy] = {}
    for feature, group in pairs:
        if feature.auc >= _LEAST and feature.auc - _ERRORS * feature.auc_error > 0.5:
            strongest.setdefault(feature.name, Proxy(feature.name, group, feature.auc))
    outcomes, features = by_group[pairs[0][1]]
    rows = np.arange(len(outcomes))
    together = auc_together(features[:_TOGETHER], rows, outcomes.positive, outcomes.folds)
    return Proxies(tuple(strongest.values())[:_NAMED], pairs[0][1], together)
