"""Runs of which the fits and the baselines are listened in on."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.training.shops import Shop
from training.baselines.compare import Baselines, baseline_probabilities
from training.fit.distill import distilled
from training.fit.model_fit import Fitted, fit_model
from training.question.labels import LabelledExamples
from training.run import run
from training.split.plan import Folds

QUICK = ("fit.refit=false", "fit.epochs=2")
COMPARE = (*QUICK, "split.compare=true")


@dataclass
class Heard:
    """What a run's fits were given and gave, the bags before that, and what its baselines answered."""

    fits: list[tuple[LabelledExamples, Folds, Fitted]] = field(default_factory=list)
    bags: list[Fitted] = field(default_factory=list)
    baselines: dict[str, Any] = field(default_factory=dict)


def listen(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """Listen in on the fits and the baselines of a run."""
    told, fit, distil, compare = Heard(), fit_model, distilled, baseline_probabilities

    def listened_to_fit(labelled: LabelledExamples, folds: Folds, *rest: Any, **options: Any) -> Fitted:
        fitted = fit(labelled, folds, *rest, **options)
        told.fits.append((labelled, folds, fitted))
        return fitted

    def listened_to_distilled(bag: Fitted, *rest: Any) -> Fitted:
        answering = distil(bag, *rest)
        told.bags.append(bag)
        told.fits = [(a, folds, answering if fitted is bag else fitted) for a, folds, fitted in told.fits]
        return answering

    def listened_to_baselines(*words: Any, **options: Any) -> Baselines:
        found = compare(*words, **options)
        told.baselines = found.probabilities
        return found

    monkeypatch.setattr(run, "fit_model", listened_to_fit)
    monkeypatch.setattr(run, "distilled", listened_to_distilled)
    monkeypatch.setattr(run, "baseline_probabilities", listened_to_baselines)
    return told


def repeated(shop: Shop) -> Shop:
    """Every third row once more, under another id."""
    for n in range(0, len(shop.customers), 3):
        shop.customers.append({**shop.customers[n], "id": f"again-{n}"})
        shop.churned.append(shop.churned[n])
    shop.save_table()
    return shop
