"""The body of every head: an ensemble of MLPs that share their weights (TabM, Gorishniy et al. 2025)."""

import torch
from torch import Tensor, nn


class Trunk(nn.Module):
    """M members read one projection of the input through a scaling of their own.

    As TabM-mini (arXiv 2410.24210): shared hidden layers, M cheap adapters in front, M output layers
    behind. Here the adapters stand behind the first projection, which so is computed once for all
    members: nearly the whole cost on a CPU where the input is wide. The members share their dropout.

    Shape: (B, width_in) -> (B, M, K).
    """

    def __init__(
        self, width_in: int, *, width: int, layers: int, dropout: float, members: int, n_outputs: int
    ) -> None:
        super().__init__()
        self.project = nn.Linear(width_in, width)
        self.adapter = nn.Parameter(torch.randint(0, 2, (members, width)) * 2.0 - 1.0)
        self.shift = nn.Parameter(torch.zeros(members, width))
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(layers - 1))
        self.dropout = dropout
        self.weight = nn.Parameter(torch.randn(members, width, n_outputs) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(members, n_outputs))

    def forward(self, x: Tensor) -> Tensor:
        h = self._activate(self.project(x)[:, None, :] * self.adapter + self.shift)
        for layer in self.hidden:
            h = self._activate(layer(h))
        return torch.einsum("bmw,mwk->bmk", h, self.weight) + self.bias

    def _activate(self, h: Tensor) -> Tensor:
        """ReLU, and a dropout mask (B, 1, width) that serves all members."""
        h = torch.relu(h)
        if not self.training or self.dropout == 0:
            return h
        kept = torch.rand(h.shape[0], 1, h.shape[2], device=h.device) >= self.dropout
        return h * (kept / (1 - self.dropout))


def average_members(members: Tensor) -> Tensor:
    """(B, M, K) member logits -> (B, K) logits of their mean probability."""
    log_mean_yes = nn.functional.logsigmoid(members).logsumexp(dim=1)
    log_mean_no = nn.functional.logsigmoid(-members).logsumexp(dim=1)
    return log_mean_yes - log_mean_no
