"""Partial effects (Friedman 2001): the mean probability if an input had a value."""

from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.features.inputs import Inputs
from model.features.scaling import scale
from model.reasons.explainer import Explainer
from model.reasons.groups import Members
from model.reasons.words import unscaled
from model.scorer import Scorer

SHOWN: Final = 8  # inputs
POINTS: Final = 9  # of a number, or categories


@dataclass(frozen=True)
class Effect:
    """The effect of one input on the probability by the longest horizon.

    Attributes:
        values: numbers, unscaled, or categories; None is missing.
        probability: the mean of all examples if each had the value.
        share: of the examples near the value; numbers far from all others are guesses of the model.
    """

    input: str
    values: tuple[float | str | None, ...]
    probability: tuple[float, ...]
    share: tuple[float, ...]


def partial_effects(explainer: Explainer, own: Inputs) -> list[Effect]:
    """Return the effects of the inputs without which the logits of some examples would change most."""
    singles, scorer = explainer.singles, explainer.mixer.scorer
    without = np.vstack([np.ones(len(singles), dtype=bool), ~np.eye(len(singles), dtype=bool)])
    logits = explainer.mixer.logits(own, explainer.reference, singles, without)[..., -1]
    order = np.argsort(-np.abs(logits[:, 1:] - logits[:, :1]).mean(axis=0))
    names = [singles.names[at] for at in order.tolist()]
    found = (_effect(scorer, name, at, singles, own) for name, at in zip(names, order.tolist(), strict=True))
    return list(islice((effect for effect in found if effect), SHOWN))


def _effect(scorer: Scorer, name: str, single: int, singles: Members, own: Inputs) -> Effect | None:
    """The effect of an input; None of a sequence, and of the season."""
    numbers, codes = np.flatnonzero(singles.numbers == single), np.flatnonzero(singles.codes == single)
    scaling = dict(scorer.schema.numbers).get(name)
    if name.startswith("cutoff_") or not len(numbers) + len(codes):
        return None
    values: tuple[float | str | None, ...]
    if scaling:
        grid, share = _grid(own.numeric[:, numbers[0]])
        settings = [(value, 0) for value in grid.tolist()]
        values = tuple(None if np.isnan(v) else round(unscaled(scaling, v), 4) + 0.0 for v in grid.tolist())
    else:
        known, counts = np.unique(own.categories[:, codes[0]], return_counts=True)
        order = np.argsort(-counts)[:POINTS]
        share = counts[order] / len(own)
        category = scorer.schema.categories[codes[0]]
        rates = getattr(category, "rates", None)
        settings = [
            (float(scale(np.array([rates.log_odds[code]]), rates.scaling)[0]) if rates else 0.0, code)
            for code in known[order].tolist()
        ]
        names = (None, "other", *category.vocabulary)
        values = tuple(names[code] for _, code in settings)
    means = []
    for number, code in settings:
        numeric, categories = own.numeric.copy(), own.categories.copy()
        numeric[:, numbers], categories[:, codes] = number, code
        logits = scorer.logits(Inputs(numeric, categories, own.steps))
        means.append(round(float(scorer.probabilities(logits)[:, -1].mean()), 6))
    return Effect(name, values, tuple(means), tuple(round(float(one), 4) for one in share))


def _grid(scaled: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Quantiles of a number, then NaN if some are missing, and the share of the examples nearest to each."""
    present = scaled[~np.isnan(scaled)].astype(np.float64)
    quantiles = np.unique(np.quantile(present, np.linspace(0.02, 0.98, POINTS))) if len(present) else present
    nearest = np.abs(present[:, None] - quantiles).argmin(axis=1) if len(present) else np.empty(0, np.int64)
    share = np.bincount(nearest, minlength=len(quantiles)) / len(scaled)
    if len(present) == len(scaled):
        return quantiles, share
    return np.append(quantiles, np.nan), np.append(share, 1 - len(present) / len(scaled))
