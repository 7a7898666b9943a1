"""Columns as vectors: numbers piecewise linearly (Gorishniy et al. 2022), categories by a table."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from model.batch import Batch


class NumericEmbedding(nn.Module):
    """A linear layer of its own for each number, over its value and its piecewise-linear code.

    Bin t of a number's code is 0 below the bin, 1 above it, and linear inside (arXiv 2203.05556,
    equation 1). A missing number has an embedding of its own.

    Shape: (B, D) float32 with NaN -> (B, D, width).
    """

    edges: Tensor
    widths: Tensor
    real: Tensor

    def __init__(self, edges: Sequence[Sequence[float]], *, width: int) -> None:
        super().__init__()
        n, bins = len(edges), max([0, *(len(e) - 1 for e in edges)])
        low, widths, real = torch.zeros(n, bins), torch.ones(n, bins), torch.zeros(n, bins)
        for row, one in enumerate(edges):
            points = torch.tensor(one, dtype=torch.float64)
            count = max(len(one) - 1, 0)
            low[row, :count], widths[row, :count], real[row, :count] = points[:-1], points.diff(), 1.0
        self.register_buffer("edges", low)
        self.register_buffer("widths", widths)
        self.register_buffer("real", real)
        self.weight = nn.Parameter(torch.randn(n, bins + 1, width) * (bins + 1) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(n, width))
        self.missing = nn.Parameter(torch.zeros(n, width))

    def forward(self, numbers: Tensor) -> Tensor:
        missing = numbers.isnan()
        filled = numbers.masked_fill(missing, 0.0)
        code = ((filled[..., None] - self.edges) / self.widths).clamp(0, 1) * self.real
        code = torch.cat([filled[..., None], code], dim=-1)
        embedded = torch.einsum("bdi,diw->bdw", code, self.weight) + self.bias
        return torch.where(missing[..., None], self.missing, embedded)


class CategoryEmbedding(nn.Module):
    """One table for all categorical columns; rows 0 (missing) and 1 (unknown) of each start at zero.

    Shape: (B, C) int64 codes -> (B, C, width).
    """

    offsets: Tensor

    def __init__(self, sizes: Sequence[int], *, width: int) -> None:
        super().__init__()
        starts = [0]
        for size in sizes:
            starts.append(starts[-1] + size)
        self.register_buffer("offsets", torch.tensor(starts[:-1], dtype=torch.int64))
        self.table = nn.Embedding(starts[-1], width)
        with torch.no_grad():
            for start in starts[:-1]:
                self.table.weight[start : start + 2] = 0.0

    def forward(self, codes: Tensor) -> Tensor:
        embedded: Tensor = self.table(codes + self.offsets)
        return embedded


class ColumnTokens(nn.Module):
    """The table columns and history aggregates of a batch as tokens.

    Shape: Batch -> (B, D + C, width).
    """

    def __init__(self, edges: Sequence[Sequence[float]], sizes: Sequence[int], *, width: int) -> None:
        super().__init__()
        self.numeric = NumericEmbedding(edges, width=width)
        self.categories = CategoryEmbedding(sizes, width=width)
        self.n_tokens = len(edges) + len(sizes)

    def forward(self, batch: Batch) -> Tensor:
        return torch.cat([self.numeric(batch.numeric), self.categories(batch.categories)], dim=1)
