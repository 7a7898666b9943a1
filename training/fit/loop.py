"""The fit loop: the network of each fold on shuffled examples of the other folds, with early stopping."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model.features.inputs import Inputs
from model.network.batch import gather
from model.network.inference import BATCH_SIZE
from model.network.network import Network
from model.network.trunk import average
from model.probability import Logits
from training.fit.calibrate import calibrated_loss
from training.fit.optimizer import Average, build_optimizer, falling_rate, take_step
from training.study.sections import FitOptions

PROGRESS: Final = 3e-4  # the least share by which the loss must fall


@dataclass(frozen=True)
class FitData:
    """The examples of a fit as tensors.

    Attributes:
        inputs: of N examples.
        events: (N, K) float32, 1 for an event in the interval.
        at_risk: (N, K) float32, 0 where the entry is masked.
        fold: (N,) int64, the fold whose network never reads the example.
        judged: (N,) bool, the examples of early stopping.
    """

    inputs: Inputs
    events: Tensor
    at_risk: Tensor
    fold: NDArray[np.int64]
    judged: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Schedule:
    """The length of a fit.

    Attributes:
        batch_size: of each fold.
        steps: of an epoch.
        epochs: planned; the learning rate ends at 0 after them.
        patience: epochs without progress before the fit stops.
    """

    batch_size: int
    steps: int
    epochs: int
    patience: int


@dataclass(frozen=True)
class Epoch:
    """One row of the training curve; losses in nats per at-risk entry, the validation loss calibrated.

    Attributes:
        planned: the epochs of the schedule.
        learning_rate: None for the linear head, whose epochs differ in their L2 penalty.
    """

    epoch: int
    planned: int
    learning_rate: float | None
    train_loss: float
    validation_loss: float
    penalty: float | None = None


@dataclass(frozen=True)
class Fit:
    """The training curve of a fit, and its out-of-fold logits.

    Attributes:
        unseen: (J, K) float64 logits of the judged examples at the best epoch, each by the network of its
            fold, which never read it.
    """

    history: tuple[Epoch, ...]
    unseen: Logits


OnEpoch = Callable[[Epoch], None]


def fit(
    network: Network,
    data: FitData,
    options: FitOptions,
    schedule: Schedule,
    *,
    device: torch.device,
    on_epoch: OnEpoch,
) -> Fit:
    """Fit in place and keep the averaged weights of the best epoch.

    The learning rate warms up, then falls along half a cosine (Loshchilov & Hutter 2017). The validated
    weights are a moving average, which is steadier than those of a single step. Epochs are compared by the
    loss after calibration (Berta et al. 2025, arXiv 2501.19195).
    """
    optimizer = build_optimizer(network, options.learning_rate, options.weight_decay, device)
    generator = torch.Generator().manual_seed(options.seed)
    readers, judges = _readers(data, network.n_folds), _judges(data, network.n_folds)
    rates = falling_rate(optimizer, schedule.epochs * schedule.steps)
    averaged = Average(network)
    history: list[Epoch] = []
    best, best_weights, unseen = 0, _snapshot(network), np.empty(0)
    for epoch in range(1, schedule.epochs + 1):
        rate = float(rates.get_last_lr()[0])
        batches = _batches(readers, schedule, generator)
        train_loss = _train_epoch(network, averaged, data, batches, optimizer, rates, device)
        logits = _unseen_logits(averaged.network, data, judges, device)
        history.append(Epoch(epoch, schedule.epochs, rate, train_loss, judged_loss(logits, data)))
        on_epoch(history[-1])
        if best == 0 or history[-1].validation_loss < history[best - 1].validation_loss * (1 - PROGRESS):
            best, best_weights, unseen = epoch, _snapshot(averaged.network), logits
        if epoch - best >= schedule.patience:
            break
    network.load_state_dict(best_weights)
    return Fit(tuple(history), unseen)


def best_epoch(history: tuple[Epoch, ...]) -> int:
    """Return the last epoch, counted from 1, that lowered the best validation loss by PROGRESS."""
    best = history[0]
    for epoch in history[1:]:
        if epoch.validation_loss < best.validation_loss * (1 - PROGRESS):
            best = epoch
    return best.epoch


def judged_loss(logits: Logits, data: FitData) -> float:
    """Return the calibrated loss of the (J, K) logits of the judged examples."""
    judged = data.judged
    return calibrated_loss(logits, data.events.numpy()[judged] > 0, data.at_risk.numpy()[judged] > 0)


def _readers(data: FitData, n_folds: int) -> list[Tensor]:
    """Return the training examples of each fold's network."""
    return [torch.from_numpy(np.flatnonzero(data.fold != fold)) for fold in range(n_folds)]


