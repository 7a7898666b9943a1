"""The recurrent encoder, against a loop over steps."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from model.network.rnn import GruEncoder
from tests.model.network.sequences import lengths_lists, random_steps


def encoder() -> GruEncoder:
    torch.manual_seed(0)
    return GruEncoder(2, width=4).eval()


def naive(module: GruEncoder, steps: Tensor) -> Tensor:
    """The state after the last step, gate by gate (Cho et al. 2014)."""
    weight_ih, weight_hh, bias_ih, bias_hh = module.gru.parameters()
    state = torch.zeros(4)
    for step in steps:
        of_step, of_state = weight_ih @ step + bias_ih, weight_hh @ state + bias_hh
        (r1, z1, n1), (r2, z2, n2) = of_step.chunk(3), of_state.chunk(3)
        reset, update = torch.sigmoid(r1 + r2), torch.sigmoid(z1 + z2)
        state = update * state + (1 - update) * torch.tanh(n1 + reset * n2)
    return state


@given(lengths_lists, st.integers(0, 9))
def test_it_computes_what_a_loop_computes(lengths: list[int], seed: int) -> None:
    module = encoder()
    steps, counts = random_steps(lengths, seed=seed)
    wanted = torch.stack([naive(module, own) for own in steps.split(lengths)])
    torch.testing.assert_close(module(steps, counts), wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("lengths", [[3], [0, 2], [2, 0, 3], [0, 0, 4, 0]])
def test_its_gradient_is_right_beside_empty_sequences(lengths: list[int]) -> None:
    module = encoder().double()
    steps, counts = random_steps(lengths)
    assert torch.autograd.gradcheck(lambda x: module(x, counts), steps.double().requires_grad_())


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 0]])
def test_no_step_encodes_as_zeros(lengths: list[int]) -> None:
    module = encoder()
    got = module(*random_steps(lengths))
    assert got.shape == (len(lengths), module.width)
    assert not got.any()
