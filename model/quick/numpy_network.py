"""The mlp network as a few numpy operations: what it costs to answer one customer on a CPU.

Torch spends some microseconds on every operation, which is most of the time that a single row takes.
A token is read from a table. The arithmetic is that of `model.network.network`, up to float32's rounding.
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

_LARGEST_LOGIT: Final = 500.0  # whose exponential is still a float64
_BLOCK: Final = 512  # rows of all members at a time: what lies between the layers stays in the cache
_LEAST: Final = 64  # rows at a time
_ZERO: Final = np.float32(0)


@dataclass(frozen=True)
class NumpyNetwork:
    """F folds of M members of the mlp head.

    Attributes:
        numbers: tokens of the N numbers.
        table, offsets: (F, codes, width) tokens of the C categories and V repeated numbers; (C + V,) where
            the codes of each begin.
        n_categories: C.
        valued: (V,) which numbers the repeated values belong to.
        first: the weights of the first layer, with the adapters in them: (F, M, N * width, hidden) for the
            numbers' tokens, (F, M, C * width, hidden) for the categories'; and its (F, 1, 1, hidden) bias.
        hidden: weight and bias of each further layer, (F, 1, hidden, hidden) and (F, 1, 1, hidden).
        last: of the output layer, (F, M, hidden, K) and (F, M, 1, K).
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
        """Read the weights of a network of the mlp head."""
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
            numbers: (n, N) scaled, NaN missing.
            codes: (n, C + V or more: without piecewise numbers the repeated values are not read).
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
