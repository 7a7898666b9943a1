"""Numbers and categories as vectors, against a computation by hand."""

from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from model.network.embeddings import CategoryEmbedding, ColumnTokens, NumericEmbedding
from model.network.layout import Layout

EDGES: tuple[tuple[float, ...], ...] = ((-1.0, 0.0, 2.0), (), (0.5, 0.75, 1.0, 4.0))
FOLDS = 2


def numeric(edges: Sequence[Sequence[float]] = EDGES, width: int = 5) -> NumericEmbedding:
    torch.manual_seed(0)
    module = NumericEmbedding(edges, folds=FOLDS, width=width)
    torch.nn.init.normal_(module.bias)
    torch.nn.init.normal_(module.missing)
    return module


def categories(sizes: Sequence[int], *, n_zero: int = 0) -> CategoryEmbedding:
    torch.manual_seed(0)
    return CategoryEmbedding(sizes, folds=FOLDS, width=6, n_zero=n_zero)


def in_each_fold(rows: Sequence[Sequence[float]] | Sequence[Sequence[int]]) -> Tensor:
    """(FOLDS, B, n): the same rows for every fold."""
    return torch.tensor(rows).expand(FOLDS, -1, -1)


def code_of(x: float, edges: Sequence[float], bins: int) -> list[float]:
    """The number itself, then how much of each bin lies below it."""
    parts = [min(max((x - a) / (b - a), 0.0), 1.0) for a, b in pairwise(edges)]
    return [x, *parts, *[0.0] * (bins - len(parts))]


@given(st.lists(st.floats(-100, 100, width=32), min_size=6, max_size=6))
def test_a_number_is_embedded_by_its_own_piecewise_linear_code(values: list[float]) -> None:
    module = numeric()
    numbers = torch.tensor(values).view(FOLDS, 1, 3)
    got = module(numbers).detach()
    for fold, column in product(range(FOLDS), range(3)):
        code = torch.tensor(code_of(float(numbers[fold, 0, column]), EDGES[column], bins=3))
        wanted = code @ module.weight[fold, column] + module.bias[fold, column]
        torch.testing.assert_close(got[fold, 0, column], wanted.detach(), rtol=1e-5, atol=1e-5)


def test_a_missing_number_has_an_embedding_of_its_own() -> None:
    module = numeric()
    got = module(in_each_fold([[np.nan, 0.0, np.nan], [0.0, np.nan, 0.0]]))
    assert torch.equal(got[:, 0, [0, 2]], module.missing[:, [0, 2]])
    assert torch.equal(got[:, 1, 1], module.missing[:, 1])
    assert not got.isnan().any()
    assert not torch.equal(got[0, 1, 0], module.missing[0, 0])


def test_a_missing_number_sends_no_nan_backwards() -> None:
    module = numeric()
    module(torch.full((FOLDS, 2, 3), torch.nan)).sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_the_first_two_codes_of_every_column_start_at_zero() -> None:
    module = categories([4, 2, 3])
    assert not module(in_each_fold([[0, 0, 0], [1, 1, 1]])).any()
    assert module(in_each_fold([[2, 0, 2]]))[:, 0, [0, 2]].all()


def test_the_last_columns_start_at_zero_where_that_is_wanted() -> None:
    """The codes of repeated numbers say nothing until something is learned of them."""
    module = categories([4, 5, 3], n_zero=2)
    assert not module(in_each_fold([[0, 4, 2], [0, 2, 1]])).any()
    assert module(in_each_fold([[3, 4, 2]]))[:, 0, 0].all()
    assert not categories([4, 5], n_zero=2).weight.any()


def test_equal_codes_of_two_columns_or_folds_are_two_categories() -> None:
    module = categories([4, 3])
    got = module(in_each_fold([[2, 2], [3, 2]]))
    assert got.shape == (FOLDS, 2, 2, 6)
    assert torch.equal(got[:, 0, 1], got[:, 1, 1])
    n_distinct = FOLDS * 3  # two categories of the first column, one of the second
    assert len(got.detach().flatten(0, 2).unique(dim=0)) == n_distinct
    assert len(module.weight.detach().flatten(0, 1).unique(dim=0)) == n_distinct + 1  # and zeros


def test_a_code_outside_of_the_table_is_refused() -> None:
    with pytest.raises(IndexError):
        categories([3])(in_each_fold([[3]]))


def test_there_may_be_no_numbers_or_no_categories() -> None:
    assert numeric(())(torch.zeros(FOLDS, 2, 0)).shape == (FOLDS, 2, 0, 5)
    no_codes = torch.zeros(FOLDS, 2, 0, dtype=torch.int64)
    assert categories([])(no_codes).shape == (FOLDS, 2, 0, 6)
    tokens = ColumnTokens(Layout([()] * 3, [], []), folds=FOLDS, width=4)
    assert tokens(torch.zeros(FOLDS, 2, 3), no_codes).shape == (FOLDS, 2, 3, 4)


# --- columns together

VALUES = [(2, 3), (0, 4)]  # of the third number, then of the first


def column_tokens() -> ColumnTokens:
    torch.manual_seed(0)
    return ColumnTokens(Layout(EDGES, [4, 3], VALUES), folds=FOLDS, width=5)


def some_columns() -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    codes = [torch.randint(0, size, (FOLDS, 8, 1), generator=draw) for size in (4, 3, 3, 4)]
    return torch.randn(FOLDS, 8, 3, generator=draw), torch.cat(codes, dim=2)


def test_positions_are_no_part_of_the_weights() -> None:
    """Else a file could make a code read beyond its table."""
    tokens = column_tokens()
    assert tokens.state_dict().keys() == dict(tokens.named_parameters()).keys()


def test_tokens_are_the_numbers_then_the_categories() -> None:
    tokens, (numbers, codes) = column_tokens(), some_columns()
    got = tokens(numbers, codes)
    assert tokens.n_tokens == 5
    assert torch.equal(got[:, :, :3], tokens.numeric(numbers))
    assert torch.equal(got[:, :, 3:], tokens.categories(codes)[:, :, :2])


def test_a_repeated_number_is_embedded_by_itself_beside_its_code() -> None:
    tokens, (numbers, codes) = column_tokens(), some_columns()
    torch.nn.init.normal_(tokens.categories.weight)
    of_third, of_first = tokens.categories(codes)[:, :, 2:].unbind(dim=2)
    got, alone = tokens(numbers, codes), tokens.numeric(numbers)
    torch.testing.assert_close(got[:, :, 0], alone[:, :, 0] + of_first)
    torch.testing.assert_close(got[:, :, 1], alone[:, :, 1])
    torch.testing.assert_close(got[:, :, 2], alone[:, :, 2] + of_third)
    assert torch.equal(got[:, :, 3:], tokens.categories(codes)[:, :, :2])


def test_what_is_learned_of_repeated_numbers_starts_from_nothing_and_is_learned() -> None:
    tokens, (numbers, codes) = column_tokens(), some_columns()
    tokens(numbers, codes)[:, :, [0, 2]].sum().backward()
    grad = tokens.categories.weight.grad
    assert grad is not None
    assert not tokens.categories.weight[:, 7:].any()
    assert grad[:, 7:].abs().sum() > 0
    assert not grad[:, :7].any()


def test_a_bin_narrower_than_any_float_gives_no_nan() -> None:
    embedding = NumericEmbedding([(0.0, 1e-40, 1.0)], folds=2, width=2)
    numbers = torch.tensor([[[0.0], [1e-41], [1.0]]]).expand(2, -1, -1)
    assert not embedding(numbers).isnan().any()
