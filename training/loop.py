"""The fit loop: shuffled gathers, masked BCE on every ensemble member, early stopping on the ensemble."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from model.inputs import Inputs
from model.network import Head
from model.predictor import BATCH_SIZE


@dataclass(frozen=True)
class Targets:
    """What the loss reads.

    Attributes:
        events: (N, K) float32, 1 where the event fell into the interval.
        at_risk: (N, K) float32, 0 where the entry is masked.
    """

    events: Tensor
    at_risk: Tensor


@dataclass(frozen=True)
class Epoch:
    """One row of the training curve; losses in nats per at-risk entry."""

    epoch: int
    train_loss: float
    validation_loss: float


OnEpoch = Callable[[Epoch], None]


def fit(
    network: Head,
    inputs: Inputs,
    targets: Targets,
    *,
    train: Tensor,
    validation: Tensor,
    device: torch.device,
    epochs: int,
    patience: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    on_epoch: OnEpoch,
) -> list[Epoch]:
    """Fit in place and keep the weights of the epoch with the lowest validation loss.

    Args:
        train, validation: int64 example positions.

    Returns:
        The training curve up to the last epoch run.
    """
    optimizer = torch.optim.AdamW(
        _parameter_groups(network, weight_decay), lr=learning_rate, fused=device.type != "mps"
    )
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.3, patience=max(patience // 3, 1)
    )
    order = torch.Generator().manual_seed(seed)
    history: list[Epoch] = []
    best = float("inf")
    best_weights = _snapshot(network)
    since_best = 0
    for epoch in range(1, epochs + 1):
        shuffled = train[torch.randperm(len(train), generator=order)]
        train_loss = _train_epoch(network, inputs, targets, shuffled.split(batch_size), optimizer, device)
        validation_loss = evaluate(network, inputs, targets, validation, device)
        schedule.step(validation_loss)
        history.append(Epoch(epoch, train_loss, validation_loss))
        on_epoch(history[-1])
        if validation_loss < best:
            best, best_weights, since_best = validation_loss, _snapshot(network), 0
        else:
            since_best += 1
        if since_best >= patience:
            break
    network.load_state_dict(best_weights)
    return history


@torch.inference_mode()
def evaluate(network: Head, inputs: Inputs, targets: Targets, rows: Tensor, device: torch.device) -> float:
    """Masked BCE of the averaged ensemble over some examples."""
    network.eval()
    total, weight = 0.0, 0.0
    for part in rows.split(BATCH_SIZE):
        losses, mask = _losses(network(inputs.batch(part).to(device)), targets, part, device)
        total += float((losses * mask).double().sum())
        weight += float(mask.double().sum())
    return total / max(weight, 1.0)


def _train_epoch(
    network: Head,
    inputs: Inputs,
    targets: Targets,
    parts: tuple[Tensor, ...],
    optimizer: torch.optim.Optimizer,
    device: torch.device,
) -> float:
    network.train()
    total = torch.zeros((), device=device)
    for part in parts:
        batch = inputs.batch(part).to(device)
        with _autocast(device):
            logits = network.members(batch)
        losses, mask = _losses(logits.float(), targets, part, device)
        loss = (losses * mask).sum() / (mask.sum() * logits.shape[1]).clamp(min=1.0)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        total += loss.detach()
    return float(total) / max(len(parts), 1)


def _losses(logits: Tensor, targets: Targets, rows: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """Unreduced BCE and its mask for (B, K) logits, or (B, M, K) of members."""
    events, mask = targets.events[rows].to(device), targets.at_risk[rows].to(device)
    if logits.dim() == 3:
        events, mask = events[:, None, :].expand_as(logits), mask[:, None, :]
    return nn.functional.binary_cross_entropy_with_logits(logits, events, reduction="none"), mask


def _parameter_groups(network: Head, weight_decay: float) -> list[dict[str, object]]:
    """Matrices decay; biases, adapters and embedding tables of single vectors do not."""
    decayed = [p for n, p in network.named_parameters() if n.endswith("weight")]
    kept = [p for n, p in network.named_parameters() if not n.endswith("weight")]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": kept, "weight_decay": 0.0}]


def _snapshot(network: Head) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _autocast(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 on cuda; elsewhere float32 is as quick and exact."""
    return torch.autocast("cuda", dtype=torch.bfloat16) if device.type == "cuda" else nullcontext()
