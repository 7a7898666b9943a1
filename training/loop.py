"""The fit loop: shuffled gathers, masked BCE on every ensemble member, early stopping on the ensemble."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from model.inputs import Inputs
from model.network import Head
from model.scorer import BATCH_SIZE

AVERAGING: Final = 0.98  # a step in this moving average of the weights; about the last 50 count
PROGRESS: Final = 1e-3  # of the loss; less is not worth the time of another epoch


@dataclass(frozen=True)
class Material:
    """Examples as the loop reads them.

    Attributes:
        inputs: of N examples.
        events: (N, K) float32, 1 where the event fell into the interval.
        at_risk: (N, K) float32, 0 where the entry is masked.
    """

    inputs: Inputs
    events: Tensor
    at_risk: Tensor

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Epoch:
    """One row of the training curve; losses in nats per at-risk entry."""

    epoch: int
    learning_rate: float
    train_loss: float
    validation_loss: float


Tensors = tuple[Tensor, ...] | list[Tensor]

OnEpoch = Callable[[Epoch], None]


def fit(
    network: Head,
    train: Material,
    validation: Material,
    *,
    device: torch.device,
    epochs: int,
    patience: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    on_epoch: OnEpoch,
) -> list[Epoch]:
    """Fit in place and keep the averaged weights of `best_epoch`.

    What is validated and kept is a moving average of the weights over the steps (Polyak & Juditsky
    1992), which is steadier than those of any one step. The learning rate falls to a third whenever a
    third of the patience brings no progress.

    Args:
        patience: epochs without progress before it stops.

    Returns:
        The training curve up to the last epoch run.
    """
    optimizer = _optimizer(network, learning_rate, weight_decay, device)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=1 / 3, patience=max(patience // 3, 1), threshold=PROGRESS, threshold_mode="rel"
    )
    order = torch.Generator().manual_seed(seed)
    history: list[Epoch] = []
    average = _average_of(network)
    best_weights = _snapshot(average.module)
    for epoch in range(1, epochs + 1):
        rate = float(schedule.get_last_lr()[0])
        train_loss = _train_epoch(network, average, train, optimizer, device, batch_size, order)
        loss = validation_loss(average.module, validation, device)
        schedule.step(loss)
        history.append(Epoch(epoch, rate, train_loss, loss))
        on_epoch(history[-1])
        best = best_epoch(history)
        if best == epoch:
            best_weights = _snapshot(average.module)
        if epoch - best >= patience:
            break
    network.load_state_dict(best_weights)
    return history


def replay(
    network: Head,
    train: Material,
    history: Sequence[Epoch],
    *,
    device: torch.device,
    batch_size: int,
    weight_decay: float,
    seed: int,
    on_epoch: OnEpoch,
) -> None:
    """Fit in place for as many epochs, and at the rates, as an earlier fit found best.

    Args:
        history: that fit's training curve.
    """
    average = _average_of(network)
    optimizer = _optimizer(network, history[0].learning_rate, weight_decay, device)
    order = torch.Generator().manual_seed(seed)
    for past in history[: best_epoch(history)]:
        for group in optimizer.param_groups:
            group["lr"] = past.learning_rate
        _train_epoch(network, average, train, optimizer, device, batch_size, order)
        on_epoch(past)
    network.load_state_dict(average.module.state_dict())


def best_epoch(history: Sequence[Epoch]) -> int:
    """The last epoch, counted from 1, whose validation loss beat the best before it by PROGRESS."""
    best = history[0]
    for epoch in history[1:]:
        if epoch.validation_loss < best.validation_loss * (1 - PROGRESS):
            best = epoch
    return best.epoch


@torch.inference_mode()
def validation_loss(network: nn.Module, material: Material, device: torch.device) -> float:
    """Masked BCE of the averaged ensemble, in nats per at-risk entry."""
    network.eval()
    total, weight = 0.0, 0.0
    for rows in torch.arange(len(material)).split(BATCH_SIZE):
        losses, mask = _losses(network(material.inputs.batch(rows).to(device)), material, rows)
        total += float((losses * mask).double().sum())
        weight += float(mask.double().sum())
    return total / max(weight, 1.0)


def _train_epoch(
    network: Head,
    average: AveragedModel,
    material: Material,
    optimizer: torch.optim.Optimizer,
    device: torch.device,
    batch_size: int,
    order: torch.Generator,
) -> float:
    network.train()
    total = torch.zeros(2, device=device)  # the sum of the losses, and of the entries they are over
    for rows in torch.randperm(len(material), generator=order).split(batch_size):
        batch = material.inputs.batch(rows).to(device)
        with _autocast(device):
            logits = network.members(batch)
        losses, mask = _losses(logits.float(), material, rows)
        lost, entries = (losses * mask).sum(), mask.sum() * logits.shape[1]
        loss = lost / entries.clamp(min=1.0)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(network)
        total += torch.stack([lost, entries]).detach()
    return float(total[0] / total[1].clamp(min=1.0))


def _losses(logits: Tensor, material: Material, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Unreduced BCE and its mask for (B, K) logits, or (B, M, K) of members."""
    events, mask = material.events[rows].to(logits.device), material.at_risk[rows].to(logits.device)
    if logits.dim() == 3:
        events, mask = events[:, None, :].expand_as(logits), mask[:, None, :]
    return nn.functional.binary_cross_entropy_with_logits(logits, events, reduction="none"), mask


def _optimizer(
    network: Head, learning_rate: float, weight_decay: float, device: torch.device
) -> torch.optim.Optimizer:
    """AdamW; matrices decay, biases, adapters and single embedding vectors do not."""
    named = list(network.named_parameters())
    decayed = [p for name, p in named if _decays(name)]
    kept = [p for name, p in named if not _decays(name)]
    groups: list[dict[str, object]] = [{"params": decayed}, {"params": kept, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, weight_decay=weight_decay, fused=device.type != "mps")


def _decays(name: str) -> bool:
    return name.rpartition(".")[2].startswith("weight")  # a GRU has weight_ih_l0 and weight_hh_l0


def _average_of(network: Head) -> AveragedModel:
    return AveragedModel(network, multi_avg_fn=_moving_average)


@torch.no_grad()
def _moving_average(averaged: Tensors, current: Tensors, steps: Tensor | int) -> None:
    """Shorter at first, so that it does not drag the initial weights along."""
    kept = min(AVERAGING, (1 + int(steps)) / (10 + int(steps)))
    torch._foreach_lerp_(averaged, current, 1 - kept)


def _snapshot(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _autocast(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 on cuda; elsewhere float32 is as quick and exact."""
    return torch.autocast("cuda", dtype=torch.bfloat16) if device.type == "cuda" else nullcontext()
