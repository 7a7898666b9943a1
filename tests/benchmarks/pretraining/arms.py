"""The fits that are compared: the same labels, networks and seeds, with and without the start."""

import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final

from model.features.encode import encode
from model.network.steps import StepReader
from model.probability import Probabilities
from model.schema import Schema
from model.store.manifest import HeadName
from tests.benchmarks.defaults import default_options, default_spec
from tests.benchmarks.pretraining.encoders import started_by
from tests.benchmarks.pretraining.next_event import Losses, pretrain
from tests.benchmarks.pretraining.problems import labelled, unlabelled
from training.fit.model_fit import ModelPlan, fit_model
from training.prepare import Prepared
from training.question.labels import LabelledExamples
from training.split.deal import Rows


@dataclass(frozen=True)
class Arm:
    """A head, and whether its reader is started on the next event."""

    head: HeadName
    started: bool = False

    @property
    def name(self) -> str:
        """As the tables have it."""
        return f"{self.head}, next event" if self.started else self.head


ARMS: Final = (Arm("mlp"), Arm("cnn"), Arm("cnn", started=True), Arm("rnn"), Arm("rnn", started=True))


@dataclass(frozen=True)
class Told:
    """What a fit says about the M test examples.

    Attributes:
        probabilities: (M,) at the longest horizon.
        seconds: of the fit, its start included.
        losses: of the start; None for a fit without one.
    """

    probabilities: Probabilities
    seconds: float
    losses: Losses | None


def fit_arm(prepared: Prepared, arm: Arm, n_customers: int, *, seed: int) -> Told:
    """Fit on the labels of some customers and ask about the test examples."""
    plan, data = prepared.plan, prepared.dataset
    examples = LabelledExamples(data.columns, data.log, plan.examples, plan.measured_labels)
    folds = labelled(plan, n_customers, seed)
    model = ModelPlan(prepared.task, prepared.fields, default_spec(arm.head))
    losses: list[Losses] = []

    def start(reader: StepReader, schema: Schema) -> None:
        losses.append(_pretrained(prepared, reader, schema, seed))

    began = time.perf_counter()
    with started_by(start) if arm.started else nullcontext():
        fitted = fit_model(examples, folds, model, default_options(seed), on_epoch=lambda _: None)
    seconds = time.perf_counter() - began
    probabilities = fitted.scorer.score(
        data.columns, data.log, plan.examples.take(asked_in_the_end(prepared))
    )
    return Told(probabilities[:, -1], seconds, losses[0] if losses else None)


def asked_in_the_end(prepared: Prepared) -> Rows:
    """(M,) the test examples of unseen customers whose window is complete."""
    plan = prepared.plan
    rows: Rows = plan.unseen[plan.labels.complete[plan.unseen, -1]]
    return rows


def _pretrained(prepared: Prepared, reader: StepReader, schema: Schema, seed: int) -> Losses:
    assert schema.events is not None
    inputs = encode(
        schema,
        prepared.dataset.columns,
        prepared.dataset.log,
        unlabelled(prepared.plan),
        lookback_days=prepared.task.lookback_days,
        with_steps=True,
    )
    sizes = [len(category.vocabulary) + 2 for category in schema.events.categories]
    return pretrain(reader, inputs, sizes, seed=seed)
