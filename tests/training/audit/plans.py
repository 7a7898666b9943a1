"""Questions and plans of little timelines, without the checks that refuse what is too little to train on."""

from collections.abc import Sequence

import numpy as np

from model.task import ContractTask, LogTask
from training.question.eligibility import count_eligible
from training.question.labels import compile_labels
from training.question.question import Question
from training.question.timeline import Timeline
from training.split.plan import Folds, HeldOut, Plan

NOBODY = np.empty(0, dtype=np.int64)


def plan_of(
    timeline: Timeline, task: LogTask | ContractTask, grid: Sequence[int], data_end: int
) -> tuple[Question, Plan]:
    """Everybody at every cutoff; tested at the last of them, where training knows the labels too."""
    roll = count_eligible(timeline, task, grid)
    labels = compile_labels(timeline, task, roll.examples, data_end=data_end)
    rows = np.arange(len(labels))
    folds = Folds(rows, roll.examples.customers % 2, np.ones(len(rows), dtype=bool))
    plan = Plan(
        examples=roll.examples,
        groups=roll.examples.customers,
        labels=labels,
        measured=folds,
        measured_labels=labels,
        test=(test := np.flatnonzero(roll.examples.cutoffs == grid[-1])),
        test_fold=np.full(len(test), -1, dtype=np.int64),
        shuffled=None,
        final=folds,
        kind="customers",
        sentence="",
        held_out=HeldOut(kind="customers"),
        standings=roll.counts,
        last_standing=roll.last,
    )
    return Question(task, timeline, 0, data_end, "UTC", ()), plan
