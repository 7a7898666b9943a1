"""The recurrent encoder, against a loop over steps."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from model.heads.rnn import GruEncoder


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


@given(st.lists(st.integers(0, 8), min_size=1, max_size=4), st.integers(0, 9))
def test_it_computes_what_a_loop_computes(lengths: list[int], seed: int) -> None:
    module = encoder()
    steps = torch.randn(len(lengths), max(lengths), 2, generator=torch.Generator().manual_seed(seed))
    got = module(steps, torch.tensor(lengths))
    wanted = torch.stack([naive(module, steps[row, :length]) for row, length in enumerate(lengths)])
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-6)


def test_no_step_encodes_as_zeros_whatever_the_padding_holds() -> None:
    got = encoder()(torch.randn(2, 5, 2), torch.tensor([0, 5]))
    assert not got[0].any()
    assert got[1].any()


def test_padding_gets_no_gradient() -> None:
    steps = torch.randn(2, 3, 2, requires_grad=True)
    encoder()(steps, torch.tensor([0, 2])).sum().backward()
    assert steps.grad is not None
    assert (steps.grad.abs().sum(dim=2) > 0).tolist() == [[False] * 3, [True, True, False]]


def test_its_width_is_that_of_its_answer() -> None:
    module = encoder()
    assert module(torch.randn(3, 2, 2), torch.tensor([2, 1, 0])).shape == (3, module.width)
    assert module(torch.randn(3, 0, 2), torch.tensor([0, 0, 0])).shape == (3, module.width)
