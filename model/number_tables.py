"""Numbers to tokens by table: a piecewise-linear embedding is one line in each segment of a number."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.embeddings import NumericEmbedding

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class NumberTables:
    """Lines of N numbers, S segments each: below the bins, in each bin, above them; the last is "missing".

    A token is `at + (x - origin) * rate * step`: nothing large is subtracted from something large, however
    narrow a bin.

    Attributes:
        first: (N,) the row of each number's first segment.
        edges: (S - 2, N) where a segment ends and the next begins; inf behind the last.
        origin, rate: (N * S,) of each segment.
        at, step: (N * S, F * width) of each segment.
    """

    first: NDArray[np.int64]
    edges: Floats
    origin: Floats
    rate: Floats
    at: Floats
    step: Floats

    @classmethod
    def build(cls, module: NumericEmbedding) -> Self:
        """The tables of F embeddings, side by side."""
        F, N, T, width = module.weight.shape
        weight = module.weight.detach().cpu().double().permute(1, 2, 0, 3).reshape(N, T, F * width).numpy()
        bias, missing = (
            part.detach().cpu().double().permute(1, 0, 2).reshape(N, F * width).numpy()
            for part in (module.bias, module.missing)
        )
        low, slopes = module.low.cpu().double().numpy(), module.slopes.cpu().double().numpy()
        S = low.shape[1] + 3
        edges, origin, rate = np.full((N, S - 2), np.inf), np.zeros((N, S)), np.ones((N, S))
        at, step = np.zeros((N, S, F * width)), np.zeros((N, S, F * width))
        for n in range(N):
            lows, slope = low[n, slopes[n] > 0], slopes[n, slopes[n] > 0]
            linear, ramps = weight[n, 0], weight[n, 1 : 1 + len(lows)]
            ends = np.append(lows, lows[-1:] + 1 / slope[-1:])  # the edges; none without bins
            origins = np.concatenate([ends[:1], lows, ends[-1:]]) if len(lows) else np.zeros(1)
            used = slice(0, len(origins))
            passed = np.concatenate([np.zeros((1, F * width)), np.cumsum(ramps, axis=0)])
            edges[n, : len(ends)], origin[n, used] = ends, origins
            at[n, used] = bias[n] + np.concatenate([passed[:1], passed])[: len(origins)]
            at[n, used] += origins[:, None] * linear
            step[n, used] = linear
            rate[n, 1 : 1 + len(lows)] = slope
            step[n, 1 : 1 + len(lows)] = ramps + linear / slope[:, None]
        at[:, -1] = missing
        rows = (N * S, F * width)
        return cls(
            np.arange(N) * S,
            np.ascontiguousarray(edges.T, dtype=np.float32),
            origin.astype(np.float32).ravel(),
            rate.astype(np.float32).ravel(),
            at.astype(np.float32).reshape(rows),
            step.astype(np.float32).reshape(rows),
        )

    def __len__(self) -> int:
        return len(self.first)

    def __call__(self, numbers: Floats, out: Floats) -> None:
        """Write (n, N, F * width) tokens of (n, N) numbers, NaN where missing."""
        S = len(self.edges) + 2
        missing = np.isnan(numbers)
        x = np.where(missing, np.float32(0), numbers)
        passed = (x >= self.edges[:, None]).view(np.uint8)
        segments = np.add.reduce(passed, axis=0, dtype=np.uint8 if S < 256 else np.uint16).astype(np.int64)
        segments[missing] = S - 1
        segments += self.first
        inside = (x - self.origin.take(segments)) * self.rate.take(segments)
        rise = self.step.take(segments, axis=0)
        rise *= inside[:, :, None]
        np.add(rise, self.at.take(segments, axis=0), out=out)
