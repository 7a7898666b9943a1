"""A training run into the registry: manifest, golden customers, reports, weights; all or nothing."""

import json
import platform
from dataclasses import dataclass
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.checkpoint import write_checkpoint
from model.golden import made_up_rows
from model.manifest import Golden, Manifest
from model.registry import Registry
from model.rows import customers_from_rows
from model.scorer import Scorer
from model.times import format_instant
from training.reporting.report import render_html
from training.reporting.results import Run, build_report


@dataclass(frozen=True)
class Trained:
    """A published version.

    Attributes:
        champion: the version in service now.
        report: what report.json holds.
    """

    name: str
    version: int
    champion: int
    folder: Path
    report: dict[str, Any]


def publish(run: Run, registry: Registry) -> Trained:
    """Publish a run as the next version of its study's name; the first becomes champion.

    Raises:
        CheckpointError: the registry cannot be written; nothing is left behind.
    """
    name, report = run.study.name, build_report(run)

    def write(folder: Path, version: int) -> None:
        report["version"] = version
        extras = {
            "report.json": json.dumps(report, indent=1, allow_nan=False).encode(),
            "report.html": render_html(report).encode(),
        }
        manifest = _manifest(run, version, report["created"])
        write_checkpoint(folder, manifest, run.published.scorer.network.state_dict(), extras)

    version = registry.publish(name, write)
    return Trained(name, version, registry.resolve(name, None), registry.folder(name, version), report)


def _manifest(run: Run, version: int, created: str) -> Manifest:
    scorer = run.published.scorer
    return Manifest(
        name=run.study.name,
        version=version,
        created=created,
        task=scorer.task,
        schema_=scorer.schema,
        network=scorer.spec,
        calibration=scorer.calibration,
        golden=_golden(scorer, run.prepared.as_of),
        metrics=run.metrics,
        provenance=_provenance(run),
    )


def _golden(scorer: Scorer, as_of: int) -> Golden:
    rows = made_up_rows(scorer.schema, as_of)
    customers = customers_from_rows(rows, scorer.schema, as_of)
    answers = scorer.score(customers.columns, customers.log, customers.examples())
    return Golden(
        as_of=format_instant(as_of), customers=rows, probabilities=tuple(map(tuple, answers.tolist()))
    )


def _provenance(run: Run) -> dict[str, Any]:
    """Where the model comes from: enough to train it again, and to know what it has seen."""
    return {
        "study": run.study.model_dump(mode="json"),
        "folder": str(run.study.base.resolve()),
        "data_end": format_instant(run.prepared.as_of),
        "customers": len(run.prepared.dataset),
        "split": run.prepared.plan.kind,
        "refit": run.study.fit.refit,
        "device": str(run.published.scorer.device),
        "versions": {
            "propense": package_version("propense"),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }
