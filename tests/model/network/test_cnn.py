"""The convolutional encoder, against loops over steps."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from model.network.cnn import ConvEncoder
from tests.model.network.sequences import lengths_lists, random_steps


def encoder(layers: int = 3) -> ConvEncoder:
    torch.manual_seed(0)
    return ConvEncoder(2, channels=4, layers=layers).eval()


def linear_layers(module: ConvEncoder) -> list[nn.Linear]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]


def naive(module: ConvEncoder, steps: Tensor) -> Tensor:
    """Last, mean and largest value of each channel of one sequence, by a loop over layers and steps."""
    x = steps
    for i, layer in enumerate(linear_layers(module)):
        nothing = torch.zeros(x.shape[1])
        seen = [[x[t - b] if t >= b else nothing for b in (0, 2**i, 2 * 2**i)] for t in range(len(x))]
        y = torch.stack([torch.relu(layer(torch.cat(taps))) for taps in seen])
        x = y if i == 0 else x + y
    return torch.cat([x[-1], x.mean(dim=0), x.max(dim=0).values])


@given(lengths_lists, st.integers(0, 9))
def test_it_computes_what_a_loop_computes(lengths: list[int], seed: int) -> None:
    module = encoder()
    steps, counts = random_steps(lengths, seed=seed)
    got = module(steps, counts).detach()
    for row, own in enumerate(steps.split(lengths)):
        wanted = naive(module, own).detach() if len(own) else torch.zeros(12)
        np.testing.assert_allclose(got[row], wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_last_value_sees_as_far_back_as_the_dilations_reach(layers: int) -> None:
    module, reach = encoder(layers), 1 + 2 * (2**layers - 1)
    for layer in linear_layers(module):
        nn.init.constant_(layer.bias, 9.0)  # so that no unit is at rest
    steps, counts = random_steps([4, 20])
    steps.requires_grad_()
    module(steps, counts)[1, :4].sum().backward()
    assert steps.grad is not None
    seen = steps.grad.abs().sum(dim=1)[4:] > 0
    assert seen[20 - reach]
    assert not seen[: 20 - reach].any()
    assert not steps.grad[:4].any()


@pytest.mark.parametrize("lengths", [[3], [0, 2], [2, 0, 1], [0, 0, 4, 0]])
def test_its_gradient_is_right_beside_empty_sequences(lengths: list[int]) -> None:
    module = encoder().double()
    for layer in linear_layers(module):
        nn.init.constant_(layer.bias, 5.0)  # away from the kinks
    steps, counts = random_steps(lengths)
    assert torch.autograd.gradcheck(lambda x: module(x, counts), steps.double().requires_grad_())


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 0]])
def test_no_step_encodes_as_zeros(lengths: list[int]) -> None:
    module = encoder()
    got = module(*random_steps(lengths))
    assert got.shape == (len(lengths), module.width)
    assert not got.any()
