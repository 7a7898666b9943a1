"""Probes of what the model may read, one column after the other: does it know the label already?"""

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.values.columns import Column, take
from training.audit.dominance import dominating
from training.audit.feature import Outcomes, read_feature
from training.audit.findings import Finding, ordered
from training.audit.named import named_like_label
from training.audit.near_unique import near_unique
from training.audit.one_class import one_class
from training.audit.ranking import deal_folds
from training.audit.states_label import states_the_label
from training.question.labels import Bools
from training.schema.kinds import Kind

MAX_ROWS: Final = 20_000


def probe_columns(
    features: Mapping[str, Column],
    kinds: Mapping[str, Kind],
    positive: Bools,
    groups: NDArray[np.int64],
    *,
    label: str | None,
    seed: int,
    aggregates: Collection[str] = (),
) -> list[Finding]:
    """Probe the columns and history aggregates of N training examples.

    Args:
        features: by name, one raw value an example.
        kinds: the kind of each of them; an aggregate is numeric. A date is judged by whether it is
            filled only.
        positive: (N,) bool.
        groups: (N,) int64, one number a customer: their rows are kept together.
        label: the label column, where there is one.
        seed: of the folds, and of the sample where there are more rows than MAX_ROWS.
        aggregates: which features were computed from a history.
    """
    if not len(positive):
        return []
    rows = _sample(len(positive), seed)
    outcomes = Outcomes(positive[rows], groups[rows], deal_folds(groups[rows], positive[rows], seed=seed))
    probed = [
        read_feature(name, take(column, rows), kinds[name], outcomes, aggregate=name in aggregates)
        for name, column in features.items()
    ]
    found = [
        f for feature in probed for probe in (states_the_label, one_class) if (f := probe(feature, outcomes))
    ]
    leaks = {finding.column for finding in found if finding.level == "leak"}
    found += dominating([f for f in probed if f.name not in leaks], outcomes, seed=seed)
    found += named_like_label(probed, label)
    found += [
        finding
        for name, column in features.items()
        if name not in aggregates and (finding := near_unique(name, column, kinds[name], groups))
    ]
    return ordered(found)


def _sample(n: int, seed: int) -> NDArray[np.int64]:
    """All rows, or as many as are enough."""
    chosen = np.random.default_rng(seed).permutation(n)[:MAX_ROWS]
    return np.sort(chosen)
