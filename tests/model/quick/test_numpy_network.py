"""The numpy network gives the logits of the network itself."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.network.embeddings import ColumnTokens
from model.network.network import Network
from model.network.trunk import Trunk, average
from model.quick.numpy_network import NumpyNetwork

SAME = 1e-5  # of logits in the tens: float32 adds in another order
CODES = 4


def network(edges: list[list[float]], n_categories: int, valued: list[int], *, seed: int) -> Network:
    torch.manual_seed(seed)
    tokens = ColumnTokens(edges, [CODES] * n_categories, [(n, CODES) for n in valued], folds=3, width=4)
    trunk = Trunk(tokens.n_tokens * 4, width=8, layers=2, dropout=0.3, folds=3, members=2, n_outputs=2)
    made = Network(tokens, [], trunk).eval()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter)
    return made


def both(made: Network, numbers: Any, codes: Any) -> tuple[Any, Any]:
    """Logits of the numpy network, and those of the network in float64."""
    exact = deepcopy(made).double()
    with torch.no_grad():
        tokens = exact.tokens(torch.from_numpy(numbers).double()[None], torch.from_numpy(codes)[None])
        wanted = average(exact.trunk(tokens.flatten(2)).flatten(0, 1))
    return NumpyNetwork.build(made).logits(numbers, codes), wanted.numpy()


ascending = st.lists(st.integers(-12, 12).map(lambda n: n / 4), max_size=6, unique=True).map(sorted)


@settings(max_examples=100, deadline=None)
@given(
    edges=st.lists(ascending, min_size=1, max_size=4),
    n_categories=st.integers(0, 3),
    n=st.integers(1, 9),
    seed=st.integers(0, 999),
)
def test_the_logits_are_those_of_the_network(
    edges: list[list[float]], n_categories: int, n: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    valued = [0] if seed % 2 else []
    made = network(edges, n_categories, valued, seed=seed)
    points = [edge for one in edges for edge in one] or [0.0]  # values that are edges themselves
    numbers = np.where(
        draw.random((n, len(edges))) < 0.5,
        draw.choice(np.array(points), (n, len(edges))),
        draw.normal(0, 3, (n, len(edges))),
    ).astype(np.float32)
    numbers[draw.random(numbers.shape) < 0.2] = np.nan
    codes = draw.integers(0, CODES, (n, n_categories + len(valued)))
    got, wanted = both(made, numbers, codes)
    np.testing.assert_allclose(got, wanted, rtol=SAME, atol=SAME)


def test_codes_of_repeated_values_are_left_alone_where_they_are_not_read() -> None:
    made = network([[], []], 1, [], seed=4)
    draw = np.random.default_rng(4)
    numbers, codes = draw.normal(size=(5, 2)).astype(np.float32), draw.integers(0, CODES, (5, 3))
    got, wanted = both(made, numbers, codes)
    np.testing.assert_allclose(got, wanted, atol=SAME)


def test_categories_alone_have_logits() -> None:
    made = network([], 3, [], seed=0)
    codes = np.random.default_rng(0).integers(0, CODES, (5, 3))
    got, wanted = both(made, np.empty((5, 0), np.float32), codes)
    np.testing.assert_allclose(got, wanted, atol=SAME)


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 200])
def test_blocks_of_rows_are_joined(n: int) -> None:
    made = network([[-1.0, 0.0, 1.0], []], 1, [1], seed=1)
    draw = np.random.default_rng(n)
    numbers, codes = draw.normal(size=(n, 2)).astype(np.float32), draw.integers(0, CODES, (n, 2))
    got, wanted = both(made, numbers, codes)
    assert got.shape == (n, 2)
    np.testing.assert_allclose(got, wanted, atol=SAME)
    alone = [
        NumpyNetwork.build(made).logits(numbers[i : i + 1], codes[i : i + 1])[0] for i in range(min(n, 3))
    ]
    np.testing.assert_allclose(got[: len(alone)], np.reshape(alone, (-1, 2)), atol=1e-6)


def test_far_numbers_and_narrow_bins_stay_finite() -> None:
    made = network([[-1.0, -1.0 + 1e-7, 0.0, 1e-30]], 0, [], seed=2)
    numbers = np.array([[700.0], [-700.0], [1e-30], [0.0], [-1.0]], np.float32)
    got, wanted = both(made, numbers, np.empty((5, 0), np.int64))
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


def test_members_that_are_certain_give_a_finite_logit() -> None:
    made = network([[0.0, 1.0]], 0, [], seed=3)
    with torch.no_grad():
        made.trunk.bias.fill_(1e4)
    got, _ = both(made, np.zeros((1, 1), np.float32), np.empty((1, 0), np.int64))
    assert np.isfinite(got).all()
