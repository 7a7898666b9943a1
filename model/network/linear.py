"""The linear head: logistic regression on the columns and history aggregates."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from model.features.inputs import Batch


class LinearNetwork(nn.Module):
    """A weight for each number, for each number that is missing, and for each code of a category.

    A missing number counts as 0, the mean of the scaled numbers. The codes of repeated numbers are not read.

    Shape: Batch -> (B, K) logits.

    Args:
        n_numbers: D.
        sizes: codes of each of the C categorical columns.
    """

    offsets: Tensor

    def __init__(self, n_numbers: int, sizes: Sequence[int], *, n_outputs: int) -> None:
        super().__init__()
        starts = torch.tensor([0, *sizes]).cumsum(0)
        # Not stored with the weights: positions from a file could lie outside of the table.
        self.register_buffer("offsets", starts[:-1], persistent=False)
        self.numbers = nn.Parameter(torch.zeros(n_numbers, n_outputs))
        self.missing = nn.Parameter(torch.zeros(n_numbers, n_outputs))
        self.codes = nn.Parameter(torch.zeros(int(starts[-1]), n_outputs))
        self.bias = nn.Parameter(torch.zeros(n_outputs))

    def forward(self, batch: Batch) -> Tensor:
        missing = batch.numeric.isnan()
        numbers = batch.numeric.masked_fill(missing, 0.0)
        places = batch.categories[:, : len(self.offsets)] + self.offsets
        of_codes = nn.functional.embedding(places, self.codes).sum(dim=1)
        return numbers @ self.numbers + missing.float() @ self.missing + of_codes + self.bias
