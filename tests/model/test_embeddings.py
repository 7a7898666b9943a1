"""Numbers and categories as vectors, against a computation by hand."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.embeddings import CategoryEmbedding, ColumnTokens, NumericEmbedding
from tests.model.networks import some_batch

EDGES: tuple[tuple[float, ...], ...] = ((-1.0, 0.0, 2.0), (), (0.5, 0.75, 1.0, 4.0))


def numeric(edges: Sequence[Sequence[float]] = EDGES, width: int = 5) -> NumericEmbedding:
    torch.manual_seed(0)
    module = NumericEmbedding(edges, width=width)
    torch.nn.init.normal_(module.bias)
    torch.nn.init.normal_(module.missing)
    return module


def code_of(x: float, edges: Sequence[float], bins: int) -> list[float]:
    """The number itself, then how much of each bin lies below it."""
    parts = [min(max((x - a) / (b - a), 0.0), 1.0) for a, b in pairwise(edges)]
    return [x, *parts, *[0.0] * (bins - len(parts))]


@given(st.lists(st.floats(-100, 100, width=32), min_size=3, max_size=3))
def test_a_number_is_embedded_by_its_own_piecewise_linear_code(values: list[float]) -> None:
    module = numeric()
    got = module(torch.tensor([values]))[0].detach()
    for column, (x, edges) in enumerate(zip(values, EDGES, strict=True)):
        code = torch.tensor(code_of(x, edges, bins=3))
        wanted = code @ module.weight[column] + module.bias[column]
        torch.testing.assert_close(got[column], wanted.detach(), rtol=1e-5, atol=1e-5)


def test_a_missing_number_has_an_embedding_of_its_own() -> None:
    module = numeric()
    got = module(torch.tensor([[np.nan, 0.0, np.nan], [0.0, np.nan, 0.0]]))
    assert torch.equal(got[0, 0], module.missing[0])
    assert torch.equal(got[0, 2], module.missing[2])
    assert torch.equal(got[1, 1], module.missing[1])
    assert not got.isnan().any()
    assert not torch.equal(got[1, 0], module.missing[0])


def test_a_missing_number_sends_no_nan_backwards() -> None:
    module = numeric()
    module(torch.full((2, 3), torch.nan)).sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_the_buffers_are_part_of_the_weights() -> None:
    assert {"edges", "widths", "real"} <= numeric().state_dict().keys()


def test_the_first_two_codes_of_every_column_start_at_zero() -> None:
    module = CategoryEmbedding([4, 2, 3], width=6)
    start = module(torch.tensor([[0, 0, 0], [1, 1, 1]]))
    assert not start.any()
    assert module(torch.tensor([[2, 0, 2]]))[0, [0, 2]].all()


def test_equal_codes_of_two_columns_are_two_categories() -> None:
    module = CategoryEmbedding([4, 3], width=6)
    got = module(torch.tensor([[2, 2], [3, 2]]))
    assert got.shape == (2, 2, 6)
    assert not torch.equal(got[0, 0], got[0, 1])
    assert not torch.equal(got[0, 0], got[1, 0])
    assert torch.equal(got[0, 1], got[1, 1])
    assert len(module.table.weight.detach().unique(dim=0)) == 1 + 2 + 1  # zeros, and three categories


def test_a_code_outside_of_the_table_is_refused() -> None:
    with pytest.raises(IndexError):
        CategoryEmbedding([3], width=2)(torch.tensor([[3]]))


def test_there_may_be_no_numbers_or_no_categories() -> None:
    assert numeric(())(torch.zeros(2, 0)).shape == (2, 0, 5)
    assert CategoryEmbedding([], width=5)(torch.zeros(2, 0, dtype=torch.int64)).shape == (2, 0, 5)
    batch = some_batch("log", 3)
    bare = replace(batch, categories=batch.categories[:, :0])
    assert ColumnTokens([()] * bare.numeric.shape[1], [], width=4)(bare).shape == (
        3,
        bare.numeric.shape[1],
        4,
    )


def test_tokens_are_the_numbers_then_the_categories() -> None:
    batch = some_batch("log", 3)
    n, c = batch.numeric.shape[1], batch.categories.shape[1]
    tokens = ColumnTokens([(-1.0, 0.0, 1.0)] * n, [4] * c, width=4)
    got = tokens(batch)
    assert tokens.n_tokens == n + c
    assert torch.equal(got[:, :n], tokens.numeric(batch.numeric))
    assert torch.equal(got[:, n:], tokens.categories(batch.categories))
