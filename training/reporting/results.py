"""What a training run found out, as the plain values of report.json."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from model.columns import Column, Texts
from model.hazard import Probabilities
from model.schema import CategoricalColumn, Schema
from model.scorer import Scorer
from model.times import format_instant
from training.labels import Labels
from training.loop import best_epoch
from training.model_fit import Fitted
from training.plan import Plan
from training.prepare import Prepared
from training.reporting.metrics import base_rate_metrics, curves, measure
from training.reporting.report import question
from training.studies.study import Study

LABEL: Final = "label"  # the one output of a column task, which has no horizon


FEW_POSITIVES: Final = 100


@dataclass(frozen=True)
class Run:
    """A training run that is to be published.

    Attributes:
        measured: the fit that never saw the test customers.
        published: the fit that goes into the registry; the measured one unless it was fitted again.
        metrics, curves: of the measured one on the test examples, by horizon.
    """

    study: Study
    prepared: Prepared
    measured: Fitted
    published: Fitted
    metrics: dict[str, Any]
    curves: dict[str, Any]


PUBLISHED: Final = {
    True: "The published model was then fitted again, as long as the measured one, on all customers and "
    "dates but a slice for its calibration.",
    False: "The published model is the measured one.",
}


def measure_horizons(
    output_names: tuple[str, ...], labels: Labels, probabilities: Probabilities, base_rates: list[float]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metrics beside the base rate's, and curves, by horizon.

    Args:
        labels: of the N test examples; a horizon is measured where its window is complete.
        probabilities: (N, K).
        base_rates: K shares of positives in training.
    """
    metrics, drawn = {}, {}
    for k, name in enumerate(output_names or (LABEL,)):
        complete = labels.complete[:, k]
        y, p = labels.outcomes[complete, k].astype(np.float64), probabilities[complete, k]
        if len(y):
            metrics[name] = {
                "model": asdict(measure(y, p)),
                "base_rate": asdict(base_rate_metrics(y, base_rates[k])),
            }
            drawn[name] = asdict(curves(y, p))
    return metrics, drawn


def base_rates(labels: Labels) -> list[float]:
    """K shares of positive outcomes where the window is complete; one half where none is."""
    known = labels.complete.sum(axis=0)
    positives = (labels.outcomes & labels.complete).sum(axis=0)
    return [p / n if n else 0.5 for p, n in zip(positives.tolist(), known.tolist(), strict=True)]


def build_report(run: Run) -> dict[str, Any]:
    """All of report.json but the version, which only publishing knows."""
    plan, scorer = run.prepared.plan, run.published.scorer
    return {
        "name": run.study.name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "study": run.study.model_dump(mode="json"),
        "task": scorer.task.model_dump(mode="json"),
        "question": question(scorer.task),
        "data": _data(run.prepared, scorer.schema),
        "examples": _examples(run.prepared),
        "split": _split(plan),
        "published": PUBLISHED[run.study.fit.refit],
        "metrics": run.metrics,
        "curves": run.curves,
        "fit": _fit(run.measured),
        "calibration": scorer.calibration.model_dump(mode="json"),
        "warnings": [*plan.warnings, *_warnings(scorer, run.metrics)],
    }


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


def _data(prepared: Prepared, schema: Schema) -> dict[str, Any]:
    dataset = prepared.dataset
    times = [None if t is None else format_instant(t) for t in (dataset.first_event, dataset.data_end)]
    return {
        "customers": len(dataset),
        "events": len(dataset.log.times) if dataset.log else None,
        "first_event": times[0],
        "last_event": times[1],
        "read": [*dataset.notes, *prepared.kinds.notes],
        "left_out": [{"column": c, "reason": r} for c, r in prepared.kinds.left_out.items()],
        "columns": [*_table_columns(schema, dataset.columns), *_event_fields(schema)],
    }


def _table_columns(schema: Schema, columns: Mapping[str, Column]) -> list[dict[str, Any]]:
    told = []
    for column in schema.columns:
        if isinstance(column, CategoricalColumn):
            detail = f"{len(column.vocabulary)} categories"
        else:
            detail = f"{column.scaling.low:g} to {column.scaling.high:g}, median {column.scaling.median:g}"
        told.append(_column(column.name, column.kind, columns[column.name], detail))
    for series in schema.series:
        told += [
            _column(name, "series", columns[name], f"a step of {series.name}") for name in series.columns
        ]
    return told


def _column(name: str, kind: str, column: Column, detail: str) -> dict[str, Any]:
    missing = column.codes < 0 if isinstance(column, Texts) else np.isnan(column)
    return {"name": name, "kind": kind, "missing_share": float(missing.mean()), "detail": detail}


def _event_fields(schema: Schema) -> list[dict[str, Any]]:
    if schema.events is None:
        return []
    names = [f.name for f in schema.events.features]
    fields = [
        (v.name, "event value", f"{v.scaling.low:g} to {v.scaling.high:g}") for v in schema.events.values
    ]
    fields += [
        (c.name, "event category", f"{len(c.vocabulary)} categories") for c in schema.events.categories
    ]
    fields.append(("history", f"{len(names)} aggregates", ", ".join(names)))
    return [{"name": n, "kind": k, "missing_share": 0.0, "detail": d} for n, k, d in fields]


def _examples(prepared: Prepared) -> list[dict[str, Any]]:
    """Eligible customers and positives of each cutoff of a log study."""
    plan, names = prepared.plan, prepared.task.output_names
    if not names:
        return []
    test = set(plan.examples.cutoffs[plan.test].tolist())
    told = []
    for cutoff in np.unique(plan.examples.cutoffs).tolist():
        at = plan.labels.take(plan.examples.cutoffs == cutoff)
        known = {n: k for k, n in enumerate(names) if at.complete[:, k].all()}
        role = (
            "test"
            if cutoff in test
            else "train"
            if plan.measured_labels.at_risk[plan.examples.cutoffs == cutoff].any()
            else "published model only"
        )
        told.append(
            {
                "cutoff": format_instant(cutoff),
                "eligible": len(at),
                "positives": {n: int(at.outcomes[:, k].sum()) for n, k in known.items()},
                "role": role,
            }
        )
    return told


def _split(plan: Plan) -> dict[str, Any]:
    slices = plan.measured
    return {
        "kind": plan.kind,
        "sentence": plan.sentence,
        "train": len(slices.train),
        "validation": len(slices.validation),
        "calibration": len(slices.calibration),
        "test": len(plan.test),
    }


def _fit(fitted: Fitted) -> dict[str, Any]:
    return {
        "head": fitted.scorer.spec.head,
        "device": str(fitted.scorer.device),
        "epochs": len(fitted.history),
        "best_epoch": best_epoch(fitted.history),
        "seconds": round(fitted.seconds, 3),
        "history": [asdict(e) for e in fitted.history],
        "parameters": sum(p.numel() for p in fitted.scorer.network.parameters()),
    }
