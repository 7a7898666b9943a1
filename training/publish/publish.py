"""A training run into the registry: manifest, golden customers, reports, weights; all or nothing."""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.errors import CheckpointError
from model.scorer import Scorer
from model.store.checkpoint import write_checkpoint
from model.store.golden import synthetic_rows
from model.store.manifest import Golden, Manifest
from model.store.registry import Registry
from model.times import format_instant
from model.values.rows import customers_from_rows
from training.publish.decision import Decision
from training.publish.twin import twin_files
from training.report.report import Report, render_html
from training.report.results import build_report
from training.run.run import Run


@dataclass(frozen=True)
class Trained:
    """A published version.

    Attributes:
        champion: the version in service now; None where there is none.
        report: what report.json holds.
    """

    name: str
    version: int
    champion: int | None
    folder: Path
    report: Report


def publish(run: Run, registry: Registry, *, decision: Decision | None = None) -> Trained:
    """Publish a run as the next version of its study's name; the first becomes champion.

    Args:
        decision: what became of the run as a challenger, to be kept with it. Promoting is the caller's.

    Raises:
        CheckpointError: the registry cannot be written, or its champion is not the one that the decision
            is about; nothing is left behind.
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
            **twin_files(run),
        }
        manifest = _manifest(run, version, report)
        write_checkpoint(folder, manifest, run.published.scorer.network.state_dict(), extras)

    version = registry.publish(name, write)
    return Trained(name, version, registry.champion(name), registry.folder(name, version), report)


def _check_champion(registry: Registry, name: str, decision: Decision) -> None:
    champion = registry.champion(name)
    if champion != decision.champion_was:
        raise CheckpointError(
            f"the champion of {name} must stay while a challenger is trained, however it was "
            f"{decision.champion_was} and is {champion}; retrain to compare with that one"
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
        metrics=run.metrics,
        provenance={**_provenance(run), "decision": report["decision"]},
    )


def _golden(scorer: Scorer, as_of: int) -> Golden:
    rows = synthetic_rows(scorer.schema, as_of)
    customers = customers_from_rows(rows, scorer.schema, as_of)
    answers = scorer.score(customers.columns, customers.log, customers.examples())
    return Golden(
        as_of=format_instant(as_of, scorer.schema.time_zone),
        customers=rows,
        probabilities=tuple(map(tuple, answers.tolist())),
    )


def _provenance(run: Run) -> dict[str, Any]:
    """Where the model comes from: enough to train it again, and to know what it has seen."""
    return {
        "study": run.study.model_dump(mode="json"),
        "folder": str(run.study.base.resolve()),
        "data_end": format_instant(run.prepared.as_of),
        "customers": len(run.prepared.dataset),
        "held_out": run.prepared.plan.held_out.model_dump(mode="json"),
        "refit": run.study.fit.refit,
        "device": str(run.published.scorer.device),
        "versions": {
            "propense": package_version("propense"),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }
