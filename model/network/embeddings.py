"""Embeddings of columns: numbers piecewise linearly (Gorishniy et al. 2022), categories by a table.

The first dimension of every parameter is F: one network per fold of the training customers, without
shared weights. They run together, since F small matrix products cost little more than one.
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

STEEPEST: Final = 1e30  # slope of a bin; products stay in float32


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
        n, bins = len(edges), max([0, *(len(e) - 1 for e in edges)])
        low, slopes = torch.zeros(n, bins), torch.zeros(n, bins)  # 0 where a number has fewer bins
        for row, one in enumerate(edges):
            points = torch.tensor(one, dtype=torch.float64)
            count = max(len(one) - 1, 0)
            low[row, :count], slopes[row, :count] = points[:-1], (1 / points.diff()).clamp(max=STEEPEST)
        self.register_buffer("low", low)
        self.register_buffer("slopes", slopes)
        self.weight = nn.Parameter(torch.randn(folds, n, bins + 1, width) * (bins + 1) ** -0.5)
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
        starts = torch.tensor([0, *sizes]).cumsum(0)
        # Not stored with the weights: positions from a file could lie outside of the table.
        offsets = starts[:-1] + torch.arange(folds)[:, None, None] * starts[-1]
        self.register_buffer("offsets", offsets, persistent=False)
        table = torch.randn(folds, int(starts[-1]), width)
        for start in starts[:-1]:
            table[:, start : start + 2] = 0.0
        table[:, starts[len(sizes) - n_zero] :] = 0.0
        self.weight = nn.Parameter(table)

    def forward(self, codes: Tensor) -> Tensor:
        return nn.functional.embedding(codes + self.offsets, self.weight.flatten(0, 1))


class ColumnTokens(nn.Module):
    """The table columns and history aggregates of F batches as tokens.

    Shape: (F, B, D) float32, (F, B, C + V) int64 -> (F, B, D + C, width).

    Args:
        edges: of each of the D numbers.
        sizes: codes of each of the C categorical columns.
        values: position and number of codes of each of the V numbers with repeated values (see
            `model.schema.NumericColumn`); the embedding of a repeated value is added to the number's.
    """

    valued: Tensor

    def __init__(
        self,
        edges: Sequence[Sequence[float]],
        sizes: Sequence[int],
        values: Sequence[tuple[int, int]],
        *,
        folds: int,
        width: int,
    ) -> None:
        super().__init__()
        self.numeric = NumericEmbedding(edges, folds=folds, width=width)
        codes = [*sizes, *(size for _, size in values)]
        self.categories = CategoryEmbedding(codes, folds=folds, width=width, n_zero=len(values))
        valued = torch.tensor([n for n, _ in values], dtype=torch.int64)
        self.register_buffer("valued", valued, persistent=False)
        self.n_categories, self.n_tokens = len(sizes), len(edges) + len(sizes)

    def forward(self, numeric: Tensor, codes: Tensor) -> Tensor:
        numbers = self.numeric(numeric)
        read = self.n_categories + len(self.valued)
        categories, values = self.categories(codes[..., :read]).tensor_split([self.n_categories], dim=2)
        if len(self.valued):
            numbers = numbers.index_add(2, self.valued, values)
        return torch.cat([numbers, categories], dim=2)
