"""The mlp network in numpy, with tokens read from tables: `model.network.network` up to float32 rounding.

Of a head that reads steps it has all but the reading of steps.

Torch takes some microseconds per operation, most of the time of a single row. Of many rows, numpy is several
times as fast too, since blocks of rows stay in the cache. And torch takes two seconds and 200 MB to import,
which a service of such networks saves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from model.features.inputs import Inputs
from model.network.layout import Layout, bins, check_weights, starts
from model.probability import Logits
from model.schema import Schema
from model.store.checkpoint import Weights
from model.store.manifest import NetworkSpec

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]

_LARGEST_LOGIT: Final = 500.0  # its exponential is a finite float64
_BLOCK: Final = 512  # rows of all members at a time: the values between the layers fit into the cache
_LEAST: Final = 64  # rows at a time
_ZERO: Final = np.float32(0)
_LOWEST: Final = np.float32(-3e38)


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
        of_steps: the same for what a head reads of steps, (F, M, read, hidden).
        hidden: weight and bias of each further layer, (F, 1, hidden, hidden) and (F, 1, 1, hidden).
        last: weight and bias of the output layer, (F, M, hidden, K) and (F, M, 1, K).
        n_members: F * M.
    """

    numbers: "NumberTables"
    table: Floats
    offsets: Codes
    n_categories: int
    valued: Codes
    first: tuple[Floats, Floats, Floats]
    of_steps: Floats
    hidden: tuple[tuple[Floats, Floats], ...]
    last: tuple[Floats, Floats]
    n_members: int

    @classmethod
    def build(cls, schema: Schema, spec: NetworkSpec, weights: Weights, *, n_outputs: int) -> Self:
        """Return the network of an mlp head with the weights of a checkpoint.

        Raises:
            CheckpointError: the weights do not fit.
        """
        layout = Layout.of(schema, piecewise=spec.piecewise)
        check_weights(weights, _shapes(layout, spec, n_outputs))
        return cls.of(schema, spec, weights)

    @classmethod
    def of(cls, schema: Schema, spec: NetworkSpec, weights: Weights) -> Self:
        """Return the network of any head but the linear one, with weights that fit it."""
        layout = Layout.of(schema, piecewise=spec.piecewise)
        numeric = (weights[f"tokens.numeric.{name}"] for name in ("weight", "bias", "missing"))
        layers = [
            (weights[f"trunk.hidden.{layer}.weight"][:, None], weights[f"trunk.hidden.{layer}.bias"][:, None])
            for layer in range(spec.layers)
        ]
        first = weights["trunk.adapter"].swapaxes(2, 3) * layers[0][0]
        D, T = len(layout.edges), len(layout.edges) + len(layout.sizes)
        of_numbers, of_categories, of_steps = np.split(
            first, [D * spec.embedding, T * spec.embedding], axis=2
        )
        return cls(
            numbers=NumberTables.build(layout.edges, *numeric),
            table=weights["tokens.categories.weight"],
            offsets=starts(layout.codes)[:-1],
            n_categories=len(layout.sizes),
            valued=np.array([n for n, _ in layout.values], dtype=np.int64),
            first=(np.ascontiguousarray(of_numbers), np.ascontiguousarray(of_categories), layers[0][1]),
            of_steps=np.ascontiguousarray(of_steps),
            hidden=tuple(layers[1:]),
            last=(weights["trunk.weight"], weights["trunk.bias"]),
            n_members=spec.folds * spec.members,
        )

    def logits(self, inputs: Inputs) -> Logits:
        """(n, K) float64 uncalibrated logits."""
        codes = inputs.categories[:, : len(self.offsets)]  # a model may leave repeated values aside
        numbers = inputs.numeric
        size = max(_BLOCK // self.n_members, _LEAST)
        if len(numbers) <= size:
            return self._block(numbers, codes)
        first_rows = range(0, len(numbers), size)
        blocks = [self._block(numbers[at : at + size], codes[at : at + size]) for at in first_rows]
        return np.concatenate(blocks)

    def parts(self, inputs: Inputs) -> Floats:
        """(F, M, n, N + C, hidden) what each number and category adds to the first layer."""
        tokens = np.concatenate(
            self._tokens(inputs.numeric, inputs.categories[:, : len(self.offsets)]), axis=2
        )
        weights = np.concatenate(self.first[:2], axis=2)
        weights = weights.reshape(*weights.shape[:2], tokens.shape[2], -1, weights.shape[3])
        parts: Floats = tokens.swapaxes(1, 2)[:, None] @ weights  # (F, M, N + C, n, hidden)
        return parts.swapaxes(2, 3)

    def finish(self, h: Floats) -> Logits:
        """(n, K) float64 uncalibrated logits of the sum of all parts, (F, M, n, hidden); it is changed."""
        h += self.first[2]
        np.maximum(h, _ZERO, out=h)
        for weight, bias in self.hidden:
            h = h @ weight
            h += bias
            np.maximum(h, _ZERO, out=h)
        weight, bias = self.last
        members = h @ weight
        members += bias
        return _average(members.reshape(self.n_members, *members.shape[2:]))

    def _block(self, numbers: Floats, codes: Codes) -> Logits:
        tokens, categories = self._tokens(numbers, codes)
        h = _joined(tokens) @ self.first[0]
        h += _joined(categories) @ self.first[1]
        return self.finish(h)

    def _tokens(self, numbers: Floats, codes: Codes) -> tuple[Floats, Floats]:
        """(F, n, N, width) tokens of the numbers, and (F, n, C, width) of the categories."""
        codes = codes + self.offsets
        tokens = self.numbers(numbers)
        categories = self.table.take(codes[:, : self.n_categories], axis=1)
        if len(self.valued):
            tokens[:, :, self.valued] += self.table.take(codes[:, self.n_categories :], axis=1)
        return tokens, categories


@dataclass(frozen=True)
class NumberTables:
    """The tokens of N numbers as lines, one for each of the S segments of a number.

    The segments are: below the bins, each bin, above them, and missing.
    A token is `at + (x - origin) * step`, which is exact in narrow bins too.

    Attributes:
        last: (N,) row of the last segment of each number.
        edges: (S - 1, N, 1) ends of the segments; inf after the last.
        origin: (N * S,) of each segment.
        at, step: (F, N * S, width) of each segment.
    """

    last: NDArray[np.int64]
    edges: Floats
    origin: Floats
    at: Floats
    step: Floats

    @classmethod
    def build(cls, columns: Sequence[Sequence[float]], weight: Floats, bias: Floats, missing: Floats) -> Self:
        """Convert the weights of a `model.network.embeddings.NumericEmbedding`.

        Args:
            columns: the edges of each of N numbers.
        """
        F, N, n_codes, width = weight.shape
        S = n_codes + 2
        edges, origin = np.full((N, S - 1), np.inf), np.zeros((N, S))
        at, step = np.zeros((F, N, S, width)), np.zeros((F, N, S, width))
        for n in range(N):
            lows, slope = (array.astype(np.float64) for array in bins(columns[n]))
            linear, ramps = weight[:, n, :1], weight[:, n, 1 : 1 + len(lows)]
            ends = np.append(lows, lows[-1:] + 1 / slope[-1:])  # the edges; none without bins
            origins = np.concatenate([ends[:1], lows, ends[-1:]]) if len(lows) else np.zeros(1)
            used = slice(0, len(origins))
            passed = np.concatenate([np.zeros((F, 1, width)), np.cumsum(ramps, axis=1)], axis=1)
            edges[n, : len(ends)], origin[n, used] = ends, origins
            at[:, n, used] = (
                bias[:, n, None] + np.concatenate([passed[:, :1], passed], axis=1)[:, : len(origins)]
            )
            at[:, n, used] += origins[:, None] * linear
            step[:, n, used] = linear
            step[:, n, 1 : 1 + len(lows)] += ramps * slope[:, None]
        at[:, :, -1] = missing
        rows = (F, N * S, width)
        return cls(
            np.arange(N) * S + S - 1,
            np.ascontiguousarray(edges.T[:, :, None], dtype=np.float32),
            origin.astype(np.float32).ravel(),
            at.astype(np.float32).reshape(rows),
            step.astype(np.float32).reshape(rows),
        )

    def __len__(self) -> int:
        return len(self.last)

    def __call__(self, numbers: Floats) -> Floats:
        """(F, n, N, width) tokens of (n, N) numbers, NaN where missing; fastest if stored by columns."""
        above = (np.ascontiguousarray(numbers.T) < self.edges).view(np.uint8)  # no edge is above NaN
        counted = np.uint8 if len(above) < 256 else np.uint16
        segments = self.last - np.add.reduce(above, axis=0, dtype=counted).T
        inside = np.fmax(numbers, _LOWEST)  # any number in place of NaN
        inside -= self.origin.take(segments)
        tokens: Floats = self.step.take(segments, axis=1)
        tokens *= inside[:, :, None]
        tokens += self.at.take(segments, axis=1)
        return tokens


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


def _shapes(layout: Layout, spec: NetworkSpec, n_outputs: int) -> dict[str, tuple[int, ...]]:
    """The weights of the network in torch."""
    F, M, K, w, D = spec.folds, spec.members, n_outputs, spec.embedding, len(layout.edges)
    width_in = (D + len(layout.sizes)) * w
    shapes: dict[str, tuple[int, ...]] = {
        "tokens.numeric.weight": (F, D, max([1, *map(len, layout.edges)]), w),
        "tokens.numeric.bias": (F, D, w),
        "tokens.numeric.missing": (F, D, w),
        "tokens.categories.weight": (F, sum(layout.codes), w),
        "trunk.adapter": (F, M, 1, width_in),
        "trunk.weight": (F, M, spec.width, K),
        "trunk.bias": (F, M, 1, K),
    }
    for layer in range(spec.layers):
        shapes[f"trunk.hidden.{layer}.weight"] = (F, spec.width if layer else width_in, spec.width)
        shapes[f"trunk.hidden.{layer}.bias"] = (F, 1, spec.width)
    return shapes
