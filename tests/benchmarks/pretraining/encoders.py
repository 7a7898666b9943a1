"""What the experiment knows of the networks: states of an encoder at each step, and a start for a fit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch
from torch import Tensor, nn

from model.network.cnn import KERNEL
from model.network.network import Network, build_network
from model.network.rnn import GruEncoder
from model.network.steps import Encoder, StepReader
from model.schema import Schema
from model.store.manifest import NetworkSpec

Start = Callable[[StepReader, Schema], None]


def step_states(encoder: Encoder, steps: Tensor) -> Tensor:
    """(B, L, width_in) padded sequences -> (B, L, width): what is known after each step.

    No state depends on a later step, so that the padding behind a sequence changes nothing.
    """
    if isinstance(encoder, GruEncoder):
        states: Tensor = encoder.gru(steps.transpose(0, 1))[0].transpose(0, 1)
        return states
    for layer, tap in enumerate(encoder.taps):
        y: Tensor = torch.relu(tap(_look_back(steps, 2**layer)))
        steps = y if layer == 0 else steps + y
    return steps


def state_width(encoder: Encoder) -> int:
    """Width of a state."""
    return encoder.gru.hidden_size if isinstance(encoder, GruEncoder) else encoder.width // 3


def embed(reader: StepReader, steps: Tensor, codes: Tensor) -> Tensor:
    """(B, L, S) numbers and (B, L, T) codes -> (B, L, width)."""
    flat = reader.embedding(steps.flatten(0, 1), codes.flatten(0, 1))
    embedded: Tensor = flat.unflatten(0, steps.shape[:2])
    return embedded


@contextmanager
def started_by(start: Start) -> Iterator[None]:
    """In here, `fit_model` fits networks whose readers have been through `start`.

    One reader is started and the others become its copies, since no label tells the folds apart.
    """

    def build(spec: NetworkSpec, schema: Schema, *, n_outputs: int) -> Network:
        network = build_network(spec, schema, n_outputs=n_outputs)
        first, *others = network.readers
        assert isinstance(first, StepReader)
        start(first, schema)
        for other in others:
            other.load_state_dict(first.state_dict())
        return network

    with patch("training.fit.model_fit.build_network", build):
        yield


def _look_back(x: Tensor, dilation: int) -> Tensor:
    """(B, L, KERNEL * C): a step beside those `dilation` and twice as far back, zeros before the first."""
    earlier = [nn.functional.pad(x, (0, 0, back * dilation, 0))[:, : x.shape[1]] for back in range(KERNEL)]
    return torch.cat(earlier, dim=2)
