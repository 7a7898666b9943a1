"""One training run, up to publishing: audit, fits, baselines, and all that the report says."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from model.errors import DataError
from model.probability import Probabilities
from model.scorer import Scorer
from model.store.manifest import NetworkSpec
from training.audit.audit import Audit, audit, refuse_leaks
from training.baselines.compare import baseline_probabilities
from training.fit.distill import distilled
from training.fit.loop import Epoch
from training.fit.model_fit import Fitted, Options, Reading, fit_model
from training.measure.measuring import BASE_RATE, MODEL, base_rates, measure_horizons
from training.measure.verdict import Verdict, judge
from training.prepare import Prepared, prepare
from training.question.examples import Asked
from training.question.labels import Labels
from training.run.choice import Choice, choose
from training.run.learning_curve import LearningPoint, learning_curve
from training.run.splits import SplitFigure, split_figure
from training.split.plan import Folds, Plan, one_sided_fold
from training.split.split import Rows
from training.study.study import Study

OnEpoch = Callable[[str, Epoch], None]  # the fit's name (see FITS) and its newest epoch
FITS: Final = ("measuring", "easy split", "publishing", "learning curve")


@dataclass(frozen=True)
class Run:
    """A training run that is to be published.

    Attributes:
        measured: the fit that never saw the test customers.
        published: the fit that goes into the registry; the measured one unless it was fitted again.
        choice: what of the study's network was left out.
        metrics, curves: of the measured one and the baselines on the test examples, by horizon.
        verdict: whether the network beats them.
        splits: what other splits would have claimed.
        notes: what else the user should know.
        points: the learning curve; empty unless it was asked for.
    """

    study: Study
    prepared: Prepared
    audit: Audit
    measured: Fitted
    published: Fitted
    choice: Choice
    metrics: dict[str, Any]
    curves: dict[str, Any]
    verdict: Verdict
    splits: tuple[SplitFigure, ...]
    notes: tuple[str, ...]
    points: tuple[LearningPoint, ...] = ()


def run_study(
    study: Study,
    *,
    prepared: Prepared | None = None,
    with_learning_curve: bool = False,
    on_epoch: OnEpoch = lambda _fit, _epoch: None,
) -> Run:
    """Audit, fit and measure a study; nothing is published.

    The figures come from a model that never saw the test customers. With `fit.refit` the published
    model is fitted again, on all customers and dates; else it is the measured one.

    Args:
        prepared: the study's data, where they were read already.

    Raises:
        StudyError, DataError: the study or its data cannot be used, or a column states the label.
        DeviceError: the device is not on this machine.
    """
    prepared = prepared or prepare(study)
    found = audit(study, prepared)
    refuse_leaks(found)
    plan, reading, options = prepared.plan, _reading(study, prepared), _options(study)
    _check_folds(plan)
    known, everything = _asked(prepared, plan.measured_labels), _asked(prepared, plan.labels)

    def trial(tried: Reading) -> Fitted:
        return fit_model(known, plan.measured, tried, options, on_epoch=partial(on_epoch, FITS[0]))

    if study.network.choose:
        reading, measured, choice = choose(known, plan, reading, trial)
    else:
        measured, choice = trial(reading), Choice()
    measured = distilled(measured, known, plan.measured.rows, options)

    def fit(asked: Asked, folds: Folds, *, on_epoch: Callable[[Epoch], None]) -> Fitted:
        bag = fit_model(asked, folds, reading, options, on_epoch=on_epoch)
        return distilled(bag, asked, folds.rows, options)

    answers, notes = _answers(prepared, measured.scorer, known, seed=study.fit.seed)
    easy = None
    if plan.easy and study.split.compare:
        easy = fit(everything, plan.easy.folds, on_epoch=partial(on_epoch, FITS[1])).scorer
    published = measured
    if study.fit.refit:
        published = fit(everything, plan.final, on_epoch=partial(on_epoch, FITS[2]))
    points: tuple[LearningPoint, ...] = ()
    if with_learning_curve:
        points = learning_curve(known, plan, fit, measured.scorer, on_epoch=partial(on_epoch, FITS[3]))
    metrics, curves, verdict = _measure(prepared, answers)
    return Run(
        study,
        prepared,
        found,
        measured,
        published,
        choice,
        metrics,
        curves,
        verdict,
        _splits(prepared, measured.scorer, easy),
        notes,
        points,
    )


def _answers(
    prepared: Prepared, scorer: Scorer, known: Asked, *, seed: int
) -> tuple[dict[str, Probabilities], tuple[str, ...]]:
    """What the network and each baseline say about the test examples."""
    plan, since = prepared.plan, prepared.plan.held_out.since
    baselines = baseline_probabilities(
        known,
        plan.measured,
        plan.test,
        scorer.schema,
        prepared.task,
        until=int(since) if since is not None and prepared.question else prepared.as_of,
        seed=seed,
    )
    return {MODEL: ask_rows(scorer, prepared, plan.test), **baselines.probabilities}, baselines.notes


def _measure(
    prepared: Prepared, answers: dict[str, Probabilities]
) -> tuple[dict[str, Any], dict[str, Any], Verdict]:
    plan = prepared.plan
    labels, groups = plan.labels.take(plan.test), plan.groups[plan.test]
    rates = base_rates(plan.measured_labels.take(plan.measured.rows))
    names = prepared.task.output_names
    metrics, curves = measure_horizons(names, labels, answers, rates, groups)
    complete = labels.complete[:, -1]
    last = {who: p[complete, -1] for who, p in answers.items()}
    last[BASE_RATE] = np.full(int(complete.sum()), rates[-1])
    y = labels.outcomes[complete, -1].astype(np.float64)
    return metrics, curves, judge(y, last, metrics[list(metrics)[-1]], groups[complete])


def _splits(prepared: Prepared, scorer: Scorer, easy: Scorer | None) -> tuple[SplitFigure, ...]:
    """The easy split's figure first, ours last."""
    plan = prepared.plan
    figures = []
    if easy is not None and plan.easy is not None:
        figures.append(("shuffled", easy, plan.easy.test, plan.labels.take(plan.easy.folds.rows)))
    train = plan.measured_labels.take(plan.measured.rows)
    seen = np.isin(plan.groups[plan.seen_later], plan.groups[plan.measured.rows])
    figures.append(("forward", scorer, plan.seen_later[seen], train))
    if plan.kind == "time":
        new = ~np.isin(plan.groups[plan.test], plan.groups[plan.measured.rows])
        if not new.all():
            figures.append((_OURS["forward"], scorer, plan.test[new], train))
    figures.append((_OURS[plan.kind], scorer, plan.test, train))
    return tuple(
        split_figure(name, plan, rows, ask_rows(asked, prepared, rows), base_rates(labels)[-1])
        for name, asked, rows, labels in figures
        if plan.labels.complete[rows, -1].any()
    )


