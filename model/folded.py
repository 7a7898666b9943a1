"""The mlp network as a few numpy operations: what it costs to answer one customer on a CPU.

Torch spends some microseconds on every operation, which is most of the time that a single row takes.
A token is read from a table. The arithmetic is that of `model.network`, up to the rounding of float32.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Module

from model.hazard import Logits
from model.network import Network
from model.number_tables import Floats, NumberTables

Codes = NDArray[np.int64]

_LARGEST_LOGIT: Final = 500.0  # whose exponential is still a float64
_BLOCK: Final = 512  # rows of all members at a time: what lies between the layers stays in the cache
_LEAST: Final = 64  # rows at a time


@dataclass(frozen=True)
class Folded:
    """F folds of M members of the mlp head.

    Attributes:
        numbers: tokens of the N numbers.
        table, offsets: (codes, F * width) tokens of the C categories and V repeated numbers; (C + V,) where
            the codes of each begin.
        valued: (V,) which numbers the repeated values belong to.
        adapter: (F, M, 1, W).
        hidden: of each layer its (F, in, out) weight and (F, 1, out) bias.
        weight, bias: (F, M, width, K), (F, M, 1, K).
    """

    numbers: NumberTables
    table: Floats
    offsets: Codes
    valued: Codes
    adapter: Floats
    hidden: tuple[tuple[Floats, Floats], ...]
    weight: Floats
    bias: Floats

    @classmethod
    def build(cls, network: Network) -> Self:
        """Read the weights of a network of the mlp head."""
        tokens, trunk = network.tokens, network.trunk
        return cls(
            numbers=NumberTables.build(tokens.numeric),
            table=_side_by_side(tokens.categories.weight).astype(np.float32),
            offsets=_array(tokens.categories.offsets)[0, 0],
            valued=_array(tokens.valued),
            adapter=_array(trunk.adapter),
            hidden=tuple((_array(layer.weight), _array(layer.bias)) for layer in trunk.hidden),
            weight=_array(trunk.weight),
            bias=_array(trunk.bias),
        )

    def logits(self, numbers: Floats, codes: Codes) -> Logits:
        """(n, K) float64 uncalibrated logits.

        Args:
            numbers: (n, N) scaled, NaN missing.
            codes: (n, C + V or more: without piecewise numbers the repeated values are not read).
        """
        codes = codes[:, : len(self.offsets)]
        size = max(_BLOCK // self.adapter[:, :, 0, 0].size, _LEAST)
        starts = range(0, max(len(numbers), 1), size)
        parts = [self._block(numbers[at : at + size], codes[at : at + size]) for at in starts]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _block(self, numbers: Floats, codes: Codes) -> Logits:
        F, M, _, W = self.adapter.shape
        x = self._tokens(numbers, codes).reshape(len(numbers), self._n_tokens, F, W // self._n_tokens)
        x = np.ascontiguousarray(x.transpose(2, 0, 1, 3)).reshape(F, 1, len(numbers), W)
        h = (x * self.adapter).reshape(F, M * len(numbers), W)
        for weight, bias in self.hidden:
            h = h @ weight
            h += bias
            np.maximum(h, 0, out=h)
        members = h.reshape(F, M, len(numbers), h.shape[2]) @ self.weight + self.bias
        return _average(members.reshape(F * M, *members.shape[2:]))

    def _tokens(self, numbers: Floats, codes: Codes) -> Floats:
        """(n, N + C, F * width)."""
        N, C = len(self.numbers), len(self.offsets) - len(self.valued)
        tokens = np.empty((len(numbers), N + C, self.table.shape[1]), dtype=np.float32)
        self.numbers(numbers, tokens[:, :N])
        rows = codes + self.offsets
        tokens[:, N:] = self.table.take(rows[:, :C], axis=0)
        if len(self.valued):
            tokens[:, self.valued] += self.table.take(rows[:, C:], axis=0)
        return tokens

    @property
    def _n_tokens(self) -> int:
        return len(self.numbers) + len(self.offsets) - len(self.valued)


def _average(members: Floats) -> Logits:
    """(F * M, n, K) member logits -> (n, K) logits of their mean probability."""
    exact: Logits = members.astype(np.float64)
    if len(exact) == 1:
        return exact.reshape(exact.shape[1:])
    odds = np.exp(exact.clip(-_LARGEST_LOGIT, _LARGEST_LOGIT))
    no = 1 / (1 + odds)
    averaged: Logits = np.log((odds * no).sum(axis=0) / no.sum(axis=0))
    return averaged


def _array(tensor: Tensor | Module) -> NDArray[Any]:
    assert isinstance(tensor, Tensor)
    array: NDArray[Any] = tensor.detach().cpu().numpy()
    return array


def _side_by_side(parameter: Tensor) -> NDArray[np.float64]:
    """(F, n, width) -> (n, F * width)."""
    F, n, width = parameter.shape
    return parameter.detach().cpu().double().permute(1, 0, 2).reshape(n, F * width).numpy()
