"""The probe for a column that predicts better than all others together; it is often measured too late."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from model.values.columns import Numbers, Texts
from training.audit.feature import Feature, Outcomes, auc, auc_error, random_folds, sample
from training.audit.findings import Finding, exclude_line, remedy
from training.question.labels import Bools

_ALONE: Final = 0.75  # the AUC minus its standard error of a candidate
_CANDIDATES: Final = 3
_LOSS: Final = 0.08  # the loss of AUC without one of two equally good independent columns
_TOO_GOOD: Final = 0.97  # the AUC minus its standard error of all columns together
_AHEAD: Final = 0.01
_FOLDS: Final = 3
ROUNDS: Final = 60  # of boosting
_ROWS: Final = 10_000
_COLUMNS: Final = 60  # the best columns alone; further ones add little
_CATEGORIES: Final = 30


def dominating(features: Sequence[Feature], outcomes: Outcomes, *, seed: int) -> list[Finding]:
    """Find columns without which all other columns lose much of their AUC.

    Small ensembles of boosted trees are fitted on all columns and on all but one, and compared by their
    out-of-fold AUC.
    """
    best = sorted(features, key=lambda f: -f.auc)[:_COLUMNS]
    candidates = [f for f in best[:_CANDIDATES] if f.sure_auc >= _ALONE]
    if not candidates or not outcomes.are_enough or len(best) < 2:
        return []
    rows = sample(np.arange(len(outcomes)), _ROWS, seed)
    positive = outcomes.positive[rows]
    folds = random_folds(outcomes.groups[rows], positive, seed=seed, n=_FOLDS)
    together = auc_together(best, rows, positive, folds)
    found = _too_good(together, positive, best)
    for feature in candidates:
        without = auc_together([f for f in best if f is not feature], rows, positive, folds)
        if together - without >= _LOSS and feature.auc >= without + _AHEAD:
            found.append(_finding(feature, together, without))
    return found


def _too_good(together: float, positive: Bools, best: Sequence[Feature]) -> list[Finding]:
    """A warning about an AUC of all columns together that behaviour alone hardly reaches."""
    if together - auc_error(together, positive) < _TOO_GOOD:
        return []
    names = ", ".join(f"{f.name!r} ({f.auc:.3f})" for f in best[:_CANDIDATES])
    return [
        Finding(
            "too_good",
            "warning",
            None,
            f"All columns together have an AUC of {together:.3f}, which what customers do beforehand hardly "
            f"reaches. The best columns alone are {names}.",
            "Make sure that each of them is known at the cutoff, and exclude those that are not "
            f"({exclude_line([f.name for f in best[:_CANDIDATES]])}).",
        )
    ]


def _encode(feature: Feature) -> Numbers:
    """Numbers as they are; the most common categories, and one code for all others; NaN missing."""
    if not isinstance(feature.values, Texts):
        return feature.values
    codes = feature.values.codes
    counts = np.bincount(codes + 1, minlength=len(feature.values.values) + 1)[1:]
    rank = np.empty(len(counts) + 1)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    rank[-1] = np.nan
    return np.minimum(rank, _CATEGORIES)[codes]


def auc_together(
    features: Sequence[Feature], rows: NDArray[np.int64], positive: Bools, folds: NDArray[np.int64]
) -> float:
    """Return the mean AUC over the folds of boosted trees fitted on the other folds.

    Args:
        rows: (n,) the rows of the features that are read.
        positive, folds: (n,) of these rows.
    """
    matrix = np.stack([_encode(f)[rows] for f in features], axis=1)
    categorical = np.array([isinstance(f.values, Texts) for f in features])
    values = []
    for fold in range(folds.max() + 1):
        fitted, held = folds != fold, folds == fold
        if len(np.unique(positive[fitted])) < 2:
            continue
        forest = HistGradientBoostingClassifier(
            max_iter=ROUNDS,
            max_leaf_nodes=15,
            early_stopping=False,
            categorical_features=categorical,
            random_state=0,
        )
        forest.fit(matrix[fitted], positive[fitted])
        values.append(auc(forest.predict_proba(matrix[held])[:, 1], positive[held]))
    return float(np.mean(values)) if values else 0.5


def _finding(feature: Feature, together: float, without: float) -> Finding:
    return Finding(
        "dominates",
        "warning",
        feature.name,
        f"{feature.name!r} predicts better than all other columns together: its AUC alone is "
        f"{feature.auc:.3f}; the others have {without:.3f} without it and {together:.3f} with it.",
        remedy("warning", feature.name, aggregate=feature.aggregate),
    )
