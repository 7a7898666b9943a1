"""The tensors that a network reads."""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """B examples. Widths may be 0; L is the longest sequence in the batch.

    Attributes:
        numeric: (B, N) float32, scaled; NaN where missing.
        categories: (B, C) int64 codes; 0 missing, 1 unknown; then those of repeated numbers.
        steps: (B, L, S) float32, a sequence oldest first, scaled; NaN where missing.
        step_categories: (B, L, T) int64 codes.
        lengths: (B,) int64, real steps of each row; what lies beyond is padding.
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
        """The same rows in batches of `n_rows`."""
        parts = zip(*(getattr(self, field.name).split(n_rows) for field in fields(self)), strict=True)
        return [type(self)(*tensors) for tensors in parts]

    def to(self, device: torch.device) -> Self:
        """The same batch on a device; pinned and asynchronous on the way to cuda."""
        if device == self.numeric.device:
            return self
        cuda = device.type == "cuda"
        moved = {}
        for field in fields(self):
            tensor: Tensor = getattr(self, field.name)
            moved[field.name] = (tensor.pin_memory() if cuda else tensor).to(device, non_blocking=cuda)
        return type(self)(**moved)


def _check(name: str, tensor: Tensor, shape: tuple[int | None, ...], dtype: torch.dtype) -> None:
    fits = tensor.dim() == len(shape) and all(
        want is None or have == want for have, want in zip(tensor.shape, shape, strict=True)
    )
    if not fits or tensor.dtype != dtype:
        raise ValueError(
            f"{name} must be {dtype} of shape {shape}, however it is {tensor.dtype} of {tuple(tensor.shape)}"
        )
