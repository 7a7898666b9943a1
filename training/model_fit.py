"""From examples to a calibrated network: schema, inputs, loop, calibration."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch

from model.columns import Column
from model.customers import Examples
from model.device import choose_device
from model.encode import encode
from model.history import EventLog
from model.inputs import Inputs
from model.manifest import Calibration, NetworkSpec
from model.network import Head, build_network
from model.schema import Schema
from model.scorer import Scorer, logits
from model.task import Task
from training.calibrate import fit_calibration
from training.fit_schema import EventFields, TableFields, fit_schema
from training.labels import Labels
from training.loop import Epoch, Material, OnEpoch, fit, replay
from training.plan import Refit, Slices
from training.split import Rows

STEPS_AN_EPOCH: Final = 40  # what an automatic batch size aims at
BATCH_SIZES: Final = (64, 2048)
PATIENT_STEPS: Final = 320  # of an automatic patience
PATIENT_EPOCHS: Final = (3, 10)


@dataclass(frozen=True)
class Asked:
    """N examples, their labels, and the columns and log that they are about."""

    columns: Mapping[str, Column]
    log: EventLog | None
    examples: Examples
    labels: Labels


@dataclass(frozen=True)
class Reading:
    """What a network reads and answers, and its shape."""

    task: Task
    table: TableFields
    events: EventFields | None
    spec: NetworkSpec


@dataclass(frozen=True)
class Options:
    """How to fit, as in `training.studies.study.FitOptions`.

    A batch size of None grows with the data; a patience of None is about PATIENT_STEPS steps.
    """

    device: str
    epochs: int
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

    def patience_of(self, rows: Rows) -> int:
        """The patience for so many training examples, in epochs."""
        if self.patience is not None:
            return self.patience
        steps = max(len(rows) // self.batch_of(rows), 1)
        return min(max(PATIENT_STEPS // steps, PATIENT_EPOCHS[0]), PATIENT_EPOCHS[1])


@dataclass(frozen=True)
class Fitted:
    """A network that gives calibrated probabilities, and its training curve."""

    scorer: Scorer
    history: tuple[Epoch, ...]
    seconds: float


def fit_model(
    asked: Asked, slices: Slices, reading: Reading, options: Options, *, on_epoch: OnEpoch
) -> Fitted:
    """Fit on the train slice, stop on the validation slice, calibrate on the calibration slice.

    Raises:
        DeviceError: the device is not on this machine.
    """

    def run(network: Head, schema: Schema, device: torch.device) -> Sequence[Epoch]:
        return fit(
            network,
            _material(asked, slices.train, schema, reading),
            _material(asked, slices.validation, schema, reading),
            device=device,
            epochs=options.epochs,
            patience=options.patience_of(slices.train),
            batch_size=options.batch_of(slices.train),
            learning_rate=options.learning_rate,
            weight_decay=options.weight_decay,
            seed=options.seed,
            on_epoch=on_epoch,
        )

    return _fitted(asked, Refit(slices.train, slices.calibration), reading, options, run)


def refit_model(
    asked: Asked,
    rows: Refit,
    reading: Reading,
    options: Options,
    *,
    history: Sequence[Epoch],
    on_epoch: OnEpoch,
) -> Fitted:
    """Fit on more examples for as long as an earlier fit found best, and calibrate on others.

    Args:
        history: the earlier fit's training curve, which the answer keeps.
    """

    def run(network: Head, schema: Schema, device: torch.device) -> Sequence[Epoch]:
        replay(
            network,
            _material(asked, rows.train, schema, reading),
            history,
            device=device,
            batch_size=options.batch_of(rows.train),
            weight_decay=options.weight_decay,
            seed=options.seed,
            on_epoch=on_epoch,
        )
        return history

    return _fitted(asked, rows, reading, options, run)


def _fitted(
    asked: Asked,
    rows: Refit,
    reading: Reading,
    options: Options,
    run: Callable[[Head, Schema, torch.device], Sequence[Epoch]],
) -> Fitted:
    """What both fits share: schema, seeded network, the loop that `run` is, calibration, time."""
    started = time.perf_counter()
    device, schema = choose_device(options.device), _schema(asked, rows.train, reading)
    with _seeded(options.seed, device):
        network = build_network(reading.spec, schema, n_outputs=reading.task.n_outputs).to(device)
        history = run(network, schema, device)
    scorer = _calibrated(network, asked, rows.calibration, schema, reading, device)
    return Fitted(scorer, tuple(history), time.perf_counter() - started)


def _schema(asked: Asked, train: Rows, reading: Reading) -> Schema:
    return fit_schema(
        reading.table,
        reading.events,
        asked.columns,
        asked.log,
        asked.examples.take(train),
        lookback_days=reading.task.lookback_days,
    )


def _inputs(asked: Asked, rows: Rows, schema: Schema, reading: Reading) -> Inputs:
    return encode(
        schema,
        asked.columns,
        asked.log,
        asked.examples.take(rows),
        lookback_days=reading.task.lookback_days,
        with_steps=reading.spec.reads_steps,
    )


def _material(asked: Asked, rows: Rows, schema: Schema, reading: Reading) -> Material:
    labels = asked.labels.take(rows)
    return Material(
        _inputs(asked, rows, schema, reading),
        torch.from_numpy(labels.events).float(),
        torch.from_numpy(labels.at_risk).float(),
    )


def _calibrated(
    network: Head, asked: Asked, rows: Rows, schema: Schema, reading: Reading, device: torch.device
) -> Scorer:
    labels = asked.labels.take(rows)
    raw = logits(network.eval(), _inputs(asked, rows, schema, reading), device)
    calibration: Calibration = fit_calibration(raw, labels.events, labels.at_risk)
    return Scorer(reading.task, schema, reading.spec, network, calibration, device)


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Everything drawn inside repeats for a seed; the caller's random state stays as it was."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
