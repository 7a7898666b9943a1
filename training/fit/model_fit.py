"""From examples to a calibrated network: schema, inputs, loop, calibration."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from model.device import choose_device
from model.features.encode import encode
from model.network.network import Network, build_network
from model.probability import Logits
from model.schema import Schema
from model.scorer import Scorer, build_scorer, fold_logits
from model.store.manifest import NetworkSpec
from model.task import Task
from training.fit.calibrate import bagged, fit_calibration
from training.fit.loop import Epoch, Material, OnEpoch, best_epoch, fit
from training.question.examples import Asked
from training.schema.fit_schema import EventFields, TableFields, fit_schema
from training.schema.rates import with_rates
from training.split.plan import Folds
from training.split.split import Rows

STEPS_AN_EPOCH: Final = 50  # what an automatic batch size aims at
BATCH_SIZES: Final = (64, 2048)
STEPS: Final = 450  # what automatic epochs aim at
EPOCHS: Final = (8, 40)
MAX_SPREAD: Final = 4096  # examples that show how far the folds' answers lie apart


@dataclass(frozen=True)
class Reading:
    """What a network reads and answers, and its shape."""

    task: Task
    table: TableFields
    events: EventFields | None
    spec: NetworkSpec


@dataclass(frozen=True)
class Options:
    """How to fit, as in `training.study.study.FitOptions`.

    A batch size of None grows with the data; epochs of None are about STEPS steps; a patience of None
    is a quarter of the epochs.
    """

    device: str
    epochs: int | None
    patience: int | None
    batch_size: int | None
    learning_rate: float
    weight_decay: float
    seed: int

    def batch_of(self, rows: Rows) -> int:
        """The batch size for so many training examples: a power of two."""
        if self.batch_size is not None:
            return self.batch_size
        wanted = 1 << max(len(rows) // STEPS_AN_EPOCH, 1).bit_length() - 1
        return min(max(wanted, BATCH_SIZES[0]), BATCH_SIZES[1])

    def epochs_of(self, rows: Rows) -> int:
        """The planned epochs for so many training examples."""
        if self.epochs is not None:
            return self.epochs
        steps = max(len(rows) // self.batch_of(rows), 1)
        return min(max(STEPS // steps, EPOCHS[0]), EPOCHS[1])

    def patience_of(self, rows: Rows) -> int:
        """The patience for so many training examples, in epochs."""
        return self.patience if self.patience is not None else max(self.epochs_of(rows) // 4, 3)


@dataclass(frozen=True)
class Fitted:
    """Networks that give calibrated probabilities, and their training curve.

    Attributes:
        unseen: (J, K) calibrated logits of the judged examples, each by the network that never read it.
        excess: nats that one network in place of all adds to the log loss where these are right, see
            `training.fit.distill`; None where that was not tried.
    """

    scorer: Scorer
    history: tuple[Epoch, ...]
    unseen: Logits
    seconds: float
    excess: float | None = None

    @property
    def validation_loss(self) -> float:
        """Of the epoch that was kept."""
        return self.history[best_epoch(self.history) - 1].validation_loss


def fit_model(asked: Asked, folds: Folds, reading: Reading, options: Options, *, on_epoch: OnEpoch) -> Fitted:
    """Fit one network for each fold on the examples of the others; calibrate on what none has read.

    Raises:
        DeviceError: the device is not on this machine.
    """
    started = time.perf_counter()
    device = choose_device(options.device)
    schema, rates = with_rates(_schema(asked, folds.rows, reading), asked, folds)
    material = _material(asked, folds, schema, reading)
    if rates:  # each example's own label must not be in what it reads
        material.inputs.numeric[:, -len(rates) :] = torch.from_numpy(np.stack(rates, axis=1))
    with seeded(options.seed, device):
        network = build_network(reading.spec, schema, n_outputs=reading.task.n_outputs).to(device)
        fitted = fit(
            network,
            material,
            device=device,
            epochs=options.epochs_of(folds.rows),
            patience=options.patience_of(folds.rows),
            batch_size=options.batch_of(folds.rows),
            learning_rate=options.learning_rate,
            weight_decay=options.weight_decay,
            seed=options.seed,
            on_epoch=on_epoch,
        )
    labels = asked.labels.take(folds.rows[folds.judged])
    single = fit_calibration(fitted.unseen, labels.events, labels.at_risk)
    calibration = bagged(single, _spread(network, material, device))
    scorer = build_scorer(reading.task, schema, reading.spec, network, calibration, device)
    unseen = single.apply(fitted.unseen)
    return Fitted(scorer, fitted.history, unseen, time.perf_counter() - started)


def _schema(asked: Asked, train: Rows, reading: Reading) -> Schema:
    return fit_schema(
        reading.table,
        reading.events,
        asked.columns,
        asked.log,
        asked.examples.take(train),
        lookback_days=reading.task.lookback_days,
    )


def _material(asked: Asked, folds: Folds, schema: Schema, reading: Reading) -> Material:
    labels = asked.labels.take(folds.rows)
    inputs = encode(
        schema,
        asked.columns,
        asked.log,
        asked.examples.take(folds.rows),
        lookback_days=reading.task.lookback_days,
        with_steps=reading.spec.reads_steps,
    )
    events, at_risk = torch.from_numpy(labels.events).float(), torch.from_numpy(labels.at_risk).float()
    return Material(inputs, events, at_risk, folds.fold, folds.judged)


def _spread(network: Network, material: Material, device: torch.device) -> NDArray[np.float64]:
    """(F, n, K) logits of the folds' networks for some of the examples, which show how far they lie apart."""
    some = np.linspace(0, len(material) - 1, min(len(material), MAX_SPREAD)).astype(np.int64)
    return fold_logits(network.eval(), material.inputs, torch.from_numpy(some), device)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Everything drawn inside repeats for a seed; the caller's random state stays as it was."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
