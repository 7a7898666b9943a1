"""Tokens of numbers by table: a piecewise-linear embedding is one line per segment of a number."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from model.network.embeddings import NumericEmbedding

Floats = NDArray[np.float32]

_LOWEST: Final = np.float32(-3e38)


@dataclass(frozen=True)
class NumberTables:
    """Lines of N numbers with S segments each: below the bins, one per bin, above them, and missing.

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
    def build(cls, module: NumericEmbedding) -> Self:
        """Convert F embeddings."""
        F, N, _, width = module.weight.shape
        weight, bias, missing = (
            part.detach().cpu().double().numpy() for part in (module.weight, module.bias, module.missing)
        )
        low, slopes = module.low.cpu().double().numpy(), module.slopes.cpu().double().numpy()
        S = low.shape[1] + 3
        edges, origin = np.full((N, S - 1), np.inf), np.zeros((N, S))
        at, step = np.zeros((F, N, S, width)), np.zeros((F, N, S, width))
        for n in range(N):
            lows, slope = low[n, slopes[n] > 0], slopes[n, slopes[n] > 0]
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
