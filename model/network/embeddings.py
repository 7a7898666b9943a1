"""Embeddings of columns: numbers piecewise linearly (Gorishniy et al. 2022), categories by a table.

The first dimension of every parameter is F: one network per fold of the training customers, without
shared weights. They run together, since F small matrix products cost little more than one.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from model.network.layout import Layout, bins, starts


class NumericEmbedding(nn.Module):
    """A linear layer per number over its value and its piecewise-linear code.

    Bin t of the code is 0 below the bin, 1 above it, and linear inside (arXiv 2203.05556, equation 1). A
    missing number has an embedding of its own.

    Shape: (F, B, D) float32 with NaN -> (F, B, D, width).
    """

    low: Tensor
    slopes: Tensor

    def __init__(self, edges: Sequence[Sequence[float]], *, folds: int, width: int) -> None:
        super().__init__()
        n, most = len(edges), max([0, *(len(e) - 1 for e in edges)])
        low, slopes = torch.zeros(n, most), torch.zeros(n, most)  # 0 where a number has fewer bins
        for row, one in enumerate(edges):
            count = max(len(one) - 1, 0)
            low[row, :count], slopes[row, :count] = map(torch.from_numpy, bins(one))
        self.register_buffer("low", low, persistent=False)
        self.register_buffer("slopes", slopes, persistent=False)
        self.weight = nn.Parameter(torch.randn(folds, n, most + 1, width) * (most + 1) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(folds, n, width))
        self.missing = nn.Parameter(torch.zeros(folds, n, width))

    def forward(self, numbers: Tensor) -> Tensor:
        missing = numbers.isnan()[..., None]
        value = numbers[..., None].nan_to_num()
        code = (value - self.low).mul_(self.slopes).clamp_(0, 1)  # subtracted first: a bin may be narrow
        linear = torch.addcmul(self.bias[:, None], value, self.weight[:, None, :, 0])
        embedded = linear + torch.einsum("fbdi,fdiw->fbdw", code, self.weight[:, :, 1:])
        return torch.where(missing, self.missing[:, None], embedded)


class CategoryEmbedding(nn.Module):
    """One table for all columns of codes; rows 0 (missing) and 1 (unknown) of each start at zero.

    Shape: (F, B, C) int64 codes -> (F, B, C, width).

    Args:
        n_zero: how many of the last columns start at zero in every row.
    """

    offsets: Tensor

    def __init__(self, sizes: Sequence[int], *, folds: int, width: int, n_zero: int = 0) -> None:
        super().__init__()
        first = torch.from_numpy(starts(sizes))
        # Not stored with the weights: positions from a file could lie outside of the table.
        offsets = first[:-1] + torch.arange(folds)[:, None, None] * first[-1]
        self.register_buffer("offsets", offsets, persistent=False)
        table = torch.randn(folds, int(first[-1]), width)
        for start in first[:-1]:
            table[:, start : start + 2] = 0.0
        table[:, first[len(sizes) - n_zero] :] = 0.0
        self.weight = nn.Parameter(table)

    def forward(self, codes: Tensor) -> Tensor:
        return nn.functional.embedding(codes + self.offsets, self.weight.flatten(0, 1))


class ColumnTokens(nn.Module):
    """The table columns and history aggregates of F batches as tokens.

    Shape: (F, B, D) float32, (F, B, C + V) int64 -> (F, B, D + C, width).

    The embedding of a repeated number is added to that of the number.
    """

    valued: Tensor

    def __init__(self, layout: Layout, *, folds: int, width: int) -> None:
        super().__init__()
        self.numeric = NumericEmbedding(layout.edges, folds=folds, width=width)
        n_values = len(layout.values)
        self.categories = CategoryEmbedding(layout.codes, folds=folds, width=width, n_zero=n_values)
        valued = torch.tensor([n for n, _ in layout.values], dtype=torch.int64)
        self.register_buffer("valued", valued, persistent=False)
        self.n_categories, self.n_tokens = len(layout.sizes), len(layout.edges) + len(layout.sizes)

    def forward(self, numeric: Tensor, codes: Tensor) -> Tensor:
        numbers = self.numeric(numeric)
        read = self.n_categories + len(self.valued)
        categories, values = self.categories(codes[..., :read]).tensor_split([self.n_categories], dim=2)
        if len(self.valued):
            numbers = numbers.index_add(2, self.valued, values)
        return torch.cat([numbers, categories], dim=2)
