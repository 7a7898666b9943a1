"""The convolutional encoder, against loops over steps."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from model.heads.cnn import ConvEncoder

Floats = NDArray[np.float32]


def encoder(layers: int = 3) -> ConvEncoder:
    torch.manual_seed(0)
    return ConvEncoder(2, channels=4, layers=layers).eval()


def naive(module: ConvEncoder, steps: Floats) -> Floats:
    """Last, mean and largest value of each channel, by a loop over layers, steps and taps."""
    x = steps
    for i, layer in enumerate(module.convolutions):
        weight, bias = (p.detach().numpy() for p in layer.parameters())
        y = np.tile(bias, (len(x), 1))
        for t in range(len(x)):
            for tap in range(3):
                source = t - (2 - tap) * 2**i
                if source >= 0:
                    y[t] += weight[:, :, tap] @ x[source]
        y = np.maximum(y, 0)
        x = y if i == 0 else x + y
    return np.concatenate([x[-1], x.mean(axis=0), x.max(axis=0)])


@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.integers(0, 9))
def test_it_computes_what_a_loop_computes(lengths: list[int], seed: int) -> None:
    module, longest = encoder(), max(lengths)
    steps = torch.randn(len(lengths), longest, 2, generator=torch.Generator().manual_seed(seed))
    got = module(steps, torch.tensor(lengths)).detach().numpy()
    for row, length in enumerate(lengths):
        wanted = naive(module, steps[row, :length].numpy()) if length else np.zeros(12)
        np.testing.assert_allclose(got[row], wanted, rtol=0, atol=1e-5)


def test_no_step_encodes_as_zeros_whatever_the_padding_holds() -> None:
    got = encoder()(torch.randn(2, 5, 2), torch.tensor([0, 5]))
    assert not got[0].any()
    assert got[1].any()


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_last_value_sees_as_far_back_as_the_dilations_reach(layers: int) -> None:
    module, reach = encoder(layers), 1 + 2 * (2**layers - 1)
    for layer in module.convolutions:
        _, bias = layer.parameters()
        torch.nn.init.constant_(bias, 9.0)  # so that no unit is at rest
    steps = torch.randn(1, 20, 2, requires_grad=True)
    module(steps, torch.tensor([20]))[:, :4].sum().backward()
    assert steps.grad is not None
    seen = steps.grad.abs().sum(dim=2)[0] > 0
    assert seen[20 - reach]
    assert not seen[: 20 - reach].any()


def test_an_empty_row_sends_no_nan_backwards() -> None:
    steps = torch.randn(2, 3, 2, requires_grad=True)
    encoder()(steps, torch.tensor([0, 2])).sum().backward()
    assert steps.grad is not None
    assert steps.grad.isfinite().all()
    assert not steps.grad[0].any()
    assert not steps.grad[1, 2].any()


def test_its_width_is_that_of_its_answer() -> None:
    module = encoder()
    assert module(torch.randn(3, 2, 2), torch.tensor([2, 1, 0])).shape == (3, module.width)
    assert module(torch.randn(3, 0, 2), torch.tensor([0, 0, 0])).shape == (3, module.width)
