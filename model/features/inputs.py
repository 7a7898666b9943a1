"""Network inputs: examples encoded once into flat arrays, and batches gathered from them.

A sequence is one row per event (or per step of a wide series), shared by all examples of a customer. Only
the age before the cutoff is computed for each batch.
"""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from model.features.sequence import AGE, GAP


@dataclass(frozen=True)
class Batch:
    """B examples. Widths may be 0; L is the longest sequence in the batch.

    Attributes:
        numeric: (B, N) float32, scaled; NaN where missing.
        categories: (B, C) int64 codes: 0 missing, 1 unknown; then codes of repeated numbers.
        steps: (B, L, S) float32, oldest first, scaled; NaN where missing.
        step_categories: (B, L, T) int64 codes.
        lengths: (B,) int64 steps of each row; the others are padding.
    """

    numeric: Tensor
    categories: Tensor
    steps: Tensor
    step_categories: Tensor
    lengths: Tensor

    def __post_init__(self) -> None:
        n, length = len(self.numeric), self.steps.shape[1]
        _check("numeric", self.numeric, (n, None), torch.float32)
        _check("categories", self.categories, (n, None), torch.int64)
        _check("steps", self.steps, (n, length, None), torch.float32)
        _check("step_categories", self.step_categories, (n, length, None), torch.int64)
        _check("lengths", self.lengths, (n,), torch.int64)

    def __len__(self) -> int:
        return len(self.numeric)

    def split(self, n_rows: int) -> list[Self]:
        """Split into batches of `n_rows`; the last may have fewer."""
        parts = zip(*(getattr(self, field.name).split(n_rows) for field in fields(self)), strict=True)
        return [type(self)(*tensors) for tensors in parts]

    def to(self, device: torch.device) -> Self:
        """Return the batch on a device; the copy to cuda is pinned and asynchronous."""
        if device == self.numeric.device:
            return self
        cuda = device.type == "cuda"
        moved = {}
        for field in fields(self):
            tensor: Tensor = getattr(self, field.name)
            moved[field.name] = (tensor.pin_memory() if cuda else tensor).to(device, non_blocking=cuda)
        return type(self)(**moved)


@dataclass(frozen=True)
class Steps:
    """Sequences of N examples over E shared rows.

    Attributes:
        numbers: (E, S) float32; NaN missing.
        categories: (E, T) int64 codes.
        starts, ends: (N,) int64, each example's rows.
        ages: of events, the (E,) times and the (N,) cutoffs in float64 days; None for a series.
    """

    numbers: Tensor
    categories: Tensor
    starts: Tensor
    ends: Tensor
    ages: tuple[Tensor, Tensor] | None = None


@dataclass(frozen=True)
class Inputs:
    """Network inputs of N examples.

    Attributes:
        numeric: (N, D) float32, scaled; NaN missing: columns, history aggregates, rates of categories.
        categories: (N, C) int64 codes: 0 missing, 1 unknown; then codes of repeated numbers.
        steps: the sequences; None where the head reads none.
    """

    numeric: Tensor
    categories: Tensor
    steps: Steps | None

    def __len__(self) -> int:
        return len(self.numeric)

    def batch(self, rows: Tensor) -> Batch:
        """Gather the examples at (B,) int64 positions."""
        if self.steps is None:
            steps, codes, lengths = _no_steps(len(rows))
        else:
            steps, codes, lengths = _gather(self.steps, rows)
        return Batch(self.numeric[rows], self.categories[rows], steps, codes, lengths)


def _gather(steps: Steps, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    starts = steps.starts[rows]
    lengths = steps.ends[rows] - starts
    offsets = torch.arange(int(lengths.max()) if len(rows) else 0)
    real = offsets < lengths[:, None]
    positions = torch.where(real, starts[:, None] + offsets, 0)
    numbers = steps.numbers[positions]
    if steps.ages is not None and len(offsets):
        times, cutoffs = steps.ages
        numbers[..., AGE] = torch.log1p((cutoffs[rows][:, None] - times[positions]).clamp(min=0)).float()
        numbers[:, 0, GAP] = torch.nan  # the gap before the first step begins before the history
    real = real[..., None]
    return torch.where(real, numbers, 0.0), torch.where(real, steps.categories[positions], 0), lengths


def _no_steps(n: int) -> tuple[Tensor, Tensor, Tensor]:
    empty = torch.zeros((n, 0, 0))
    return empty, empty.long(), torch.zeros(n, dtype=torch.int64)


def _check(name: str, tensor: Tensor, shape: tuple[int | None, ...], dtype: torch.dtype) -> None:
    fits = tensor.dim() == len(shape) and all(
        want is None or have == want for have, want in zip(tensor.shape, shape, strict=True)
    )
    if not fits or tensor.dtype != dtype:
        raise ValueError(
            f"{name} must be {dtype} of shape {shape}, got {tensor.dtype} of {tuple(tensor.shape)}"
        )
