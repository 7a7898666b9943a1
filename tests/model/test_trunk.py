"""The trunk's contract: shapes, rows apart from each other, and the mean of its members."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.trunk import Trunk, average_members

X = torch.randn(6, 7, generator=torch.Generator().manual_seed(0))


def trunk(**changes: Any) -> Trunk:
    torch.manual_seed(0)
    plain: dict[str, Any] = {"width": 8, "layers": 2, "dropout": 0.0, "members": 3, "n_outputs": 2}
    return Trunk(7, **{**plain, **changes})


@pytest.mark.parametrize("members", [1, 4])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_every_member_answers_every_output(members: int, layers: int, n_outputs: int) -> None:
    made = trunk(members=members, layers=layers, n_outputs=n_outputs)
    assert made(X).shape == (6, members, n_outputs)
    assert made(X[:0]).shape == (0, members, n_outputs)


def test_members_differ_from_the_start() -> None:
    first, second, third = trunk()(X).unbind(dim=1)
    assert not torch.allclose(first, second)
    assert not torch.allclose(second, third)


def test_rows_do_not_see_each_other() -> None:
    made = trunk().eval()
    whole = made(X)
    torch.testing.assert_close(torch.cat([made(row) for row in X.split(1)]), whole, rtol=0, atol=1e-6)
    torch.testing.assert_close(made(X.flip(0)).flip(0), whole, rtol=0, atol=1e-6)


def test_dropout_is_for_training_only() -> None:
    made = trunk(dropout=0.5, width=64)
    assert not torch.equal(made.train()(X), made.train()(X))
    assert torch.equal(made.eval()(X), made.eval()(X))


def test_without_dropout_training_and_scoring_compute_the_same() -> None:
    made = trunk()
    assert torch.equal(made.train()(X), made.eval()(X))


def test_gradients_reach_every_parameter() -> None:
    made = trunk()
    made(X).square().sum().backward()
    for name, parameter in made.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


members = st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=5)


@given(members)
def test_the_average_is_of_probabilities_not_of_logits(logits: list[float]) -> None:
    tensor = torch.tensor(logits, dtype=torch.float64)[None, :, None]
    got = average_members(tensor)
    assert got.shape == (1, 1)
    torch.testing.assert_close(got.sigmoid(), tensor.sigmoid().mean(dim=1), rtol=1e-9, atol=1e-15)


@given(members)
def test_yes_and_no_are_alike(logits: list[float]) -> None:
    tensor = torch.tensor(logits)[None, :, None]
    torch.testing.assert_close(average_members(tensor), -average_members(-tensor), rtol=1e-5, atol=1e-5)


@given(st.floats(-(2.0**100), 2.0**100, width=32))
def test_one_member_is_its_own_average(logit: float) -> None:
    got = average_members(torch.tensor([[[logit]]]))
    torch.testing.assert_close(got, torch.tensor([[logit]]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("logits", [(1e4, 1e4), (-1e4, -1e4), (1e30, -1e30), (3e38, 0.0), (-3e38, 1.0)])
def test_extreme_members_have_a_finite_average_and_gradient(logits: tuple[float, ...]) -> None:
    tensor = torch.tensor(logits)[None, :, None].requires_grad_()
    average = average_members(tensor)
    average.sum().backward()
    assert average.isfinite().all()
    assert tensor.grad is not None
    assert tensor.grad.isfinite().all()


def test_outputs_are_averaged_apart() -> None:
    tensor = torch.tensor([[[0.0, 5.0], [2.0, 5.0]]])
    torch.testing.assert_close(average_members(tensor)[:, 1], torch.tensor([5.0]))
