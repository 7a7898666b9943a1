"""A batch of network inputs as tensors, gathered from the arrays of all examples."""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from model.features.inputs import Inputs, Steps
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


def gather(inputs: Inputs, rows: Tensor) -> Batch:
    """Gather the examples at (B,) int64 positions."""
    steps = _no_steps(len(rows)) if inputs.steps is None else _steps(inputs.steps, rows)
    return Batch(torch.from_numpy(inputs.numeric)[rows], torch.from_numpy(inputs.categories)[rows], *steps)


def _steps(steps: Steps, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    starts = torch.from_numpy(steps.starts)[rows]
    lengths = torch.from_numpy(steps.ends)[rows] - starts
    offsets = torch.arange(int(lengths.max()) if len(rows) else 0)
    real = offsets < lengths[:, None]
    positions = torch.where(real, starts[:, None] + offsets, 0)
    numbers, codes = torch.from_numpy(steps.numbers)[positions], torch.from_numpy(steps.categories)[positions]
    if steps.ages is not None and len(offsets):
        times, cutoffs = map(torch.from_numpy, steps.ages)
        numbers[..., AGE] = torch.log1p((cutoffs[rows][:, None] - times[positions]).clamp(min=0)).float()
        numbers[:, 0, GAP] = torch.nan  # the gap before the first step begins before the history
    real = real[..., None]
    return torch.where(real, numbers, 0.0), torch.where(real, codes, 0), lengths


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
