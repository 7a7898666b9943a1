"""What a network reads of the inputs of a schema, and the check of its weights. This needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from model.errors import CheckpointError
from model.schema import Schema
from model.store.checkpoint import Weights

STEEPEST: Final = 1e30  # slope of a bin; products stay in float32


@dataclass(frozen=True)
class Layout:
    """The columns of `model.features.inputs.Inputs`.

    Attributes:
        edges: of each of the D numbers; none where it is embedded linearly.
        sizes: codes of each of the C categories.
        values: position and number of codes of each of the V numbers with repeated values (see
            `model.schema.NumericColumn`).
    """

    edges: Sequence[Sequence[float]]
    sizes: Sequence[int]
    values: Sequence[tuple[int, int]]

    @classmethod
    def of(cls, schema: Schema, *, piecewise: bool) -> Self:
        """Return the layout of a schema's inputs; the edges and values are read if piecewise."""
        scalings = [scaling for _, scaling in schema.numbers] + [rates.scaling for rates in schema.rated]
        return cls(
            edges=[scaling.edges if piecewise else () for scaling in scalings],
            sizes=[len(category.vocabulary) + 2 for category in schema.categories],
            values=[(n, len(column.values) + 1) for n, column in schema.valued if piecewise],
        )

    @property
    def codes(self) -> list[int]:
        """The number of codes of each category, then of each repeated number."""
        return [*self.sizes, *(size for _, size in self.values)]


def starts(sizes: Sequence[int]) -> NDArray[np.int64]:
    """(C + 1,) int64: the first row of each category in a table of all codes, then the number of rows."""
    return np.cumsum([0, *sizes])


def bins(edges: Sequence[float]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the lower edge and the slope of each bin between ascending edges."""
    widths = np.maximum(np.diff(edges), 1 / STEEPEST)
    return np.asarray(edges[:-1], dtype=np.float32), (1 / widths).astype(np.float32)


def check_weights(weights: Weights, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check the weights of a checkpoint against the network of its manifest.

    Raises:
        CheckpointError: they are not float32 arrays of these names and shapes.
    """
    wanted, got = dict(shapes), {name: weight.shape for name, weight in weights.items()}
    differing = sorted(name for name in wanted.keys() | got if wanted.get(name) != got.get(name))
    if differing:
        name = differing[0]
        raise CheckpointError(
            f"the weights must fit the network of the manifest: {name} must have the shape "
            f"{wanted.get(name, 'of nothing')}, got {got.get(name, 'nothing')}"
        )
    for name, weight in weights.items():
        if weight.dtype != np.float32:
            raise CheckpointError(f"the weights must be float32, got {name} of {weight.dtype}")
