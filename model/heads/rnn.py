"""The rnn head: a GRU over the sequence, beside what the mlp head reads."""

import torch
from torch import Tensor, nn


class GruEncoder(nn.Module):
    """The state of a GRU (Cho et al. 2014) after each row's last real step; zeros for no step.

    A one-directional GRU never looks ahead, so padding behind the last step cannot change the state.

    Shape: (B, L, width_in), (B,) lengths -> (B, width).
    """

    def __init__(self, width_in: int, *, width: int) -> None:
        super().__init__()
        self.gru = nn.GRU(width_in, width, batch_first=True)
        self.width = width

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        if steps.shape[1] == 0:
            return steps.new_zeros(len(steps), self.width)
        states, _ = self.gru(steps)
        last = states[torch.arange(len(steps), device=steps.device), (lengths - 1).clamp(min=0)]
        return torch.where((lengths > 0)[:, None], last, 0.0)
