"""A published model measured on labelled files."""

from pathlib import Path
from typing import Any

import numpy as np

from model.errors import DataError
from model.files.dataset import Dataset
from model.files.names import listed
from model.files.source import open_source
from model.predictor import Predictions, Predictor
from model.scoring.as_of import AsOf, LaterDates, today
from model.scoring.eligible import event_types
from model.scoring.log_blocks import read_for
from model.scoring.misread import Misread
from model.scoring.repeats import Repeats
from model.scoring.unusual import Unusual
from model.store.manifest import Manifest
from model.task import ColumnTask, ContractTask, LogTask
from model.times import format_instant
from model.values.customers import Examples
from training.fairness.fairness import measure_fairness
from training.measure.measuring import MODEL, base_rates, measure_horizons
from training.question.eligibility import count_eligible, tally
from training.question.label_column import LabelColumn, read_label
from training.question.labels import Labels, compile_labels, latest_complete_cutoff
from training.question.question import Question, contract_question, log_question
from training.question.timeline import group_numbers
from training.study.sections import FairnessOptions
from training.study.study import stored_study


def evaluate_files(
    predictor: Predictor,
    *,
    customers: Path | None,
    events: Path | None,
    as_of: AsOf | None = None,
    until: int | None = None,
) -> dict[str, Any]:
    """Measure a model on files with outcomes.

    Args:
        as_of: the instant of the prediction; by default the latest with a complete longest window, or today
            for a table.
        until: the last observed instant as the study states it; None to read it off the files.

    Returns:
        `as_of`, where it comes from, `metrics` as in the report, beside those of the files' base rate,
        `fairness` as there, by the columns that the files have, and `notes` on what was read otherwise than
        it stands there.

    Raises:
        DataError: the files cannot be used, or have no outcomes.
    """
    task, zone = predictor.manifest.task, predictor.manifest.schema_.time_zone
    fairness, lacking = _fairness_columns(predictor, customers)
    also = fairness.groups
    if not isinstance(task, ColumnTask):
        dataset = read_for(predictor.manifest.schema_, customers, events, also=[*task.columns, *also])
        question = question_of(predictor.manifest, task, dataset, until)
        notes = list(question.notes)
        source = "the latest with a complete window"
        at = as_of or AsOf(latest_complete_cutoff(task, question.data_end, zone), source)
        examples, labels, scored = _score_windows(predictor, question, dataset, at.instant)
    else:
        dataset = read_for(predictor.manifest.schema_, customers, events, also=[task.column, *also])
        at = as_of or today(zone)
        label = read_label(dataset.columns, task)
        notes = list(label.notes)
        examples, labels, scored = _score_table(predictor, label, dataset, at.instant)
    notes += [*dataset.notes, *lacking, *_notes(predictor, dataset, at, scored)]
    rates, groups = base_rates(labels), group_numbers(dataset.ids)[examples.customers]
    metrics, _ = measure_horizons(task.output_names, labels, {MODEL: scored.probabilities}, rates, groups)
    when = {"as_of": format_instant(at.instant, zone), "as_of_from": at.source}
    fair = None
    if fairness.groups:
        fair = measure_fairness(
            fairness,
            dataset,
            examples,
            labels,
            scored.probabilities,
            horizons=task.output_names,
            zone=zone,
            read=predictor.manifest.schema_.column_names,
        )
    return {**when, "metrics": metrics, "fairness": fair, "notes": notes}


def _fairness_columns(predictor: Predictor, customers: Path | None) -> tuple[FairnessOptions, list[str]]:
    """The groups of the study by columns that the customer file has, and a note on those that it lacks."""
    options = stored_study(predictor.manifest.provenance).fairness
    there = open_source(customers).names if customers and options.groups else ()
    lacking = [name for name in options.groups if name not in there]
    notes = [f"no fairness by {listed(lacking)}, which the files lack."] if lacking else []
    kept = tuple(name for name in options.groups if name in there)
    return options.model_copy(update={"groups": kept}), notes


def _notes(predictor: Predictor, dataset: Dataset, at: AsOf, scored: Predictions) -> list[str]:
    """What the model cannot read of these customers, and what training never saw."""
    task, schema = predictor.manifest.task, predictor.manifest.schema_
    repeats, misread, unusual = Repeats(task, schema), Misread(schema), Unusual(schema)
    later = LaterDates(schema.date_formats, at, schema.time_zone)
    ids = dataset.columns.get(schema.id) if schema.id and dataset.log is None else None
    repeats.add(dataset.columns, len(dataset), ids, dataset.log)
    misread.add(dataset.columns)
    later.add(dataset.columns)
    unusual.add(scored, dataset.log)
    return [*repeats.notes(), *misread.notes(), *later.notes(), *unusual.notes()]


def question_of(
    manifest: Manifest, task: LogTask | ContractTask, dataset: Dataset, until: int | None
) -> Question:
    """Return the model's task with the timeline of these files.

    Args:
        until: the last observed instant; None to read it off the files.
    """
    types, zone = event_types(manifest.schema_, dataset.log), manifest.schema_.time_zone
    if isinstance(task, ContractTask):
        return contract_question(dataset, task, types, zone, until=until, settled=True)
    return log_question(dataset, task, types, zone, terminal=task.terminal, until=until)


def _score_windows(
    predictor: Predictor, question: Question, dataset: Dataset, instant: int
) -> tuple[Examples, Labels, Predictions]:
    zone = predictor.manifest.schema_.time_zone
    eligible = count_eligible(question.timeline, question.task, [instant])
    examples = eligible.examples
    if not len(examples):
        raise DataError(
            f"a customer must be eligible at {format_instant(instant, zone)}, got none: "
            f"{tally(question.task, eligible.counts[0])}. Name another date with --as-of."
        )
    labels = compile_labels(question.timeline, question.task, examples, data_end=question.data_end)
    if not labels.complete.any():
        raise DataError(
            f"a window from {format_instant(instant, zone)} must be complete, got data up to "
            f"{format_instant(question.data_end, zone)}. Name an earlier date with --as-of."
        )
    return examples, labels, predictor.predict_examples(dataset.columns, dataset.log, examples)


def _score_table(
    predictor: Predictor, label: LabelColumn, dataset: Dataset, instant: int
) -> tuple[Examples, Labels, Predictions]:
    rows = np.flatnonzero(label.labelled)
    examples = Examples(rows, np.full(len(rows), instant, dtype=np.int64))
    labels = Labels.of_column(label.positive[rows])
    return examples, labels, predictor.predict_examples(dataset.columns, dataset.log, examples)
