"""The optimizer: AdamW, a falling learning rate, and a moving average of the weights."""

import math
from copy import deepcopy
from typing import Final

import torch
from torch import Tensor

from model.network.network import Network

AVERAGING: Final = 0.98  # decay of the moving average a step: about the last 50 steps count
WARM_UP: Final = 0.05  # share of the planned steps


def falling_rate(optimizer: torch.optim.Optimizer, n_steps: int) -> torch.optim.lr_scheduler.LRScheduler:
    """Return a schedule that rises over the first steps, then falls to 0 along half a cosine."""
    warm = max(round(WARM_UP * n_steps), 1)

    def factor(step: int) -> float:
        return min(1.0, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * min(step / n_steps, 1.0)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def build_optimizer(
    network: Network, learning_rate: float, weight_decay: float, device: torch.device
) -> torch.optim.Optimizer:
    """Return AdamW; biases, adapters and single embedding vectors have no weight decay."""
    named = list(network.named_parameters())
    decayed = [p for name, p in named if _decays(name)]
    kept = [p for name, p in named if not _decays(name)]
    groups: list[dict[str, object]] = [{"params": decayed}, {"params": kept, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, weight_decay=weight_decay, fused=device.type != "mps")


def take_step(
    loss: Tensor,
    optimizer: torch.optim.Optimizer,
    rates: torch.optim.lr_scheduler.LRScheduler,
    averaged: "Average",
) -> None:
    """Update the weights, then the learning rate, then the average of the weights."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    rates.step()
    averaged.update()


def _decays(name: str) -> bool:
    return name.rpartition(".")[2].startswith("weight")  # a GRU has weight_ih_l0 and weight_hh_l0


class Average:
    """A network whose weights are a moving average over the steps (Polyak & Juditsky 1992)."""

    def __init__(self, network: Network) -> None:
        self.network = deepcopy(network)
        self._averages: list[Tensor] = list(self.network.parameters())
        self._weights: list[Tensor] = list(network.parameters())
        self._steps = 0

    @torch.no_grad()
    def update(self) -> None:
        """Add the present weights, with a larger share in the first steps."""
        kept = min(AVERAGING, (1 + self._steps) / (10 + self._steps))
        torch._foreach_lerp_(self._averages, self._weights, 1 - kept)
        self._steps += 1
