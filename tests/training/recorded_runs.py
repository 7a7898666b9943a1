"""Runs whose fits and baselines are recorded."""

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

QUICK = ("fit.refit=false", "fit.epochs=2", "network.choose=false")
COMPARE = (*QUICK, "split.compare=true")


@dataclass
class Recorded:
    """The inputs and results of a run's fits, the undistilled bags, and the baselines' probabilities."""

    fits: list[tuple[LabelledExamples, Folds, Fitted]] = field(default_factory=list)
    bags: list[Fitted] = field(default_factory=list)
    baselines: dict[str, Any] = field(default_factory=dict)


def record(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Record the fits and the baselines of a run."""
    result, fit, distil, compare = Recorded(), fit_model, distilled, baseline_probabilities

    def recording_fit(labelled: LabelledExamples, folds: Folds, *rest: Any, **options: Any) -> Fitted:
        fitted = fit(labelled, folds, *rest, **options)
        result.fits.append((labelled, folds, fitted))
        return fitted

    def recording_distilled(bag: Fitted, *rest: Any) -> Fitted:
        answering = distil(bag, *rest)
        result.bags.append(bag)
        result.fits = [(a, folds, answering if fitted is bag else fitted) for a, folds, fitted in result.fits]
        return answering

    def recording_baselines(*words: Any, **options: Any) -> Baselines:
        found = compare(*words, **options)
        result.baselines = found.probabilities
        return found

    monkeypatch.setattr(run, "fit_model", recording_fit)
    monkeypatch.setattr(run, "distilled", recording_distilled)
    monkeypatch.setattr(run, "baseline_probabilities", recording_baselines)
    return result


def repeated(shop: Shop) -> Shop:
    """Every third row once more, under another id."""
    for n in range(0, len(shop.customers), 3):
        shop.customers.append({**shop.customers[n], "id": f"again-{n}"})
        shop.churned.append(shop.churned[n])
    shop.save_table()
    return shop
