"""The body of every head: an ensemble of MLPs that share their weights (TabM, Gorishniy et al. 2025)."""

import torch
from torch import Tensor, nn


class Trunk(nn.Module):
    """M members read the same input through a scaling of their own and answer through a layer of their own.

    This is TabM-mini (arXiv 2410.24210): one set of hidden layers, M cheap adapters in front, M
    output layers behind.

    Shape: (B, width_in) -> (B, M, K).
    """

    def __init__(
        self, width_in: int, *, width: int, layers: int, dropout: float, members: int, n_outputs: int
    ) -> None:
        super().__init__()
        self.adapter = nn.Parameter(torch.randint(0, 2, (members, width_in)) * 2.0 - 1.0)
        self.hidden = nn.ModuleList(
            nn.Linear(width_in if layer == 0 else width, width) for layer in range(layers)
        )
        self.dropout = dropout
        self.weight = nn.Parameter(torch.randn(members, width, n_outputs) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(members, n_outputs))

    def forward(self, x: Tensor) -> Tensor:
        h = x[:, None, :] * self.adapter
        for layer in self.hidden:
            h = self._drop(torch.relu(layer(h)))
        return torch.einsum("bmw,mwk->bmk", h, self.weight) + self.bias

    def _drop(self, h: Tensor) -> Tensor:
        """Dropout with one mask (B, 1, width) for all members: random numbers are dear on a CPU."""
        if not self.training or self.dropout == 0:
            return h
        kept = torch.rand(len(h), 1, h.shape[2], device=h.device) >= self.dropout
        return h * (kept / (1 - self.dropout))


def average_members(members: Tensor) -> Tensor:
    """(B, M, K) member logits -> (B, K) logits of their mean probability."""
    log_mean_yes = nn.functional.logsigmoid(members).logsumexp(dim=1)
    log_mean_no = nn.functional.logsigmoid(-members).logsumexp(dim=1)
    return log_mean_yes - log_mean_no
