"""The fits that are timed: the only module here that knows how Propense fits."""

from dataclasses import dataclass
from functools import partial
from typing import Final
from unittest.mock import patch

import numpy as np
import torch

from model.network.network import Network
from model.store.manifest import HeadName
from tests.benchmarks.defaults import default_options, default_spec
from tests.benchmarks.training_speed.alone import THREADS, beyond
from tests.benchmarks.training_speed.fits import WholeFit
from tests.benchmarks.training_speed.steps import Steps, time_steps
from tests.benchmarks.training_speed.worlds import World, WorldName, make_world
from training.fit.distill import distilled
from training.fit.loop import Fit, FitData, Schedule
from training.fit.model_fit import Fitted, ModelPlan, fit_model, schedule_of
from training.measure.metrics import measure
from training.split.plan import Folds
from training.study.sections import FitOptions, NetworkOptions

FOLDS: Final = NetworkOptions().folds


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
    data: FitData
    batch_size: int


def our_steps(world_name: WorldName, head: HeadName, n: int, *, limit_s: float) -> OurSteps:
    """Begin to fit as a study without settings would."""
    world = _ready(world_name, n)
    loop = partial(_fit, world, head)
    steps, beyond_mb = beyond(lambda: time_steps(loop, limit_s=limit_s))
    folds = _folds(world)
    readers = len(folds.rows) * (1 - 1 / FOLDS)
    return OurSteps(
        steps, max(round(readers / schedule_of(default_options(), len(folds.rows)).batch_size), 1), beyond_mb
    )


def planned_epochs(n: int) -> int:
    """How many epochs a fit has that does not stop early."""
    return schedule_of(default_options(), n).epochs


def our_fit(world_name: WorldName, head: HeadName, n: int) -> WholeFit:
    """Fit as a study without settings would."""
    world = _ready(world_name, n)
    fitted, beyond_mb = beyond(lambda: _distilled(world, head))
    about, test = world.labelled, np.arange(world.n_train, len(world.positive))
    probabilities = fitted.scorer.score(about.columns, about.log, about.examples.take(test))[:, -1]
    log_loss = measure(world.positive[test].astype(np.float64), probabilities).log_loss
    return WholeFit(fitted.seconds, len(fitted.history), log_loss, beyond_mb)


def parts_of(world: World, head: HeadName) -> Parts:
    """The fresh network, examples and batch size that a fit hands to its own loop."""

    def take(network: Network, data: FitData, _: FitOptions, schedule: Schedule, **_rest: object) -> Fit:
        raise _TakenError(Parts(network, data, schedule.batch_size))

    with patch("training.fit.model_fit.fit", take):
        try:
            _fit(world, head)
        except _TakenError as taken:
            return taken.parts
    raise AssertionError("fit_model must call its loop")


class _TakenError(Exception):
    """Carries what a loop was given out of the fit."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.parts = parts


def _ready(world_name: WorldName, n: int) -> World:
    torch.set_num_threads(THREADS)
    return make_world(world_name, n)


def _fit(world: World, head: HeadName) -> Fitted:
    return fit_model(
        world.labelled, _folds(world), _model_plan(world, head), default_options(), on_epoch=lambda _: None
    )


def _distilled(world: World, head: HeadName) -> Fitted:
    return distilled(_fit(world, head), default_options())


def _folds(world: World) -> Folds:
    rows = np.arange(world.n_train)
    return Folds(rows, rows % FOLDS, np.ones(len(rows), dtype=bool))


def _model_plan(world: World, head: HeadName) -> ModelPlan:
    return ModelPlan(world.task, world.fields, default_spec(head))
