"""A published model measured on labelled files: later months, another shop, last week's customers."""

from pathlib import Path
from typing import Any

import numpy as np

from model.customers import Examples
from model.errors import DataError
from model.hazard import Probabilities
from model.predictor import Predictor
from model.task import ColumnTask, LogTask
from model.times import format_instant
from training.files.dataset import Dataset
from training.labels import Labels, compile_labels, eligible_examples, latest_complete_cutoff
from training.plan_table import read_label
from training.reporting.results import base_rates, measure_horizons
from training.score import latest_date, read_for


def evaluate_files(
    predictor: Predictor, *, customers: Path | None, events: Path | None, as_of: int | None
) -> dict[str, Any]:
    """Measure a model on files that hold the outcomes too.

    Args:
        as_of: the instant asked at; by default the latest whose longest window the log completes,
            or the latest date of the table.

    Returns:
        `as_of`, and `metrics` beside the base rate's as in the report; the base rate is the files' own.

    Raises:
        DataError: the files cannot be used, or hold no outcome.
    """
    task = predictor.manifest.task
    if isinstance(task, LogTask):
        dataset = read_for(predictor.manifest.schema_, customers, events)
        instant = _default_cutoff(dataset, task) if as_of is None else as_of
        labels, probabilities = _ask_log(predictor, task, dataset, instant)
    else:
        dataset = read_for(predictor.manifest.schema_, customers, events, also=[task.column])
        instant = latest_date(dataset, predictor.manifest.schema_) if as_of is None else as_of
        labels, probabilities = _ask_table(predictor, task, dataset, instant)
    rates = base_rates(labels)
    metrics, _ = measure_horizons(task.output_names, labels, probabilities, rates)
    return {"as_of": format_instant(instant), "metrics": metrics}


def _ask_log(
    predictor: Predictor, task: LogTask, dataset: Dataset, instant: int
) -> tuple[Labels, Probabilities]:
    log = dataset.log
    assert log is not None
    assert dataset.data_end is not None
    examples = eligible_examples(log, task, [instant])
    if not len(examples):
        raise DataError(
            f"at {format_instant(instant)} nobody is eligible: no customer has an event within "
            f"{task.eligible_within_days} days before; name another date with --as-of"
        )
    fields = predictor.manifest.schema_.events
    kinds = log.categories[fields.type.name] if fields and fields.type else None
    labels = compile_labels(log, task, examples, kinds=kinds, data_end=dataset.data_end)
    if not labels.complete.any():
        raise DataError(
            f"at {format_instant(instant)} no window is complete: the log ends at "
            f"{format_instant(dataset.data_end)}; name an earlier date with --as-of"
        )
    return labels, predictor.scorer.score(dataset.columns, log, examples)


def _ask_table(
    predictor: Predictor, task: ColumnTask, dataset: Dataset, instant: int
) -> tuple[Labels, Probabilities]:
    labelled, positive = read_label(dataset.columns, task)
    rows = np.flatnonzero(labelled)
    examples = Examples(rows, np.full(len(rows), instant, dtype=np.int64))
    return Labels.of_column(positive[rows]), predictor.scorer.score(dataset.columns, dataset.log, examples)


def _default_cutoff(dataset: Dataset, task: LogTask) -> int:
    assert dataset.data_end is not None
    return latest_complete_cutoff(task, dataset.data_end)
