"""One training run, up to publishing: audit, fits, baselines and figures."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np

from model.errors import DataError
from model.files.names import counted, listed
from model.probability import Probabilities
from model.schema import Schema
from model.store.manifest import InputGroup
from model.task import ColumnTask, ContractTask
from training.audit.audit import Audit, audit, refuse_leaks
from training.baselines.compare import Baselines, baseline_probabilities
from training.fairness.fairness import fairness_of_run
from training.fit.distill import distilled
from training.fit.loop import Epoch
from training.fit.model_fit import Fitted, ModelPlan, fit_model
from training.measure.measuring import BASE_RATE, MODEL, base_rates, measure_horizons
from training.measure.verdict import Verdict, judge
from training.prepare import Prepared, prepare
from training.question.labels import LabelledExamples, Labels
from training.reasons.drivers import drivers_of_run
from training.reasons.grouping import groups_of_run, unread_names
from training.run.choice import Choice, as_named, choose
from training.run.contacts import Contacts, reachable
from training.run.learning_curve import LearningPoint, learning_curve
from training.run.splits import DateFigure, SplitFigure, compare_dates, compare_splits, score_rows
from training.split.plan import Folds, Plan, one_sided_fold
from training.study.study import Study

OnEpoch = Callable[[str, Epoch], None]  # the name of the fit, one of FITS, and its newest epoch
FITS: Final = ("measuring", "shuffled split", "publishing", "learning curve")


@dataclass(frozen=True)
class Run:
    """A training run, ready to be published.

    Attributes:
        measured: the fit that never read the unseen customers.
        published: the fit for the registry; the measured one unless the study refits.
        metrics, curves: of the measured fit, the head that was not chosen and the baselines on the test
            examples, by horizon.
        verdict: the measured fit against the best baseline.
        splits: figures of the model under other splits.
        dates: figures of the model at each test date; empty where there is one.
        contacts: what contacting the likeliest customers of the test would have reached.
        notes: sentences about the baselines and the reasons.
        groups: the inputs of the published model that share a reason.
        drivers: what they do for the measured model, see `training.reasons.drivers`.
        fairness: the figures by group; None where the study names no groups.
        points: the learning curve; empty unless requested.
    """

    prepared: Prepared
    audit: Audit
    measured: Fitted
    published: Fitted
    choice: Choice
    metrics: dict[str, Any]
    curves: dict[str, Any]
    verdict: Verdict
    splits: tuple[SplitFigure, ...]
    dates: tuple[DateFigure, ...]
    contacts: Contacts
    notes: tuple[str, ...]
    groups: tuple[InputGroup, ...]
    drivers: dict[str, Any]
    fairness: dict[str, Any] | None = None
    points: tuple[LearningPoint, ...] = ()

    @property
    def study(self) -> Study:
        """The study of the run."""
        return self.prepared.study


def run_study(
    study: Study,
    *,
    prepared: Prepared | None = None,
    with_learning_curve: bool = False,
    on_epoch: OnEpoch = lambda _fit, _epoch: None,
) -> Run:
    """Audit, fit and measure a study; nothing is published.

    The figures come from fits that never read the customers they predict. With `fit.refit` the published
    model is fitted again on all customers and dates, else it is the measured one.

    Args:
        prepared: the study's data, if they were read already.

    Raises:
        StudyError, DataError: the study or its data cannot be used, or a column reveals the label.
        DeviceError: the device is not on this machine.
    """
    prepared = prepared or prepare(study)
    found = audit(prepared)
    refuse_leaks(found)
    plan, options = prepared.plan, study.fit
    model = ModelPlan(prepared.task, prepared.fields, study.network.spec)
    _check_folds(plan)
    known, everything = _labelled(prepared, plan.measured_labels), _labelled(prepared, plan.labels)

    def trial(tried: ModelPlan, folds: Folds) -> Fitted:
        asked = plan.seen if folds is plan.measured else None
        return fit_model(known, folds, tried, options, on_epoch=partial(on_epoch, FITS[0]), asked=asked)

    chosen = choose(known, plan, model, trial) if study.network.choose else as_named(plan, model, trial)
    model, measured = chosen.best.model, distilled(chosen.best.fitted, options)

    def fit(labelled: LabelledExamples, folds: Folds, *, on_epoch: Callable[[Epoch], None]) -> Fitted:
        bag = fit_model(labelled, folds, model, options, on_epoch=on_epoch)
        return distilled(bag, options)

    baselines = _baselines(prepared, measured.scorer.schema, known)
    answers = {MODEL: _answers(prepared, measured)}
    if chosen.other is not None:
        answers[chosen.other.model.spec.head] = _answers(prepared, chosen.other.fitted)
    shuffled = None
    if plan.shuffled and study.split.compare:
        one = replace(model, spec=model.spec.model_copy(update={"folds": 1}))
        progress = partial(on_epoch, FITS[1])
        shuffled = fit_model(everything, plan.shuffled.folds.first, one, options, on_epoch=progress).scorer
    published = measured
    if options.refit:
        published = fit(everything, plan.final, on_epoch=partial(on_epoch, FITS[2]))
    points: tuple[LearningPoint, ...] = ()
    if with_learning_curve:
        points = learning_curve(known, plan, fit, measured.scorer, on_epoch=partial(on_epoch, FITS[3]))
    metrics, curves, verdict = _measure(prepared, answers, baselines, chosen.choice)
    splits = compare_splits(prepared, measured.scorer, shuffled, answers[MODEL])
    fits, figures = (measured, published, chosen.choice), (metrics, curves, verdict)
    dates = compare_dates(prepared, answers[MODEL])
    contacts, fair = reachable(prepared, answers[MODEL]), fairness_of_run(prepared, answers[MODEL])
    groups = groups_of_run(prepared, published.scorer)
    why = drivers_of_run(prepared, measured.scorer, groups)
    tests = (splits, dates, contacts)
    notes = (*baselines.notes, *unread_names(published.scorer, study.reasons.groups))
    return Run(prepared, found, *fits, *figures, *tests, notes, groups, why, fair, points)


def _answers(prepared: Prepared, fitted: Fitted) -> Probabilities:
    """(M, K) probabilities of the test examples: of the fit, or out of fold for a customer that it read."""
    plan = prepared.plan
    answers = np.empty((len(plan.test), prepared.task.n_outputs))
    answers[plan.test_fold < 0] = score_rows(fitted.scorer, prepared, plan.unseen)
    if fitted.asked is not None:
        answers[plan.test_fold >= 0] = fitted.asked
    return answers


def _baselines(prepared: Prepared, schema: Schema, known: LabelledExamples) -> Baselines:
    plan, since = prepared.plan, prepared.plan.held_out.since
    return baseline_probabilities(
        known,
        plan.measured,
        plan.test,
        plan.test_fold,
        schema,
        prepared.task,
        until=int(since) if since is not None and prepared.question else prepared.as_of,
        seed=prepared.study.fit.seed,
    )


def _measure(
    prepared: Prepared, answers: dict[str, Probabilities], baselines: Baselines, choice: Choice
) -> tuple[dict[str, Any], dict[str, Any], Verdict]:
    """Measure the model, the head that was not chosen, and the baselines; the verdict is on the baselines."""
    plan = prepared.plan
    labels, groups = plan.labels.take(plan.test), plan.groups[plan.test]
    rates = base_rates(plan.measured_labels.take(plan.measured.rows))
    everyone = {**answers, **baselines.probabilities}
    metrics, curves = measure_horizons(prepared.task.output_names, labels, everyone, rates, groups)
    complete = labels.complete[:, -1]
    compared = {MODEL: answers[MODEL], **baselines.probabilities}
    last = {name: p[complete, -1] for name, p in compared.items()}
    last[BASE_RATE] = np.full(int(complete.sum()), rates[-1])
    verdict = judge(
        labels.outcomes[complete, -1].astype(np.float64),
        last,
        metrics[list(metrics)[-1]],
        groups[complete],
        published=choice.sentence,
        check=_what_to_check(prepared),
    )
    return metrics, curves, verdict


def _what_to_check(prepared: Prepared) -> str:
    """The parts of a study that are wrong where the test is unlike training."""
    task, time = prepared.task, prepared.study.split.time
    if isinstance(task, ColumnTask):
        by_time = f", and the rows with the latest {time!r} (split.time)" if time else ""
        return f"the values of {task.column!r} (target.positive){by_time}"
    until = "that the data are whole up to their end (target.observed_until)"
    if isinstance(task, ContractTask):
        return f"{until}, and that {task.ends!r} is empty where a contract still runs"
    return f"{until}, and that the events are the right ones (target.event)"


def _labelled(prepared: Prepared, labels: Labels) -> LabelledExamples:
    return LabelledExamples(prepared.dataset.columns, prepared.dataset.log, prepared.plan.examples, labels)


def refusals(prepared: Prepared, found: Audit) -> list[str]:
    """Return why these data would not be trained on: leaks, or too few examples; empty if they would be."""
    reasons = []
    if found.leaks:
        names = dict.fromkeys(str(leak.column) for leak in found.leaks)
        reasons.append(f"{counted(len(names), 'column')} must not reveal the label: {listed(names)}.")
    try:
        _check_folds(prepared.plan)
    except DataError as error:
        reasons.append(str(error))
    return reasons


def _check_folds(plan: Plan) -> None:
    """Refuse examples that a network cannot learn from, or cannot be tested on.

    Raises:
        DataError: one outcome only, nobody to judge or to test, or no complete window.
    """
    labels, folds = plan.measured_labels, plan.measured
    if (fold := one_sided_fold(labels, folds)) is not None:
        read = folds.rows[folds.fold != fold]
        n_events = int((labels.events & labels.at_risk)[read].any(axis=1).sum())
        raise DataError(
            f"training must have both outcomes without any one fold, got {counted(n_events, 'event')} among "
            f"{len(folds.rows):,} training examples without fold {fold + 1}. Add customers, or lower "
            "split.test_fraction."
        )
    n_judged, n_test = int(folds.judged.sum()), len(plan.test)
    if not n_judged or not n_test:
        raise DataError(
            f"a split must have examples for early stopping and for the test, got {n_judged} and {n_test}. "
            "Add customers, or change split.test_fraction."
        )
    if not plan.labels.complete[plan.test, -1].any():
        raise DataError(
            f"a test must have complete windows at the longest horizon, got none in {n_test} examples. "
            "Shorten target.horizons_days, or set target.cutoffs.last."
        )
