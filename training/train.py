"""One training run: measure on held-out customers, fit the published model, publish a version."""

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from model.checkpoint import write_checkpoint
from model.errors import DataError
from model.golden import made_up_rows
from model.manifest import Golden, Manifest, NetworkSpec
from model.registry import Registry
from model.rows import customers_from_rows
from model.scorer import Scorer
from model.times import format_instant
from training.labels import Labels
from training.loop import Epoch
from training.model_fit import Asked, Fitted, Options, Reading, fit_model, refit_model
from training.plan import Plan
from training.prepare import Prepared, prepare
from training.reporting.report import render_html
from training.reporting.results import base_rates, build_report, measured
from training.studies.study import Study

OnEpoch = Callable[[str, Epoch], None]  # the fit's name ("measuring", "publishing") and its newest epoch

FEW_POSITIVES: Final = 100


@dataclass(frozen=True)
class Trained:
    """A published version."""

    name: str
    version: int
    champion: int
    folder: Path
    report: dict[str, Any]


def train(study: Study, registry: Registry, *, on_epoch: OnEpoch = lambda _fit, _epoch: None) -> Trained:
    """Train a study and publish the result as the next version of its name.

    The figures come from a model that never saw the test customers. With `fit.refit` the published
    model is fitted again, as long as that one, on all customers and dates but a slice for the
    calibration; else it is the measured one.

    Raises:
        StudyError, DataError: the study or its data cannot be used; nothing is published.
    """
    prepared = prepare(study)
    plan, reading, options = prepared.plan, _reading(study, prepared), _options(study)
    _check_slices(plan)
    judged = fit_model(
        _asked(prepared, plan.measured_labels),
        plan.measured,
        reading,
        options,
        on_epoch=partial(on_epoch, "measuring"),
    )
    final = judged
    if study.fit.refit:
        final = refit_model(
            _asked(prepared, plan.labels),
            plan.final,
            reading,
            options,
            history=judged.history,
            on_epoch=partial(on_epoch, "publishing"),
        )
    metrics, drawn = _judge(judged, prepared)
    return _publish(study, registry, prepared, judged, final, metrics, drawn)


def _judge(judged: Fitted, prepared: Prepared) -> tuple[dict[str, Any], dict[str, Any]]:
    plan, dataset = prepared.plan, prepared.dataset
    probabilities = judged.scorer.score(dataset.columns, dataset.log, plan.examples.take(plan.test))
    rates = base_rates(plan.measured_labels.take(plan.measured.train))
    return measured(prepared.task.output_names, plan.labels.take(plan.test), probabilities, rates)


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


def _publish(
    study: Study,
    registry: Registry,
    prepared: Prepared,
    judged: Fitted,
    final: Fitted,
    metrics: dict[str, Any],
    drawn: dict[str, Any],
) -> Trained:
    created = datetime.now(UTC)
    reports: list[dict[str, Any]] = []

    def write(folder: Path, version: int) -> None:
        report = build_report(
            study,
            prepared,
            judged,
            final,
            metrics,
            drawn,
            version=version,
            created=created,
            warnings=_warnings(final.scorer, metrics),
        )
        reports.append(report)
        manifest = Manifest(
            name=study.name,
            version=version,
            created=report["created"],
            task=prepared.task,
            schema_=final.scorer.schema,
            network=final.scorer.spec,
            calibration=final.scorer.calibration,
            golden=_golden(final.scorer, prepared.as_of),
            metrics=metrics,
            provenance=_provenance(study, prepared, final),
        )
        extras = {
            "report.json": json.dumps(report, indent=1, allow_nan=False).encode(),
            "report.html": render_html(report).encode(),
        }
        write_checkpoint(folder, manifest, final.scorer.network.state_dict(), extras)

    version = registry.publish(study.name, write)
    champion = registry.champion(study.name)
    assert champion is not None
    return Trained(study.name, version, champion, registry.folder(study.name, version), reports[-1])


def _warnings(scorer: Scorer, metrics: dict[str, Any]) -> tuple[str, ...]:
    """What the user should know beside the plan's own warnings."""
    found = []
    if scorer.spec.reads_steps and not scorer.schema.events and not scorer.schema.series:
        found.append(
            f"The {scorer.spec.head} head found no events and no sequences, so it reads the columns one "
            "after another; the mlp head is made for that."
        )
    few = min((m["model"]["positives"] for m in metrics.values()), default=0)
    if few < FEW_POSITIVES:
        found.append(
            f"The test holds {few} positives; below {FEW_POSITIVES} its figures may be off by a good deal."
        )
    return tuple(found)


def _golden(scorer: Scorer, as_of: int) -> Golden:
    rows = made_up_rows(scorer.schema, as_of)
    customers = customers_from_rows(rows, scorer.schema, as_of)
    answers = scorer.score(customers.columns, customers.log, customers.examples())
    return Golden(
        as_of=format_instant(as_of), customers=rows, probabilities=tuple(map(tuple, answers.tolist()))
    )


def _provenance(study: Study, prepared: Prepared, final: Fitted) -> dict[str, Any]:
    """Where the model comes from: enough to train it again, and to know what it has seen."""
    return {
        "study": study.model_dump(mode="json"),
        "folder": str(study.base.resolve()),
        "data_end": format_instant(prepared.as_of),
        "customers": len(prepared.dataset),
        "split": prepared.plan.kind,
        "refit": study.fit.refit,
        "device": str(final.scorer.device),
        "versions": {
            "propense": package_version("propense"),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }
