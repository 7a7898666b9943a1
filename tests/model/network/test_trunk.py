"""The trunk: shapes, independent rows and folds, and the mean of members."""

from itertools import combinations, pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.network.trunk import FoldLinear, Trunk, average

X = torch.randn(3, 6, 7, generator=torch.Generator().manual_seed(0))


def trunk(**changes: Any) -> Trunk:
    torch.manual_seed(0)
    plain: dict[str, Any] = {
        "width": 8,
        "layers": 2,
        "dropout": 0.0,
        "folds": 3,
        "members": 4,
        "n_outputs": 2,
    }
    return Trunk(7, **{**plain, **changes})


@pytest.mark.parametrize("folds", [2, 5])
@pytest.mark.parametrize("members", [1, 4])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_every_member_of_every_fold_answers_every_output(
    folds: int, members: int, layers: int, n_outputs: int
) -> None:
    made = trunk(folds=folds, members=members, layers=layers, n_outputs=n_outputs)
    for n in (0, 1, 6):
        assert made(torch.randn(folds, n, 7)).shape == (folds, members, n, n_outputs)


def test_members_and_folds_differ_from_the_start() -> None:
    same = X[:1].expand(3, -1, -1)
    for first, second in pairwise(trunk()(same).flatten(0, 1)):
        assert not torch.allclose(first, second)


def test_rows_do_not_see_each_other() -> None:
    made = trunk().eval()
    whole = made(X)
    alone = torch.cat([made(row) for row in X.split(1, dim=1)], dim=2)
    torch.testing.assert_close(alone, whole, rtol=0, atol=1e-6)
    torch.testing.assert_close(made(X.flip(1)).flip(2), whole, rtol=0, atol=1e-6)


def test_dropout_is_for_training_only() -> None:
    made = trunk(dropout=0.5, width=64)
    assert not torch.equal(made.train()(X), made.train()(X))
    assert torch.equal(made.eval()(X), made.eval()(X))


def test_dropout_hides_the_same_units_from_all_members_of_a_fold() -> None:
    """With adapters alike, and a layer behind that is alike, members differ by their masks alone."""
    made = trunk(dropout=0.5, width=64, layers=1).train()
    with torch.no_grad():
        made.adapter.fill_(1.0)
        made.weight.copy_(made.weight[:1, :1].expand_as(made.weight))
        for parameter in made.hidden.parameters():
            parameter.copy_(parameter[:1].expand_as(parameter))
    logits = made(X[:1].expand(3, -1, -1))
    torch.testing.assert_close(logits[:, 1:], logits[:, :1].expand(-1, 3, -1, -1), rtol=0, atol=1e-6)
    for first, second in combinations(logits[:, 0], 2):
        assert not torch.allclose(first, second)  # folds draw apart
    first, second = made(X[:1, :1].expand(3, 2, -1))[0, 0]
    assert not torch.allclose(first, second)  # and so do rows


def test_dropout_keeps_the_mean() -> None:
    made = trunk(dropout=0.5, layers=1)
    x = X[:, :1].expand(-1, 20_000, -1)
    torch.testing.assert_close(made.train()(x).mean(dim=2), made.eval()(x).mean(dim=2), rtol=0, atol=0.05)


def test_the_layers_of_a_fold_are_linear_layers() -> None:
    torch.manual_seed(0)
    made = FoldLinear(7, 5, folds=3)
    for fold in range(3):
        wanted = torch.nn.functional.linear(X[fold], made.weight[fold].T, made.bias[fold, 0])
        torch.testing.assert_close(made(X)[fold], wanted, rtol=0, atol=1e-6)


def test_folds_share_nothing() -> None:
    made = trunk()
    made(X)[1].square().sum().backward()
    for name, parameter in made.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad[1].any(), name
        assert not parameter.grad[[0, 2]].any(), name


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
    tensor = torch.tensor(logits, dtype=torch.float64)[:, None, None]
    got = average(tensor)
    assert got.shape == (1, 1)
    torch.testing.assert_close(got.sigmoid(), tensor.sigmoid().mean(dim=0), rtol=1e-9, atol=1e-15)


@given(members)
def test_yes_and_no_are_alike(logits: list[float]) -> None:
    tensor = torch.tensor(logits)[:, None, None]
    torch.testing.assert_close(average(tensor), -average(-tensor), rtol=1e-5, atol=1e-5)


@given(st.floats(-(2.0**100), 2.0**100, width=32))
def test_one_member_is_its_own_average(logit: float) -> None:
    got = average(torch.tensor([[[logit]]]))
    torch.testing.assert_close(got, torch.tensor([[logit]]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("logits", [(1e4, 1e4), (-1e4, -1e4), (1e30, -1e30), (3e38, 0.0), (-3e38, 1.0)])
def test_extreme_members_have_a_finite_average_and_gradient(logits: tuple[float, ...]) -> None:
    tensor = torch.tensor(logits)[:, None, None].requires_grad_()
    mean = average(tensor)
    mean.sum().backward()
    assert mean.isfinite().all()
    assert tensor.grad is not None
    assert tensor.grad.isfinite().all()


def test_rows_and_outputs_are_averaged_apart() -> None:
    tensor = torch.tensor([[[0.0, 5.0], [1.0, -2.0]], [[2.0, 5.0], [1.0, 3.0]]])
    got = average(tensor)
    assert got.shape == (2, 2)
    assert (got[0, 1].item(), got[1, 0].item()) == pytest.approx((5.0, 1.0))
