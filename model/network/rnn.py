"""The rnn head's encoder: a GRU over the sequence."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence


class GruEncoder(nn.Module):
    """The state of a GRU (Cho et al. 2014) after the last step of each row; zeros without a step.

    Rows are sorted by length and packed, so that no padding is computed.

    Shape: (T, width_in) sequences one after another, (B,) int64 lengths that sum to T -> (B, width).
    """

    def __init__(self, width_in: int, *, width: int) -> None:
        super().__init__()
        self.gru = nn.GRU(width_in, width)
        self.width = width

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        states = steps.new_zeros(len(lengths), self.width)
        if len(steps) == 0:
            return states
        order = torch.argsort(lengths, descending=True, stable=True)
        order = order[lengths[order] > 0]
        starts = (torch.cumsum(lengths, 0) - lengths)[order]
        offsets = torch.arange(int(lengths.max()), device=steps.device)
        running = offsets[:, None] < lengths[order]  # (L, B), a row of it for each step of the GRU
        positions = (starts + offsets[:, None])[running]
        _, last = self.gru(PackedSequence(steps[positions], running.sum(dim=1).cpu()))
        return states.index_copy(0, order, last[0].to(states.dtype))
