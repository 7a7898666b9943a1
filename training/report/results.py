"""The results of a training run as the plain values of report.json."""

import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version as package_version
from typing import Any, Final

import numpy as np
import torch

from model.files.names import counted
from model.schema import Schema
from model.scorer import Scorer
from model.times import format_instant
from training.fit.distill import distillation_sentence
from training.fit.loop import best_epoch
from training.fit.model_fit import Fitted
from training.prepare import Prepared
from training.report.headline import made_title, of_whom
from training.report.report import DataPart, FitPart, Report, SplitPart, question
from training.run.learning_curve import conclusion
from training.run.run import Run
from training.schema.column_facts import ColumnFacts
from training.split.deal import Rows

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
        "title": run.study.title or made_title(scorer.task),
        "study": run.study.model_dump(mode="json"),
        "task": scorer.task.model_dump(mode="json"),
        "question": question(scorer.task),
        "of_whom": of_whom(scorer.task),
        "data": _data(run.prepared, scorer.schema),
        "audit": {**run.audit.facts, "findings": [asdict(f) for f in run.audit.findings]},
        "split": _split(run.prepared),
        "splits": [asdict(figure) for figure in run.splits],
        "published": PUBLISHED[run.study.fit.refit],
        "verdict": asdict(run.verdict),
        "decision": None,
        "metrics": run.metrics,
        "dates": [asdict(figure) for figure in run.dates],
        "contacts": asdict(run.contacts),
        "drivers": run.drivers,
        "fairness": run.fairness,
        "curves": run.curves,
        "choice": asdict(run.choice),
        "fit": _fit(run.measured, run.published),
        "calibration": scorer.calibration.model_dump(mode="json"),
        "learning_curve": [asdict(point) for point in run.points],
        "learning_conclusion": conclusion(run.points) if run.points else "",
        "warnings": [*plan.warnings, *_warnings(scorer, run.metrics), *run.notes],
        "versions": {
            "propense": package_version("propense"),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
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


def what_was_read(prepared: Prepared) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the notes of reading, and the `ColumnFacts` of every column."""
    notes = [*prepared.dataset.notes, *prepared.kinds.notes, *prepared.notes]
    return notes, [asdict(column) for column in prepared.columns]


def _data(prepared: Prepared, schema: Schema) -> DataPart:
    dataset = prepared.dataset
    ends, zone = (dataset.first_event, dataset.data_end), schema.time_zone
    times = [None if t is None else format_instant(t, zone) for t in ends]
    read, columns = what_was_read(prepared)
    return {
        "customers": len(dataset),
        "events": len(dataset.log.times) if dataset.log else None,
        "first_event": times[0],
        "last_event": times[1],
        "read": read,
        "columns": [*columns, *_aggregates(schema)],
    }


def _aggregates(schema: Schema) -> list[dict[str, Any]]:
    """The aggregates of the events, in one row; none without a log."""
    if schema.events is None:
        return []
    names = [feature.name for feature in schema.events.features]
    return [asdict(ColumnFacts("history", counted(len(names), "aggregate"), "", None, ", ".join(names)))]


def _split(prepared: Prepared) -> SplitPart:
    plan = prepared.plan
    return {
        "kind": plan.kind,
        "sentence": plan.sentence,
        "train": len(plan.measured.rows),
        "judged": int(plan.measured.judged.sum()),
        "test": len(plan.test),
        "held_out": len(plan.unseen),
        "test_customers": _n_customers(prepared, plan.test),
        "held_out_customers": _n_customers(prepared, plan.unseen),
    }


def _n_customers(prepared: Prepared, rows: Rows) -> int:
    ids = prepared.dataset.ids
    return len({ids[customer] for customer in prepared.plan.examples.customers[rows].tolist()})


def _fit(fitted: Fitted, published: Fitted) -> FitPart:
    return {
        "head": fitted.scorer.spec.head,
        "device": fitted.scorer.device,
        "epochs": len(fitted.history),
        "best_epoch": best_epoch(fitted.history),
        "seconds": round(fitted.seconds, 3),
        "seconds_published": round(published.seconds, 3),
        "validation_loss": round(fitted.validation_loss, 6),
        "history": [asdict(e) for e in fitted.history],
        "penalty": fitted.history[best_epoch(fitted.history) - 1].penalty,
        "parameters": sum(weight.size for weight in fitted.scorer.weights.values()),
        "distillation": distillation_sentence(fitted),
    }
