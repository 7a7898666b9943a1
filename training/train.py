"""One training run: measure on held-out customers, fit the published model, publish a version."""

from collections.abc import Callable
from functools import partial
from typing import Any

from model.errors import DataError
from model.manifest import NetworkSpec
from model.registry import Registry
from model.scorer import Scorer
from training.labels import Labels
from training.loop import Epoch
from training.model_fit import Asked, Options, Reading, fit_model, refit_model
from training.plan import Plan
from training.prepare import Prepared, prepare
from training.publish import Trained, publish
from training.reporting.results import Run, base_rates, measure_horizons
from training.studies.study import Study

OnEpoch = Callable[[str, Epoch], None]  # the fit's name ("measuring", "publishing") and its newest epoch


def train(study: Study, registry: Registry, *, on_epoch: OnEpoch = lambda _fit, _epoch: None) -> Trained:
    """Train a study and publish the result as the next version of its name.

    The figures come from a model that never saw the test customers. With `fit.refit` the published
    model is fitted again, as long as that one, on all customers and dates but a slice for the
    calibration; else it is the measured one.

    Raises:
        StudyError, DataError: the study or its data cannot be used; nothing is published.
        DeviceError: the device is not on this machine.
        CheckpointError: the registry cannot be written.
    """
    prepared = prepare(study)
    plan, reading, options = prepared.plan, _reading(study, prepared), _options(study)
    _check_slices(plan)
    measured = fit_model(
        _asked(prepared, plan.measured_labels),
        plan.measured,
        reading,
        options,
        on_epoch=partial(on_epoch, "measuring"),
    )
    published = measured
    if study.fit.refit:
        published = refit_model(
            _asked(prepared, plan.labels),
            plan.final,
            reading,
            options,
            history=measured.history,
            on_epoch=partial(on_epoch, "publishing"),
        )
    metrics, curves = _measure(measured.scorer, prepared)
    return publish(Run(study, prepared, measured, published, metrics, curves), registry)


def _measure(scorer: Scorer, prepared: Prepared) -> tuple[dict[str, Any], dict[str, Any]]:
    plan, dataset = prepared.plan, prepared.dataset
    probabilities = scorer.score(dataset.columns, dataset.log, plan.examples.take(plan.test))
    rates = base_rates(plan.measured_labels.take(plan.measured.train))
    return measure_horizons(prepared.task.output_names, plan.labels.take(plan.test), probabilities, rates)


def _asked(prepared: Prepared, labels: Labels) -> Asked:
    return Asked(prepared.dataset.columns, prepared.dataset.log, prepared.plan.examples, labels)


def _reading(study: Study, prepared: Prepared) -> Reading:
    spec = NetworkSpec(**study.network.model_dump(exclude={"max_events"}))
    return Reading(prepared.task, prepared.table, prepared.events, spec)


def _options(study: Study) -> Options:
    return Options(**study.fit.model_dump(exclude={"refit"}))


def _check_slices(plan: Plan) -> None:
    """Refuse what a network cannot learn from, or cannot be judged on."""
    labels, train = plan.measured_labels, plan.measured.train
    events = (labels.events & labels.at_risk)[train]
    if not events.any() or events[labels.at_risk[train]].all():
        raise DataError(
            f"training needs both outcomes, however the {len(train)} training examples hold "
            f"{int(events.any(axis=1).sum())} events; bring more customers or lower split.test_fraction"
        )
    n_validation, n_test = len(plan.measured.validation), len(plan.test)
    if not n_validation or not n_test:
        raise DataError(
            f"a split needs examples to stop on and to test on, however it has {n_validation} and {n_test}; "
            "bring more customers or change split.test_fraction"
        )
