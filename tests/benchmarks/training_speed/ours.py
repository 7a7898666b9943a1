"""The fits that are timed: the only module here that knows how Propense fits."""

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from model.encode import encode
from model.manifest import HeadName, NetworkSpec
from model.network import Network, build_network
from tests.benchmarks.training_speed.alone import THREADS, beyond
from tests.benchmarks.training_speed.worlds import World, WorldName, make_world
from training.fit_schema import fit_schema
from training.loop import Epoch, Material
from training.model_fit import Options, Reading, fit_model
from training.plan import Folds
from training.reporting.metrics import measure
from training.studies.study import FitOptions, NetworkOptions

A_FEW_EPOCHS: Final = 2  # the first shows when the second begins


@dataclass(frozen=True)
class OurFit:
    """A fit, or the first epochs of one.

    Attributes:
        seconds: from raw rows in memory to probabilities that can be asked for.
        epoch_seconds: of the median epoch but the first: every example once by each network that reads
            it, and the answers that early stopping looks at.
        epochs: how many were run.
        log_loss: on examples that the fit did not see, in nats.
        beyond_mb: the peak beyond the data; None where the system does not tell.
    """

    seconds: float
    epoch_seconds: float
    epochs: int
    log_loss: float
    beyond_mb: float | None


@dataclass(frozen=True)
class Parts:
    """What a loop over the same network and batches needs."""

    network: Network
    material: Material
    batch_size: int


def our_fit(world_name: WorldName, head: HeadName, n: int, *, whole: bool) -> OurFit:
    """Fit as a study without settings would, or stop after a few epochs."""
    torch.set_num_threads(THREADS)
    world = make_world(world_name, n)
    began: list[float] = []  # when each epoch but the first did

    def on_epoch(_epoch: Epoch) -> None:
        began.append(time.perf_counter())

    options = _options() if whole else _options(epochs=A_FEW_EPOCHS)
    about, folds = world.asked, _folds(world)
    fitted, beyond_mb = beyond(
        lambda: fit_model(about, folds, _reading(world, head), options, on_epoch=on_epoch)
    )
    test = np.arange(world.n_train, len(about.examples))
    probabilities = fitted.scorer.score(about.columns, about.log, about.examples.take(test))[:, -1]
    log_loss = measure(world.positive[test].astype(np.float64), probabilities).log_loss
    return OurFit(fitted.seconds, float(np.median(np.diff(began))), len(began), log_loss, beyond_mb)


def parts_of(world: World, head: HeadName) -> Parts:
    """A fresh network, and the examples as the fit's own loop reads them."""
    about, folds, reading = world.asked, _folds(world), _reading(world, head)
    read = about.examples.take(folds.rows)
    schema = fit_schema(
        reading.table, reading.events, about.columns, about.log, read, lookback_days=world.task.lookback_days
    )
    inputs = encode(
        schema,
        about.columns,
        about.log,
        read,
        lookback_days=world.task.lookback_days,
        with_steps=reading.spec.reads_steps,
    )
    labels = about.labels.take(folds.rows)
    events, at_risk = torch.from_numpy(labels.events).float(), torch.from_numpy(labels.at_risk).float()
    network = build_network(reading.spec, schema, n_outputs=world.task.n_outputs)
    material = Material(inputs, events, at_risk, folds.fold, folds.judged)
    return Parts(network, material, _options().batch_of(folds.rows))


def _folds(world: World) -> Folds:
    rows = np.arange(world.n_train)
    return Folds(rows, rows % NetworkOptions().folds, np.ones(len(rows), dtype=bool))


def _reading(world: World, head: HeadName) -> Reading:
    spec = NetworkSpec(**NetworkOptions(head=head).model_dump(exclude={"max_events"}))
    return Reading(world.task, world.table, world.events, spec)


def _options(**changes: int) -> Options:
    return Options(**FitOptions(device="cpu", **changes).model_dump(exclude={"refit"}))