def _judges(data: FitData, n_folds: int) -> list[Tensor]:
    """Return the judged examples of each fold."""
    folds = range(n_folds)
    return [torch.from_numpy(np.flatnonzero(data.judged & (data.fold == f))) for f in folds]


def _batches(readers: list[Tensor], schedule: Schedule, generator: torch.Generator) -> Tensor:
    """(steps, F, B) int64 examples of each fold, drawn without repetition."""
    steps = schedule.steps
    size = max(min(schedule.batch_size, min(len(rows) for rows in readers) // steps), 1)
    shuffled = [rows[torch.randperm(len(rows), generator=generator)[: steps * size]] for rows in readers]
    return torch.stack(shuffled, dim=1).view(steps, size, len(readers)).transpose(1, 2).contiguous()


def _train_epoch(
    network: Network,
    averaged: Average,
    data: FitData,
    batches: Tensor,
    optimizer: torch.optim.Optimizer,
    rates: torch.optim.lr_scheduler.LRScheduler,
    device: torch.device,
) -> float:
    network.train()
    total = torch.zeros((), device=device)
    for rows in batches:
        batch = gather(data.inputs, rows.flatten()).to(device)
        with _autocast(device):
            members = network.members(batch)
        losses = _losses(members.float(), data, rows)
        # folds share no weights, so each has the gradient of its own loss
        take_step(losses.sum(), optimizer, rates, averaged)
        total += losses.detach().mean()
    return float(total) / len(batches)


def _losses(members: Tensor, data: FitData, rows: Tensor) -> Tensor:
    """(F,) mean masked BCE of (F, M, B, K) member logits."""
    events, mask = data.events[rows].to(members.device), data.at_risk[rows].to(members.device)
    events = events[:, None].expand_as(members)
    losses = nn.functional.binary_cross_entropy_with_logits(members, events, reduction="none").mean(dim=1)
    return (losses * mask).sum(dim=(1, 2)) / mask.sum(dim=(1, 2)).clamp(min=1.0)


@torch.inference_mode()
def _unseen_logits(network: Network, data: FitData, judges: list[Tensor], device: torch.device) -> Logits:
    """(J, K) logits of the judged examples in order; short folds are padded with example 0."""
    network.eval()
    longest = max(len(rows) for rows in judges)
    filled = torch.zeros((len(judges), longest), dtype=torch.int64)
    for fold, rows in enumerate(judges):
        filled[fold, : len(rows)] = rows
    parts = []
    for rows in filled.split(max(BATCH_SIZE // len(judges), 1), dim=1):
        members = network.members(gather(data.inputs, rows.flatten()).to(device))
        parts.append(average(members.transpose(0, 1)).cpu().double())
    by_fold = torch.cat(parts, dim=1)
    logits = torch.empty((len(data), by_fold.shape[2]), dtype=torch.float64)
    for fold, rows in enumerate(judges):
        logits[rows] = by_fold[fold, : len(rows)]
    return logits.numpy()[data.judged]


def _snapshot(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _autocast(device: torch.device) -> AbstractContextManager[object]:
    """Use bfloat16 on cuda; elsewhere float32 is as fast."""
    return torch.autocast("cuda", dtype=torch.bfloat16) if device.type == "cuda" else nullcontext()
