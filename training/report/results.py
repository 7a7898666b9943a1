"""The results of a training run as the plain values of report.json."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from model.files.names import counted
from model.schema import CategoricalColumn, Schema
from model.scorer import Scorer
from model.times import format_instant
from model.values.columns import Column, Texts
from model.values.history import EventLog
from training.fit.distill import distillation_sentence
from training.fit.loop import best_epoch
from training.fit.model_fit import Fitted
from training.prepare import Prepared
from training.report.report import ColumnRead, DataPart, FitPart, LeftOut, Report, SplitPart, question
from training.run.learning_curve import conclusion
from training.run.run import Run
from training.split.plan import Plan

FEW_POSITIVES: Final = 100

PUBLISHED: Final = {
    True: "The published model is fitted again on all examples.",
    False: "The published model is the measured one.",
}


def build_report(run: Run) -> Report:
    """Return report.json; publishing adds the version and the decision about a challenger."""
    plan, scorer = run.prepared.plan, run.published.scorer
    return {
        "name": run.study.name,
        "version": None,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "study": run.study.model_dump(mode="json"),
        "task": scorer.task.model_dump(mode="json"),
        "question": question(scorer.task),
        "data": _data(run.prepared, scorer.schema),
        "audit": {**run.audit.facts, "findings": [asdict(f) for f in run.audit.findings]},
        "split": _split(plan),
        "splits": [asdict(figure) for figure in run.splits],
        "published": PUBLISHED[run.study.fit.refit],
        "verdict": asdict(run.verdict),
        "decision": None,
        "metrics": run.metrics,
        "curves": run.curves,
        "choice": asdict(run.choice),
        "fit": _fit(run.measured, run.published),
        "calibration": scorer.calibration.model_dump(mode="json"),
        "learning_curve": [asdict(point) for point in run.points],
        "learning_conclusion": conclusion(run.points) if run.points else "",
        "warnings": [*plan.warnings, *_warnings(scorer, run.metrics), *run.notes],
    }


def _warnings(scorer: Scorer, metrics: dict[str, Any]) -> tuple[str, ...]:
    """Warnings beside those of the plan."""
    found = []
    if scorer.spec.reads_steps and not scorer.schema.events and not scorer.schema.series:
        found.append(
            f"The {scorer.spec.head} head has no events or sequences to read, so it reads the columns as a "
            "sequence. The mlp head is made for columns."
        )
    few = min((_rarer(m["model"]) for m in metrics.values()), default=0)
    if few < FEW_POSITIVES:
        found.append(
            f"The test has {counted(few, 'example')} of the rarer outcome. With fewer than {FEW_POSITIVES}, "
            "the figures are uncertain: see their intervals."
        )
    return tuple(found)


def _rarer(metrics: dict[str, Any]) -> int:
    return int(min(metrics["positives"], metrics["n"] - metrics["positives"]))


def what_was_read(prepared: Prepared) -> tuple[list[str], list[LeftOut]]:
    """Return the notes of reading, and the columns that no model reads."""
    left_out: list[LeftOut] = [{"column": c, "reason": r} for c, r in prepared.kinds.left_out.items()]
    return [*prepared.dataset.notes, *prepared.kinds.notes, *prepared.notes], left_out


def _data(prepared: Prepared, schema: Schema) -> DataPart:
    dataset = prepared.dataset
    ends, zone = (dataset.first_event, dataset.data_end), schema.time_zone
    times = [None if t is None else format_instant(t, zone) for t in ends]
    read, left_out = what_was_read(prepared)
    return {
        "customers": len(dataset),
        "events": len(dataset.log.times) if dataset.log else None,
        "first_event": times[0],
        "last_event": times[1],
        "read": read,
        "left_out": left_out,
        "columns": [*_table_columns(schema, dataset.columns), *_event_fields(schema, dataset.log)],
    }


def _table_columns(schema: Schema, columns: Mapping[str, Column]) -> list[ColumnRead]:
    read = []
    for column in schema.columns:
        if isinstance(column, CategoricalColumn):
            detail = f"{len(column.vocabulary)} categories"
        else:
            detail = f"{column.scaling.low:g} to {column.scaling.high:g}, median {column.scaling.median:g}"
        read.append(_column(column.name, column.kind, columns[column.name], detail))
    for series in schema.series:
        read += [
            _column(name, "series", columns[name], f"a step of {series.name}") for name in series.columns
        ]
    return read


def _column(name: str, kind: str, column: Column, detail: str) -> ColumnRead:
    missing = column.codes < 0 if isinstance(column, Texts) else np.isnan(column)
    return {"name": name, "kind": kind, "missing_share": float(missing.mean()), "detail": detail}


def _event_fields(schema: Schema, log: EventLog | None) -> list[ColumnRead]:
    if schema.events is None or log is None:
        return []
    read = []
    for value in schema.events.values:
        detail = f"{value.scaling.low:g} to {value.scaling.high:g}"
        read.append(_column(value.name, "event value", log.values[value.name], detail))
    for category in schema.events.categories:
        detail = f"{len(category.vocabulary)} categories"
        read.append(_column(category.name, "event category", log.categories[category.name], detail))
    names = [feature.name for feature in schema.events.features]
    kind = f"{len(names)} aggregates"
    return [*read, {"name": "history", "kind": kind, "missing_share": None, "detail": ", ".join(names)}]


def _split(plan: Plan) -> SplitPart:
    return {
        "kind": plan.kind,
        "sentence": plan.sentence,
        "train": len(plan.measured.rows),
        "judged": int(plan.measured.judged.sum()),
        "test": len(plan.test),
    }


def _fit(fitted: Fitted, published: Fitted) -> FitPart:
    return {
        "head": fitted.scorer.spec.head,
        "device": str(fitted.scorer.device),
        "epochs": len(fitted.history),
        "best_epoch": best_epoch(fitted.history),
        "seconds": round(fitted.seconds, 3),
        "seconds_published": round(published.seconds, 3),
        "validation_loss": round(fitted.validation_loss, 6),
        "history": [asdict(e) for e in fitted.history],
        "penalty": fitted.history[best_epoch(fitted.history) - 1].penalty,
        "parameters": sum(p.numel() for p in fitted.scorer.network.parameters()),
        "distillation": distillation_sentence(fitted),
    }
