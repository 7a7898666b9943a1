"""The optimizer: AdamW, a falling learning rate, and a moving average of the weights."""

import math
from copy import deepcopy
from typing import Final

import torch
from torch import Tensor

from model.network.network import Network

AVERAGING: Final = 0.98  # decay of the moving average a step: about the last 50 steps count
BETAS: Final = (0.9, 0.999)  # decay of the averages of AdamW
EPSILON: Final = 1e-8
WARM_UP: Final = 0.05  # share of the planned steps


def falling_rate(step: int, n_steps: int) -> float:
    """Return the share of the learning rate at a step: it rises first, then falls along half a cosine."""
    warm = max(round(WARM_UP * n_steps), 1)
    return min(1.0, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * min(step / n_steps, 1.0)))


class Optimizer:
    """AdamW (Loshchilov & Hutter 2019) with `falling_rate`.

    It calls the function of torch beneath `torch.optim.AdamW`, which imports torch's compiler: two seconds of
    every process.

    Args:
        learning_rate: at its peak.
        weight_decay: of matrices; biases, adapters and single embedding vectors have none.
    """

    def __init__(self, network: Network, learning_rate: float, weight_decay: float, n_steps: int) -> None:
        self._peak, self._n_steps, self._step = learning_rate, n_steps, 0
        named = list(network.named_parameters())
        self._groups = [
            (_Moments([p for name, p in named if _decays(name) == decays]), weight_decay * decays)
            for decays in (True, False)
        ]

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return self._peak * falling_rate(self._step, self._n_steps)

    def step(self, loss: Tensor) -> None:
        """Move the weights against the gradient of the loss."""
        loss.backward()
        for moments, weight_decay in self._groups:
            moments.move(self.rate, weight_decay)
        self._step += 1


class _Moments:
    """Weights with the moving averages of their gradients and of the squares."""

    def __init__(self, weights: list[Tensor]) -> None:
        self._weights = weights
        self._means, self._squares = ([torch.zeros_like(w) for w in weights] for _ in range(2))
        self._steps = [torch.zeros((), device=w.device) for w in weights]

    @torch.no_grad()
    def move(self, rate: float, weight_decay: float) -> None:
        gradients = [torch.zeros_like(w) if w.grad is None else w.grad for w in self._weights]
        if not gradients:
            return
        torch._foreach_add_(self._steps, 1)
        torch._fused_adamw_(
            self._weights,
            gradients,
            self._means,
            self._squares,
            [],
            self._steps,
            lr=rate,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=weight_decay,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )
        for weight in self._weights:
            weight.grad = None


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