_OURS: Final = {
    "forward": "forward, unseen customers",
    "customers": "unseen customers, same dates",
    "rows": "shuffled, duplicates together",
    "groups": "unseen groups",
    "time": "forward",
}


def ask_rows(scorer: Scorer, prepared: Prepared, rows: Rows) -> Probabilities:
    """(N, K) probabilities of some of the plan's examples."""
    return scorer.score(prepared.dataset.columns, prepared.dataset.log, prepared.plan.examples.take(rows))


def _asked(prepared: Prepared, labels: Labels) -> Asked:
    return Asked(prepared.dataset.columns, prepared.dataset.log, prepared.plan.examples, labels)


def _reading(study: Study, prepared: Prepared) -> Reading:
    options = study.network.model_dump(exclude={"max_events", "choose"})
    return Reading(prepared.task, prepared.table, prepared.events, NetworkSpec(**options))


def _options(study: Study) -> Options:
    return Options(**study.fit.model_dump(exclude={"refit"}))


def _check_folds(plan: Plan) -> None:
    """Refuse what a network cannot learn from, or cannot be judged on."""
    labels, folds = plan.measured_labels, plan.measured
    if (fold := one_sided_fold(labels, folds)) is not None:
        read = folds.rows[folds.fold != fold]
        n_events = int((labels.events & labels.at_risk)[read].any(axis=1).sum())
        raise DataError(
            "training needs both outcomes without any one of its folds, however the "
            f"{len(folds.rows)} training examples hold {n_events} events without "
            f"fold {fold + 1}; bring more customers or lower split.test_fraction"
        )
    n_judged, n_test = int(folds.judged.sum()), len(plan.test)
    if not n_judged or not n_test:
        raise DataError(
            f"a split needs examples to stop on and to test on, however it has {n_judged} and {n_test}; "
            "bring more customers or change split.test_fraction"
        )
    if not plan.labels.complete[plan.test, -1].any():
        raise DataError(
            f"a test needs complete windows, however none of its {n_test} examples has one at the longest "
            "horizon; shorten target.horizons_days or set target.cutoffs.last"
        )
