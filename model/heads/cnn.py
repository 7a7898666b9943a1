"""The cnn head: dilated causal convolutions over the sequence, beside what the mlp head reads."""

import torch
from torch import Tensor, nn


class ConvEncoder(nn.Module):
    """A temporal convolutional network (Bai et al. 2018), pooled over the real steps.

    Each convolution looks back only, so padding behind the last step cannot change the real ones.
    The answer holds the last, the mean and the largest value of each channel; zeros for no step.

    Shape: (B, L, width_in), (B,) lengths -> (B, 3 * channels).
    """

    kernel = 3

    def __init__(self, width_in: int, *, channels: int, layers: int = 3) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width_in if i == 0 else channels, channels, self.kernel, dilation=2**i)
            for i in range(layers)
        )
        self.width = 3 * channels

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        if steps.shape[1] == 0:
            return steps.new_zeros(len(steps), self.width)
        x = steps.transpose(1, 2)
        for i, convolution in enumerate(self.convolutions):
            padded = nn.functional.pad(x, ((self.kernel - 1) * 2**i, 0))
            y = torch.relu(convolution(padded))
            x = y if i == 0 else x + y
        return _pool(x, lengths)


def _pool(x: Tensor, lengths: Tensor) -> Tensor:
    """(B, channels, L) -> (B, 3 * channels) over the first `lengths` steps."""
    real = torch.arange(x.shape[2], device=x.device) < lengths[:, None]
    real = real[:, None, :]
    count = lengths.clamp(min=1)[:, None]
    mean = torch.where(real, x, 0.0).sum(dim=2) / count
    largest = torch.where(real, x, -torch.inf).amax(dim=2)
    last = x[torch.arange(len(x), device=x.device), :, count[:, 0] - 1]
    pooled = torch.cat([last, mean, largest], dim=1)
    return torch.where((lengths > 0)[:, None], pooled, 0.0)
