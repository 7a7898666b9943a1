"""The mlp network as a few numpy operations: what it costs to answer one customer on a CPU.

Torch spends some microseconds on every operation, which is most of the time that a single row takes.
Everything before the first hidden layer is linear within a bin, so that a number's token is read from
tables. The arithmetic is that of `model.network`, up to the rounding of float32.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Module

from model.embeddings import NumericEmbedding
from model.hazard import Logits
from model.network import Network

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]

_LARGEST_LOGIT: Final = 500.0  # whose exponential is still a float64
_BLOCK: Final = 256  # rows at a time, so that what lies between the layers stays in the cache


@dataclass(frozen=True)
class NumberTables:
    """Tokens of N numbers by bin: `start + x * linear + inside * ramp`, `inside` being 0 to 1 in the bin.

    Attributes:
        low, slope: (N, T) lower edge of each bin, inf where a number has fewer; 1 / width.
        start, ramp: (N * (T + 1), F * width); the last row of each number is that of a missing one.
        linear: (N, F * width).
    """

    low: Floats
    slope: Floats
    start: Floats
    ramp: Floats
    linear: Floats

    @classmethod
    def build(cls, module: NumericEmbedding) -> Self:
        """The tables of F linear layers a number, side by side."""
        low, slope = _array(module.low), _array(module.slopes)
        if not low.shape[1]:  # no number has bins: one bin without a ramp
            low, slope = np.zeros((len(low), 1), np.float32), np.zeros((len(low), 1), np.float32)
        absent = slope == 0
        F, N, T, width = module.weight.shape
        weight = _array(module.weight.double().permute(1, 2, 0, 3).reshape(N, T, F * width))
        ramp = np.zeros((*low.shape, weight.shape[2]))
        ramp[:, : weight.shape[1] - 1] = weight[:, 1:]
        ramp[absent] = 0
        bias, missing = _side_by_side(module.bias), _side_by_side(module.missing)
        start = bias[:, None] + np.cumsum(ramp, axis=1) - ramp
        rows = (low.size + N, F * width)
        return cls(
            low=np.where(absent & (np.arange(low.shape[1]) > 0), np.float32(np.inf), low),
            slope=slope,
            start=np.concatenate([start, missing[:, None]], axis=1).reshape(rows).astype(np.float32),
            ramp=np.concatenate([ramp, 0 * missing[:, None]], axis=1).reshape(rows).astype(np.float32),
            linear=weight[:, 0].astype(np.float32),
        )

    def __call__(self, numbers: Floats) -> Floats:
        """(n, N) with NaN -> (n, N, F * width)."""
        N, T = self.low.shape
        missing = np.isnan(numbers)
        x = np.where(missing, np.float32(0), numbers)
        bins = np.maximum(np.add.reduce(x[:, :, None] >= self.low, axis=2, dtype=np.int64) - 1, 0)
        number = np.arange(N)
        flat = bins + number * T
        inside = np.minimum(np.maximum((x - self.low.take(flat)) * self.slope.take(flat), 0), 1)
        place = np.where(missing, T, bins) + number * (T + 1)
        tokens = self.ramp.take(place, axis=0)
        tokens *= inside[:, :, None]
        tokens += self.start.take(place, axis=0)
        tokens += x[:, :, None] * self.linear
        return tokens  # type: ignore[no-any-return]


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
            codes: (n, C + V).
        """
        starts = range(0, max(len(numbers), 1), _BLOCK)
        parts = [self._block(numbers[at : at + _BLOCK], codes[at : at + _BLOCK]) for at in starts]
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
        N, C = len(self.numbers.linear), len(self.offsets) - len(self.valued)
        tokens = self.numbers(numbers)
        read = self.table.take(codes + self.offsets, axis=0)
        if len(self.valued):
            tokens[:, self.valued] += read[:, C:]
        return np.concatenate([tokens, read[:, :C]], axis=1) if C else tokens[:, :N]

    @property
    def _n_tokens(self) -> int:
        return len(self.numbers.linear) + len(self.offsets) - len(self.valued)


def _average(members: Floats) -> Logits:
    """(F * M, n, K) member logits -> (n, K) logits of their mean probability."""
    odds = np.exp(members.astype(np.float64).clip(-_LARGEST_LOGIT, _LARGEST_LOGIT))
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
