"""Sequences one after another, as the encoders read them."""

import torch
from hypothesis import strategies as st
from torch import Tensor

lengths_lists = st.lists(st.integers(0, 12), min_size=1, max_size=5)


def random_steps(lengths: list[int], *, width: int = 2, seed: int = 0) -> tuple[Tensor, Tensor]:
    """(T, width) float32 and (B,) int64."""
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(sum(lengths), width, generator=draw), torch.tensor(lengths, dtype=torch.int64)
