"""A column that tells more than all others together: often measured after the outcome."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from model.values.columns import Numbers, Texts
from training.audit.feature import Feature, Outcomes
from training.audit.findings import Finding, remedy
from training.audit.ranking import auc, deal_folds
from training.question.labels import Bools

_ALONE: Final = 0.75  # the AUC alone that makes a candidate, beyond a standard error
_CANDIDATES: Final = 3
_LOSS: Final = 0.08  # two independent columns that tell as much each lose this, either of them
_AHEAD: Final = 0.01
_FOLDS: Final = 3
_ROWS: Final = 10_000
_COLUMNS: Final = 60  # the best of them alone; further ones add little
_CATEGORIES: Final = 30


def dominating(features: Sequence[Feature], outcomes: Outcomes, *, seed: int) -> list[Finding]:
    """Findings about columns without which all others together lose much of what they tell.

    Small forests of boosted trees are fitted on all columns and on all but one, and compared by
    their AUC on rows that they were not fitted on.
    """
    best = sorted(features, key=lambda f: -f.auc)[:_COLUMNS]
    candidates = [f for f in best[:_CANDIDATES] if f.sure_auc >= _ALONE and f.kind != "date"]
    if not candidates or not outcomes.are_enough or len(best) < 2:
        return []
    rows = _sample(len(outcomes), seed)
    positive = outcomes.positive[rows]
    folds = deal_folds(outcomes.groups[rows], positive, seed=seed, n=_FOLDS)
    matrix = np.stack([_encode(f)[rows] for f in best], axis=1)
    categorical = np.array([isinstance(f.values, Texts) for f in best])
    together = _forest_auc(matrix, categorical, positive, folds)
    found = []
    for feature in candidates:
        others = np.array([f is not feature for f in best])
        without = _forest_auc(matrix[:, others], categorical[others], positive, folds)
        if together - without >= _LOSS and feature.auc >= without + _AHEAD:
            found.append(_finding(feature, together, without))
    return found


def _sample(n: int, seed: int) -> NDArray[np.int64]:
    chosen = np.random.default_rng(seed).permutation(n)[:_ROWS]
    return np.sort(chosen)


def _encode(feature: Feature) -> Numbers:
    """Numbers as they are; of categories the most common ones, then all others as one; NaN missing."""
    if not isinstance(feature.values, Texts):
        return feature.values if feature.kind != "date" else feature.filled.astype(np.float64)
    codes = feature.values.codes
    counts = np.bincount(codes + 1, minlength=len(feature.values.values) + 1)[1:]
    rank = np.empty(len(counts) + 1)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    rank[-1] = np.nan
    return np.minimum(rank, _CATEGORIES)[codes]


def _forest_auc(matrix: Numbers, categorical: Bools, positive: Bools, folds: NDArray[np.int64]) -> float:
    """The mean AUC over folds of boosted trees fitted on the others."""
    values = []
    for fold in range(_FOLDS):
        fitted, asked = folds != fold, folds == fold
        if len(np.unique(positive[fitted])) < 2:
            continue
        forest = HistGradientBoostingClassifier(
            max_iter=60,
            max_leaf_nodes=15,
            early_stopping=False,
            categorical_features=categorical,
            random_state=0,
        )
        forest.fit(matrix[fitted], positive[fitted])
        values.append(auc(forest.predict_proba(matrix[asked])[:, 1], positive[asked]))
    return float(np.mean(values)) if values else 0.5


def _finding(feature: Feature, together: float, without: float) -> Finding:
    return Finding(
        "dominates",
        "warning",
        feature.name,
        f"{feature.name!r} tells more than all other columns together: its AUC alone is {feature.auc:.3f}, "
        f"theirs is {without:.3f} without it and {together:.3f} with it.",
        remedy("warning", feature.name, aggregate=feature.aggregate),
    )
