"""The mlp network in numpy, with tokens read from tables: `model.network.network` up to float32 rounding.

Torch takes some microseconds per operation, most of the time of a single row. Of many rows, numpy is several
times as fast too, since blocks of rows stay in the cache.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Module

from model.network.network import Network
from model.probability import Logits
from model.quick.number_tables import Floats, NumberTables

Codes = NDArray[np.int64]

_LARGEST_LOGIT: Final = 500.0  # its exponential is a finite float64
_BLOCK: Final = 512  # rows of all members at a time: the values between the layers fit into the cache
_LEAST: Final = 64  # rows at a time
_ZERO: Final = np.float32(0)


@dataclass(frozen=True)
class NumpyNetwork:
    """A network of the mlp head: F folds of M members.

    Attributes:
        numbers: tokens of the N numbers.
        table: (F, codes, width) tokens of the C categories and V repeated numbers.
        offsets: (C + V,) first row in the table of each.
        n_categories: C.
        valued: (V,) position among the numbers of each repeated number.
        first: weights of the first layer times the adapters, (F, M, N * width, hidden) for tokens of numbers
            and (F, M, C * width, hidden) for those of categories, and its (F, 1, 1, hidden) bias.
        hidden: weight and bias of each further layer, (F, 1, hidden, hidden) and (F, 1, 1, hidden).
        last: weight and bias of the output layer, (F, M, hidden, K) and (F, M, 1, K).
        n_members: F * M.
    """

    numbers: NumberTables
    table: Floats
    offsets: Codes
    n_categories: int
    valued: Codes
    first: tuple[Floats, Floats, Floats]
    hidden: tuple[tuple[Floats, Floats], ...]
    last: tuple[Floats, Floats]
    n_members: int

    @classmethod
    def build(cls, network: Network) -> Self:
        """Convert a network of the mlp head."""
        tokens, trunk = network.tokens, network.trunk
        numbers = NumberTables.build(tokens.numeric)
        layers = [(_array(one.weight)[:, None], _array(one.bias)[:, None]) for one in trunk.hidden]
        first = _array(trunk.adapter).swapaxes(2, 3) * layers[0][0]
        of_numbers, of_categories = np.split(
            first, [first.shape[2] // tokens.n_tokens * len(numbers)], axis=2
        )
        return cls(
            numbers=numbers,
            table=_array(tokens.categories.weight),
            offsets=_array(tokens.categories.offsets)[0, 0],
            n_categories=tokens.n_categories,
            valued=_array(tokens.valued),
            first=(np.ascontiguousarray(of_numbers), np.ascontiguousarray(of_categories), layers[0][1]),
            hidden=tuple(layers[1:]),
            last=(_array(trunk.weight), _array(trunk.bias)),
            n_members=trunk.weight.shape[0] * trunk.weight.shape[1],
        )

    def logits(self, numbers: Floats, codes: Codes) -> Logits:
        """(n, K) float64 uncalibrated logits.

        Args:
            numbers: (n, N) float32, scaled; NaN missing.
            codes: (n, C + V or more) int64; without piecewise numbers those of repeated values are not read.
        """
        codes = codes[:, : len(self.offsets)]
        size = max(_BLOCK // self.n_members, _LEAST)
        if len(numbers) <= size:
            return self._block(numbers, codes)
        starts = range(0, len(numbers), size)
        return np.concatenate([self._block(numbers[at : at + size], codes[at : at + size]) for at in starts])

    def _block(self, numbers: Floats, codes: Codes) -> Logits:
        codes = codes + self.offsets
        tokens = self.numbers(numbers)  # (F, n, N, width)
        categories = self.table.take(codes[:, : self.n_categories], axis=1)
        if len(self.valued):
            tokens[:, :, self.valued] += self.table.take(codes[:, self.n_categories :], axis=1)
        of_numbers, of_categories, bias = self.first
        h = _joined(tokens) @ of_numbers
        h += _joined(categories) @ of_categories
        h += bias
        np.maximum(h, _ZERO, out=h)
        for weight, bias in self.hidden:
            h = h @ weight
            h += bias
            np.maximum(h, _ZERO, out=h)
        weight, bias = self.last
        members = h @ weight
        members += bias
        return _average(members.reshape(self.n_members, *members.shape[2:]))


def _joined(tokens: Floats) -> Floats:
    """(F, n, T, width) -> (F, 1, n, T * width)."""
    F, n, T, width = tokens.shape
    return tokens.reshape(F, 1, n, T * width)


def _average(members: NDArray[Any]) -> Logits:
    """Return the (n, K) logits of the mean probability of (F * M, n, K) logits."""
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
