"""The fit loop: every fold's network on its own shuffled examples, stopped on those that it never reads."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model.features.inputs import Inputs
from model.network.network import Network
from model.network.trunk import average
from model.probability import Logits
from model.scorer import BATCH_SIZE
from training.fit.calibrate import calibrated_loss
from training.fit.optimizer import Average, build_optimizer, falling_rate, take_step

PROGRESS: Final = 3e-4  # of the loss; less is not worth another epoch


@dataclass(frozen=True)
class Material:
    """Examples as the loop reads them.

    Attributes:
        inputs: of N examples.
        events: (N, K) float32, 1 where the event fell into the interval.
        at_risk: (N, K) float32, 0 where the entry is masked.
        fold: (N,) int64, the fold whose network never reads the example.
        judged: (N,) bool, examples that early stopping looks at.
    """

    inputs: Inputs
    events: Tensor
    at_risk: Tensor
    fold: NDArray[np.int64]
    judged: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Epoch:
    """One row of the training curve; losses in nats per at-risk entry, that of validation calibrated.

    Attributes:
        planned: how many epochs there would be without early stopping.
    """

    epoch: int
    planned: int
    learning_rate: float
    train_loss: float
    validation_loss: float


@dataclass(frozen=True)
class Fit:
    """What a fit says besides the weights.

    Attributes:
        history: the training curve.
        unseen: (J, K) float64 logits of the judged examples, at the best epoch, each by the network that
            never read it.
    """

    history: tuple[Epoch, ...]
    unseen: Logits


OnEpoch = Callable[[Epoch], None]


def fit(
    network: Network,
    material: Material,
    *,
    device: torch.device,
    epochs: int,
    patience: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    on_epoch: OnEpoch,
) -> Fit:
    """Fit in place and keep the averaged weights of the best epoch.

    The learning rate warms up, then falls along half a cosine (Loshchilov & Hutter 2017). Validated and
    kept is a moving average of the weights, which is steadier than those of any one step. Epochs are
    judged by the loss after calibration, since that is what will be used (Berta et al. 2025, arXiv
    2501.19195).

    Args:
        epochs: planned; the learning rate ends at 0 after them.
        patience: epochs without progress before it stops.
        batch_size: of each fold.
    """
    optimizer = build_optimizer(network, learning_rate, weight_decay, device)
    generator = torch.Generator().manual_seed(seed)
    readers, judges = _readers(material, network.n_folds), _judges(material, network.n_folds)
    n_steps = max(round(min(len(rows) for rows in readers) / batch_size), 1)
    schedule = falling_rate(optimizer, epochs * n_steps)
    averaged = Average(network)
    history: list[Epoch] = []
    best, best_weights, unseen = 0, _snapshot(network), np.empty(0)
    for epoch in range(1, epochs + 1):
        rate = float(schedule.get_last_lr()[0])
        batches = _batches(readers, n_steps, generator)
        train_loss = _train_epoch(network, averaged, material, batches, optimizer, schedule, device)
        logits = _unseen_logits(averaged.network, material, judges, device)
        history.append(Epoch(epoch, epochs, rate, train_loss, _judge(logits, material)))
        on_epoch(history[-1])
        if best == 0 or history[-1].validation_loss < history[best - 1].validation_loss * (1 - PROGRESS):
            best, best_weights, unseen = epoch, _snapshot(averaged.network), logits
        if epoch - best >= patience:
            break
    network.load_state_dict(best_weights)
    return Fit(tuple(history), unseen)


def best_epoch(history: tuple[Epoch, ...]) -> int:
    """The last epoch, counted from 1, whose validation loss beat the best before it by PROGRESS."""
    best = history[0]
    for epoch in history[1:]:
        if epoch.validation_loss < best.validation_loss * (1 - PROGRESS):
            best = epoch
    return best.epoch


def _readers(material: Material, n_folds: int) -> list[Tensor]:
    """The examples that each fold's network reads."""
    return [torch.from_numpy(np.flatnonzero(material.fold != fold)) for fold in range(n_folds)]


def _judges(material: Material, n_folds: int) -> list[Tensor]:
    """The judged examples that it never reads."""
    folds = range(n_folds)
    return [torch.from_numpy(np.flatnonzero(material.judged & (material.fold == f))) for f in folds]


def _batches(readers: list[Tensor], n_steps: int, generator: torch.Generator) -> Tensor:
    """(n_steps, F, B) int64: the folds' examples, shuffled; the smallest fold says how many."""
    size = max(min(len(rows) for rows in readers) // n_steps, 1)
    shuffled = [rows[torch.randperm(len(rows), generator=generator)[: n_steps * size]] for rows in readers]
    return torch.stack(shuffled, dim=1).view(n_steps, size, len(readers)).transpose(1, 2).contiguous()


def _train_epoch(
    network: Network,
    averaged: Average,
    material: Material,
    batches: Tensor,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    device: torch.device,
) -> float:
    network.train()
    total = torch.zeros((), device=device)
    for rows in batches:
        batch = material.inputs.batch(rows.flatten()).to(device)
        with _autocast(device):
            members = network.members(batch)
        losses = _losses(members.float(), material, rows)
        # no weight is shared, so each fold has the gradient of its own loss
        take_step(losses.sum(), optimizer, schedule, averaged)
        total += losses.detach().mean()
    return float(total) / len(batches)


def _losses(members: Tensor, material: Material, rows: Tensor) -> Tensor:
    """(F,) mean masked BCE of (F, M, B, K) member logits."""
    events, mask = material.events[rows].to(members.device), material.at_risk[rows].to(members.device)
    events = events[:, None].expand_as(members)
    losses = nn.functional.binary_cross_entropy_with_logits(members, events, reduction="none").mean(dim=1)
    return (losses * mask).sum(dim=(1, 2)) / mask.sum(dim=(1, 2)).clamp(min=1.0)


@torch.inference_mode()
def _unseen_logits(
    network: Network, material: Material, judges: list[Tensor], device: torch.device
) -> Logits:
    """(J, K) of the judged examples in their order; short folds are filled up with example 0."""
    network.eval()
    longest = max(len(rows) for rows in judges)
    filled = torch.zeros((len(judges), longest), dtype=torch.int64)
    for fold, rows in enumerate(judges):
        filled[fold, : len(rows)] = rows
    parts = []
    for rows in filled.split(max(BATCH_SIZE // len(judges), 1), dim=1):
        members = network.members(material.inputs.batch(rows.flatten()).to(device))
        parts.append(average(members.transpose(0, 1)).cpu().double())
    told = torch.cat(parts, dim=1)
    logits = torch.empty((len(material), told.shape[2]), dtype=torch.float64)
    for fold, rows in enumerate(judges):
        logits[rows] = told[fold, : len(rows)]
    return logits.numpy()[material.judged]


def _judge(logits: Logits, material: Material) -> float:
    judged = material.judged
    return calibrated_loss(logits, material.events.numpy()[judged] > 0, material.at_risk.numpy()[judged] > 0)


def _snapshot(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _autocast(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 on cuda; elsewhere float32 is as quick and exact."""
    return torch.autocast("cuda", dtype=torch.bfloat16) if device.type == "cuda" else nullcontext()
