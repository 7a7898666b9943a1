"""A calibrated network from labelled examples: schema, inputs, loop, calibration."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from model.device import choose_device
from model.features.encode import encode
from model.features.inputs import Inputs
from model.network.inference import TorchNetwork, weights_of
from model.network.network import build_network
from model.probability import Calibration, Logits, Probabilities
from model.schema import Schema
from model.scorer import Scorer, build_scorer
from model.store.manifest import ModelDescription, NetworkSpec
from model.task import Task
from training.fit.calibrate import bagged, fit_calibration, logit_of_mean
from training.fit.linear import fit_linear
from training.fit.loop import Epoch, FitData, OnEpoch, Schedule, best_epoch, fit
from training.question.labels import LabelledExamples
from training.schema.fit_schema import ModelFields, fit_schema
from training.schema.rates import rates_of_asked, with_rates
from training.split.deal import Rows
from training.split.plan import Asked, Folds
from training.study.sections import FitOptions

STEPS_AN_EPOCH: Final = 50  # the aim of an automatic batch size
BATCH_SIZES: Final = (64, 2048)
STEPS: Final = 450  # the aim of automatic epochs
EPOCHS: Final = (8, 40)
MAX_ANSWERED: Final = 32_768  # training examples that the network of every fold answers;
MAX_SEQUENCES: Final = 4096  # of examples with sequences, which take longer, and are not distilled


@dataclass(frozen=True)
class ModelPlan:
    """What a network predicts, what it reads, and its shape."""

    task: Task
    fields: ModelFields
    spec: NetworkSpec


def schedule_of(options: FitOptions, n_drawn: int) -> Schedule:
    """Fill the options that a study leaves open by the number of examples that an epoch draws.

    The batch size is a power of two that grows with it, the epochs take about STEPS steps, and the patience
    is a quarter of the epochs.
    """
    wanted = 1 << max(n_drawn // STEPS_AN_EPOCH, 1).bit_length() - 1
    batch_size = options.batch_size or min(max(wanted, BATCH_SIZES[0]), BATCH_SIZES[1])
    steps = max(round(n_drawn / batch_size), 1)
    epochs = options.epochs or min(max(STEPS // steps, EPOCHS[0]), EPOCHS[1])
    return Schedule(batch_size, steps, epochs, options.patience or max(epochs // 4, 3))


@dataclass(frozen=True)
class Answers:
    """The logits of each fold's network for n training examples, whose rates are out of fold too.

    Attributes:
        bag: the networks.
        inputs: of the examples.
        published: the same as a prediction reads them: with the rates among all training examples.
        by_fold: (F, n, K) uncalibrated logits.
        fold: (n,) int64, the fold whose network never read the example.
        events: (n, K) bool.
        judged: (n, K) bool, the entries that calibration reads.
        single: the calibration of single networks.
    """

    bag: TorchNetwork
    inputs: Inputs
    published: Inputs
    by_fold: NDArray[np.float64]
    fold: NDArray[np.int64]
    events: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    single: Calibration

    @property
    def unseen(self) -> Logits:
        """(n, K) calibrated logits, each of the network that never read the example."""
        return self.single.apply(self.own(self.by_fold))

    def own(self, by_fold: NDArray[np.float64]) -> Logits:
        """Return (n, K) of (F, n, K) logits, each of the model that never read the example."""
        own: Logits = by_fold[self.fold, np.arange(len(self.fold))]
        return own


@dataclass(frozen=True)
class Fitted:
    """A bag of networks, or one network in its place, or the linear network, with calibrated probabilities.

    Attributes:
        history: the training curve.
        unseen: (J, K) calibrated out-of-fold logits of the judged examples.
        answers: of each fold's network; None for one network in place of the bag.
        asked: (m, K) probabilities of the asked examples, each of the network that never read the customer.
        excess: nats that one network adds to the log loss, measured against its teachers, see
            `training.fit.distill`; None where that was not tried.
        boosting: the weight of boosting as its second teacher.
    """

    scorer: Scorer
    history: tuple[Epoch, ...]
    unseen: Logits
    seconds: float
    answers: "Answers | None" = None
    asked: Probabilities | None = None
    excess: float | None = None
    boosting: float = 0.0

    @property
    def validation_loss(self) -> float:
        """The loss of the epoch whose weights were kept."""
        return self.history[best_epoch(self.history) - 1].validation_loss


def fit_model(
    labelled: LabelledExamples,
    folds: Folds,
    model: ModelPlan,
    options: FitOptions,
    *,
    on_epoch: OnEpoch,
    asked: Asked | None = None,
) -> Fitted:
    """Fit the network of each fold on the examples of the other folds; calibrate on out-of-fold logits.

    Args:
        asked: later examples of the customers in the folds, answered out of fold too.

    Raises:
        DeviceError: the device is not on this machine.
    """
    started = time.perf_counter()
    device = choose_device(options.device)
    schema, rates = with_rates(_schema(labelled, folds.rows, model), labelled, folds.rows, folds.fold)
    data = _fit_data(labelled, folds, schema, model)
    published = data.inputs
    if rates:  # no example reads a rate that its own label is in
        data = replace(data, inputs=_with_rates(published, rates))
    spec, n_outputs = model.spec, model.task.n_outputs
    bag = None
    if spec.head == "linear":
        fitted, by_fold, weights = fit_linear(schema, data, n_folds=spec.folds, on_epoch=on_epoch)
        spec = spec.model_copy(update={"folds": 1, "members": 1})
    else:
        with seeded(options.seed, device):
            network = build_network(spec, schema, n_outputs=n_outputs).to(device)
            schedule = schedule_of(options, n_drawn(labelled, folds))
            fitted = fit(network, data, options, schedule, device=device, on_epoch=on_epoch)
        bag = TorchNetwork(network.eval(), device)
        by_fold, weights = bag.fold_logits, weights_of(network)
    labels = labelled.labels.take(folds.rows[folds.judged])
    single = fit_calibration(fitted.unseen, labels.events, labels.at_risk)
    answers = None
    if bag is None:
        calibration = bagged(single, by_fold(data.inputs), by_fold(published).mean(axis=0))
    else:
        answers, spread = _answers(bag, data, published, single)
        calibration = bagged(single, answers.by_fold, logit_of_mean(spread))
    described = ModelDescription(task=model.task, schema_=schema, network=spec, calibration=calibration)
    scorer = build_scorer(described, weights, device=str(device))
    unseen = single.apply(fitted.unseen)
    found = None
    if asked is not None and len(asked):
        own = by_fold(_asked_inputs(scorer, labelled, folds, asked))[asked.fold, np.arange(len(asked))]
        found = replace(scorer, calibration=single).probabilities(own)
    return Fitted(scorer, fitted.history, unseen, time.perf_counter() - started, answers, found)


def n_drawn(labelled: LabelledExamples, folds: Folds) -> int:
    """The examples that a network draws in an epoch: as many as the customers that the first network reads.

    Those of one customer are much alike.
    """
    return len(np.unique(labelled.examples.customers[folds.rows[folds.fold != 0]]))


def _schema(labelled: LabelledExamples, train: Rows, model: ModelPlan) -> Schema:
    return fit_schema(
        model.fields,
        labelled.columns,
        labelled.log,
        labelled.examples.take(train),
        lookback_days=model.task.lookback_days,
    )


def _fit_data(labelled: LabelledExamples, folds: Folds, schema: Schema, model: ModelPlan) -> FitData:
    labels = labelled.labels.take(folds.rows)
    inputs = encode(
        schema,
        labelled.columns,
        labelled.log,
        labelled.examples.take(folds.rows),
        lookback_days=model.task.lookback_days,
        with_steps=model.spec.reads_steps,
    )
    events, at_risk = torch.from_numpy(labels.events).float(), torch.from_numpy(labels.at_risk).float()
    return FitData(inputs, events, at_risk, folds.fold, folds.judged)


def _answers(
    bag: TorchNetwork, data: FitData, published: Inputs, single: Calibration
) -> tuple[Answers, NDArray[np.float64]]:
    """Return the answers, and the (F, n, K) logits for the inputs as a prediction reads them."""
    most = min(len(data), MAX_SEQUENCES if data.inputs.steps else MAX_ANSWERED)
    some = np.linspace(0, len(data) - 1, most).astype(np.int64)
    own, later = data.inputs.take(some), published.take(some)
    by_fold = spread = bag.fold_logits(own)
    if published is not data.inputs:
        spread = bag.fold_logits(later)
    judged = data.judged[some, None] & (data.at_risk[some] > 0).numpy()
    events = (data.events[some] > 0).numpy()
    return Answers(bag, own, later, by_fold, data.fold[some], events, judged, single), spread


def _with_rates(inputs: Inputs, rates: list[NDArray[np.float32]]) -> Inputs:
    """The inputs with other rates, which are the last numbers."""
    numeric = inputs.numeric.copy()
    numeric[:, -len(rates) :] = np.stack(rates, axis=1)
    return replace(inputs, numeric=numeric)


def _asked_inputs(scorer: Scorer, labelled: LabelledExamples, folds: Folds, asked: Asked) -> Inputs:
    """The inputs of the asked examples, with the rates among the other folds."""
    inputs = scorer.inputs(labelled.columns, labelled.log, labelled.examples.take(asked.rows))
    rates = rates_of_asked(scorer.schema, labelled, folds.rows, folds.fold, asked.rows, asked.fold)
    return _with_rates(inputs, rates) if rates else inputs


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block, and restore the random state after it."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
