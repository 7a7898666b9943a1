"""The cnn head's encoder: dilated causal convolutions over the sequence."""

import torch
from torch import Tensor, nn

KERNEL = 3


class ConvEncoder(nn.Module):
    """A temporal convolutional network (Bai et al. 2018), pooled over each row's steps.

    Each convolution reads its own and earlier steps of the same sequence only. The output is the last, the
    mean and the largest value of each channel; zeros without a step.

    Shape: (T, width_in) sequences one after another, (B,) int64 lengths that sum to T -> (B, 3 * channels).
    """

    def __init__(self, width_in: int, *, channels: int, layers: int = 3) -> None:
        super().__init__()
        # A convolution is a linear layer over a step and KERNEL - 1 earlier ones.
        self.taps = nn.ModuleList(
            nn.Linear(KERNEL * (width_in if layer == 0 else channels), channels) for layer in range(layers)
        )
        self.width = 3 * channels

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        if len(steps) == 0:
            return steps.new_zeros(len(lengths), self.width)
        ends = torch.cumsum(lengths, 0)
        place = torch.arange(len(steps), device=steps.device)
        place = place - torch.repeat_interleave(ends - lengths, lengths, output_size=len(steps))
        x = steps
        for layer, tap in enumerate(self.taps):
            y = torch.relu(tap(_look_back(x, place, 2**layer)))
            x = y if layer == 0 else x + y
        return _pool(x, lengths, ends)


def _look_back(x: Tensor, place: Tensor, dilation: int) -> Tensor:
    """(T, KERNEL * C): each step beside those `dilation` and 2 * `dilation` earlier, 0 before the first."""
    taps = [x]
    for back in range(dilation, KERNEL * dilation, dilation):
        earlier = torch.roll(x, back, dims=0)
        taps.append(torch.where((place >= back)[:, None], earlier, 0.0))
    return torch.cat(taps, dim=1)


def _pool(x: Tensor, lengths: Tensor, ends: Tensor) -> Tensor:
    """(T, C) -> (B, 3 * C)."""
    mean = torch.segment_reduce(x, "mean", lengths=lengths, initial=0.0)
    largest = torch.segment_reduce(x, "max", lengths=lengths, initial=0.0)  # x is not negative
    last = torch.where((lengths > 0)[:, None], x[(ends - 1).clamp(min=0)], 0.0)
    return torch.cat([last, mean, largest], dim=1)
