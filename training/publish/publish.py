"""Publishing: a training run becomes a version in the registry, with manifest, reports and weights."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import CheckpointError
from model.ledger.ledger import erased_of
from model.scorer import Scorer
from model.store.checkpoint import write_checkpoint
from model.store.golden import synthetic_rows
from model.store.manifest import Golden, Manifest
from model.store.registry import Registry
from model.times import format_instant
from model.values.rows import customers_from_rows
from training.prepare import prepare
from training.publish.decision import Decision
from training.publish.measured import measured_files
from training.report.card import render_card
from training.report.page import render_html
from training.report.report import Report
from training.report.results import build_report
from training.run.run import OnEpoch, Run, run_study
from training.study.study import Study


@dataclass(frozen=True)
class Trained:
    """A published version.

    Attributes:
        champion: the version in service now; None if there is none.
        report: the content of report.json.
    """

    name: str
    version: int
    champion: int | None
    folder: Path
    report: Report


def train(
    study: Study,
    registry: Registry,
    *,
    with_learning_curve: bool = False,
    on_epoch: OnEpoch = lambda _fit, _epoch: None,
) -> Trained:
    """Train a study and publish the result as the next version of its name.

    Raises:
        StudyError, DataError: the study or its data cannot be used; nothing is published.
        DeviceError: the device is not on this machine.
        CheckpointError: the registry cannot be written.
        LedgerError: customers are erased, and the key that says which is not there.
    """
    prepared = prepare(study, erased=erased_of(registry.root, study.name, os.environ))
    run = run_study(study, prepared=prepared, with_learning_curve=with_learning_curve, on_epoch=on_epoch)
    return publish(run, registry)


def publish(run: Run, registry: Registry, *, decision: Decision | None = None) -> Trained:
    """Publish a run as the next version of its study's name; the first that may serve becomes champion.

    A run with a fault (see `training.measure.verdict`) does not, unless the decision says so.

    Args:
        decision: about the run as a challenger, carried out and stored with it.

    Raises:
        CheckpointError: the registry cannot be written, or its champion has changed since the decision;
            nothing is published.
    """
    name, report = run.study.name, build_report(run)

    def write(folder: Path, version: int) -> None:
        report["version"] = version
        if decision is not None:
            _check_champion(registry, name, decision)
            report["decision"] = decision.facts(version if decision.promoted else decision.champion_was)
        extras = {
            "report.json": json.dumps(report, indent=1, allow_nan=False).encode(),
            "report.html": render_html(report).encode(),
            "card.md": render_card(report).encode(),
            **measured_files(run),
        }
        manifest = _manifest(run, version, report)
        write_checkpoint(folder, manifest, run.published.scorer.weights, extras)

    promote = decision.promoted if decision else False if run.verdict.fault else None
    version = registry.publish(name, write, promote=promote)
    return Trained(name, version, registry.champion(name), registry.folder(name, version), report)


def _check_champion(registry: Registry, name: str, decision: Decision) -> None:
    champion = registry.champion(name)
    if champion != decision.champion_was:
        raise CheckpointError(
            f"the champion of {name} must stay the same while a challenger is trained, got a change from "
            f"version {decision.champion_was} to {champion}. Retrain to compare with the new champion."
        )


def _manifest(run: Run, version: int, report: Mapping[str, Any]) -> Manifest:
    scorer = run.published.scorer
    return Manifest(
        name=run.study.name,
        version=version,
        created=report["created"],
        task=scorer.task,
        schema_=scorer.schema,
        network=scorer.spec,
        calibration=scorer.calibration,
        golden=_golden(scorer, run.prepared.as_of),
        groups=run.groups,
        changeable=run.study.reasons.changeable,
        metrics=run.metrics,
        provenance={**_provenance(run), "versions": report["versions"], "decision": report["decision"]},
    )


def _golden(scorer: Scorer, as_of: int) -> Golden:
    rows = synthetic_rows(scorer.schema, as_of)
    customers = customers_from_rows(rows, scorer.schema, as_of)
    probabilities = scorer.score(customers.columns, customers.log, customers.examples())
    return Golden(
        as_of=format_instant(as_of, scorer.schema.time_zone),
        customers=rows,
        probabilities=tuple(map(tuple, probabilities.tolist())),
    )


def _provenance(run: Run) -> dict[str, Any]:
    """The origin of the model: enough to train it again, and to know its data."""
    return {
        "study": run.study.model_dump(mode="json"),
        "folder": str(run.study.base.resolve()),
        "data_end": format_instant(run.prepared.as_of),
        "customers": len(run.prepared.dataset),
        "held_out": run.prepared.plan.held_out.model_dump(mode="json"),
        "refit": run.study.fit.refit,
        "device": run.published.scorer.device,
    }
