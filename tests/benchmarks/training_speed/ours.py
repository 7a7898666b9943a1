"""The fits that are timed: the only module here that knows how Propense fits."""

from dataclasses import dataclass, fields
from functools import partial

import numpy as np
import torch

from model.encode import encode
from model.manifest import HeadName, NetworkSpec
from model.network import Network, build_network
from tests.benchmarks.training_speed.alone import THREADS, beyond
from tests.benchmarks.training_speed.fits import WholeFit
from tests.benchmarks.training_speed.steps import Steps, time_steps
from tests.benchmarks.training_speed.worlds import World, WorldName, make_world
from training.fit_schema import fit_schema
from training.loop import Material
from training.model_fit import Fitted, Options, Reading, fit_model
from training.plan import Folds
from training.reporting.metrics import measure
from training.studies.study import FitOptions, NetworkOptions


@dataclass(frozen=True)
class OurSteps:
    """Training steps of a fit that was cut off.

    Attributes:
        steps: each of a batch for every network of the bag.
        an_epoch: how many of them an epoch has.
        beyond_mb: the peak beyond the data; None where the system does not tell.
    """

    steps: Steps
    an_epoch: int
    beyond_mb: float | None


@dataclass(frozen=True)
class Parts:
    """What a loop over the same network and batches needs."""

    network: Network
    material: Material
    batch_size: int


def our_steps(world_name: WorldName, head: HeadName, n: int, *, limit_s: float) -> OurSteps:
    """Begin to fit as a study without settings would."""
    world = _ready(world_name, n)
    loop = partial(_fit, world, head)
    steps, beyond_mb = beyond(lambda: time_steps(loop, limit_s=limit_s))
    folds = _folds(world)
    readers = len(folds.rows) * (1 - 1 / NetworkOptions().folds)
    return OurSteps(steps, max(round(readers / _options().batch_of(folds.rows)), 1), beyond_mb)


def planned_epochs(n: int) -> int:
    """How many epochs a fit has that does not stop early."""
    return _options().epochs_of(np.arange(n))


def our_fit(world_name: WorldName, head: HeadName, n: int) -> WholeFit:
    """Fit as a study without settings would."""
    world = _ready(world_name, n)
    fitted, beyond_mb = beyond(lambda: _fit(world, head))
    about, test = world.asked, np.arange(world.n_train, len(world.positive))
    probabilities = fitted.scorer.score(about.columns, about.log, about.examples.take(test))[:, -1]
    log_loss = measure(world.positive[test].astype(np.float64), probabilities).log_loss
    return WholeFit(fitted.seconds, len(fitted.history), log_loss, beyond_mb)


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


def _ready(world_name: WorldName, n: int) -> World:
    torch.set_num_threads(THREADS)
    return make_world(world_name, n)


def _fit(world: World, head: HeadName) -> Fitted:
    return fit_model(world.asked, _folds(world), _reading(world, head), _options(), on_epoch=lambda _: None)


def _folds(world: World) -> Folds:
    rows = np.arange(world.n_train)
    return Folds(rows, rows % NetworkOptions().folds, np.ones(len(rows), dtype=bool))


def _reading(world: World, head: HeadName) -> Reading:
    spec = NetworkSpec(**NetworkOptions(head=head).model_dump(include=set(NetworkSpec.model_fields)))
    return Reading(world.task, world.table, world.events, spec)


def _options() -> Options:
    return Options(**FitOptions(device="cpu").model_dump(include={f.name for f in fields(Options)}))
