"""What happened to customers by today's files, by the label code of training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.files.dataset import Dataset
from model.scoring.log_blocks import read_for
from model.store.manifest import Manifest
from model.task import ColumnTask
from model.times import days
from model.values.customers import Examples
from training.question.label_column import LabelColumn, read_label
from training.question.labels import Bools, Labels, compile_labels
from training.question.question import Question
from training.run.evaluate import question_of


@dataclass(frozen=True)
class Truth:
    """Today's files as the label of a model reads them, with its question or its label column."""

    dataset: Dataset
    of: Question | LabelColumn

    @property
    def notes(self) -> tuple[str, ...]:
        """On what was read, as sentences."""
        return (*self.dataset.notes, *self.of.notes)

    def labels(self, examples: Examples) -> Labels:
        """Return the labels of N examples; of a label column, complete where there is one."""
        if isinstance(self.of, Question):
            return compile_labels(self.of.timeline, self.of.task, examples, data_end=self.of.data_end)
        labels = Labels.of_column(self.of.positive[examples.customers])
        return Labels(labels.events, labels.at_risk, labels.outcomes, self.closed(examples))

    def closed(self, examples: Examples) -> Bools:
        """(N, K) whether the files reach as far as the label of a horizon needs."""
        if isinstance(self.of, LabelColumn):
            return self.of.labelled[examples.customers][:, None]
        task = self.of.task
        needed = [days(task.gap_days + horizon + task.wait_days) for horizon in task.horizons_days]
        return np.less_equal.outer(examples.cutoffs, self.of.data_end - np.array(needed, dtype=np.int64))


def read_truth(
    manifest: Manifest,
    customers: Path | None,
    events: Path | None,
    *,
    until: int | None,
    also: Sequence[str] = (),
) -> Truth:
    """Read today's files.

    Args:
        until: the last observed instant; None to read it off the files.
        also: further columns of the customer table.

    Raises:
        DataError: the files cannot be used.
    """
    task, schema = manifest.task, manifest.schema_
    names = [task.column] if isinstance(task, ColumnTask) else list(task.columns)
    names = list(dict.fromkeys([*names, *also]))
    if not names and customers and schema.id:
        names = [schema.id]  # so that a customer without an event is known
    # What the label does not read may be gone from the files.
    read = schema.model_copy(update={"columns": tuple(c for c in schema.columns if c.name in names)})
    dataset = read_for(read, customers, events, also=names)
    if isinstance(task, ColumnTask):
        return Truth(dataset, read_label(dataset.columns, task))
    return Truth(dataset, question_of(manifest, task, dataset, until))
