"""Logits of customers of whom some inputs are their own and the others a base's.

The first layer of a network adds up what its inputs say, so that a mixture of inputs is a sum of parts
there. A sequence is either own or the base's, so it is read once for each.
"""

from dataclasses import dataclass
from typing import Final, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from model.features.inputs import Inputs
from model.network.linear import LinearNetwork
from model.probability import Logits
from model.quick.numpy_network import NumpyNetwork
from model.reasons.groups import Members
from model.scorer import Scorer

_ROWS: Final = 2048  # mixtures at a time

Floats = NDArray[np.floating]


class ReadsSteps(Protocol):
    """A network of a head that reads steps, `model.network.inference.TorchNetwork`."""

    def read_steps(self, inputs: Inputs) -> NDArray[np.float32]:
        """(F, n, read) what each of its networks reads of them."""


@dataclass(frozen=True)
class Mixer:
    """Computes the logits of mixtures.

    Attributes:
        network: the network in numpy, but for its reading of steps; None where an encoder reads the tokens of
            all columns in turn.
    """

    scorer: Scorer
    network: NumpyNetwork | LinearNetwork | None

    @classmethod
    def of(cls, scorer: Scorer) -> Self:
        """Return the mixer of a scorer's network."""
        if isinstance(scorer.network, NumpyNetwork | LinearNetwork):
            return cls(scorer, scorer.network)
        has_steps = scorer.schema.events or scorer.schema.series
        if scorer.spec.reads_steps and not has_steps:
            return cls(scorer, None)
        return cls(scorer, NumpyNetwork.of(scorer.schema, scorer.spec, scorer.weights))

    def logits(self, own: Inputs, base: Inputs, of: Members, inside: NDArray[np.bool_]) -> Logits:
        """(n, S, K) float64 logits of each horizon's probability.

        Args:
            own: of n customers.
            base: of one customer or of n.
            of: G groups of inputs.
            inside: (S, G) whether a group is own in each of S mixtures.
        """
        n, step = len(own), max(1, _ROWS // len(inside))
        blocks = [np.arange(at, min(at + step, n)) for at in range(0, n, step)]
        parts = [
            self._block(own.take(rows), base.take(rows) if len(base) > 1 else base, of, inside)
            for rows in blocks
        ]
        mixed = np.concatenate(parts) if parts else np.empty((0, self.scorer.task.n_outputs))
        return self.scorer.horizon_logits(mixed).reshape(n, len(inside), mixed.shape[1])

    def _block(self, own: Inputs, base: Inputs, of: Members, inside: NDArray[np.bool_]) -> Logits:
        """(n * S, K) uncalibrated logits."""
        if self.network is None:
            return self.scorer.logits(_mixed(own, base, of, inside))
        of_base = self._parts(self.network, base, of)
        change = self._parts(self.network, own, of) - of_base  # (F, M, n, G, hidden)
        h = inside.astype(change.dtype) @ change + of_base.sum(axis=3, keepdims=True)
        return self.network.finish(h.reshape(*h.shape[:2], -1, h.shape[4]))

    def _parts(self, network: NumpyNetwork | LinearNetwork, inputs: Inputs, of: Members) -> Floats:
        """(F, M, n, G, hidden) what each group adds to the first layer."""
        of_each = network.parts(inputs)
        tokens = np.concatenate([of.numbers, of.codes])[: of_each.shape[3]]
        parts: Floats = (tokens == np.arange(len(of))[:, None]).astype(of_each.dtype) @ of_each
        if of.steps >= 0 and isinstance(network, NumpyNetwork):
            read = cast(ReadsSteps, self.scorer.network).read_steps(inputs)
            parts[:, :, :, of.steps] += read[:, None] @ network.of_steps
        return parts


def _mixed(own: Inputs, base: Inputs, of: Members, inside: NDArray[np.bool_]) -> Inputs:
    """All mixtures of the inputs as n * S examples."""
    numeric = np.where(inside[:, of.numbers], own.numeric[:, None], base.numeric[:, None])
    codes = np.where(inside[:, of.codes], own.categories[:, None], base.categories[:, None])
    return Inputs(numeric.reshape(-1, numeric.shape[2]), codes.reshape(-1, codes.shape[2]))
