"""The trunk of every network: an ensemble of MLPs with shared weights (TabM, Gorishniy et al. 2025)."""

import torch
from torch import Tensor, nn


class Trunk(nn.Module):
    """TabM-mini (arXiv 2410.24210) per fold: M adapters that scale the input, shared layers, M output layers.

    Shape: (F, B, width_in) -> (F, M, B, K).
    """

    def __init__(
        self,
        width_in: int,
        *,
        width: int,
        layers: int,
        dropout: float,
        folds: int,
        members: int,
        n_outputs: int,
    ) -> None:
        super().__init__()
        self.adapter = nn.Parameter(torch.randint(0, 2, (folds, members, 1, width_in)) * 2.0 - 1.0)
        self.hidden = nn.ModuleList(
            FoldLinear(width_in if layer == 0 else width, width, folds=folds) for layer in range(layers)
        )
        self.dropout = dropout
        self.weight = nn.Parameter(torch.randn(folds, members, width, n_outputs) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(folds, members, 1, n_outputs))

    def forward(self, x: Tensor) -> Tensor:
        h = (x[:, None] * self.adapter).flatten(1, 2)
        for layer in self.hidden:
            h = self._drop(torch.relu(layer(h)))
        members = h.unflatten(1, (self.adapter.shape[1], x.shape[1]))
        return torch.matmul(members, self.weight) + self.bias

    def _drop(self, h: Tensor) -> Tensor:
        """Apply dropout with one mask for all members of a fold: random numbers are slow on a CPU."""
        if not self.training or self.dropout == 0:
            return h
        F, rows, width = h.shape
        M = self.adapter.shape[1]
        kept = torch.rand(F, 1, rows // M, width, device=h.device) >= self.dropout
        return (h.view(F, M, rows // M, width) * (kept / (1 - self.dropout))).flatten(1, 2)


class FoldLinear(nn.Module):
    """F linear layers.

    Shape: (F, B, width_in) -> (F, B, width).
    """

    def __init__(self, width_in: int, width: int, *, folds: int) -> None:
        super().__init__()
        bound = width_in**-0.5  # the initialization of torch.nn.Linear
        self.weight = nn.Parameter(torch.empty(folds, width_in, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(folds, 1, width).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, x, self.weight)


def average(members: Tensor) -> Tensor:
    """Return the (B, K) logits of the mean probability of (M, B, K) logits."""
    log_mean_yes = nn.functional.logsigmoid(members).logsumexp(dim=0)
    log_mean_no = nn.functional.logsigmoid(-members).logsumexp(dim=0)
    return log_mean_yes - log_mean_no
