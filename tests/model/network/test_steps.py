"""Steps are embedded with their missing flags; the readers read them in order."""

from dataclasses import replace

import pytest
import torch

from model.network.steps import StepEmbedding, StepReader, TokenReader
from model.store.manifest import HeadName
from tests.model.networks import FOLDS, random_network, some_batch

SEQUENCE_HEADS: tuple[HeadName, ...] = ("cnn", "rnn")
each_head = pytest.mark.parametrize("head", SEQUENCE_HEADS)


def embedding(n_numbers: int = 3, sizes: tuple[int, ...] = (4, 3)) -> StepEmbedding:
    torch.manual_seed(0)
    module = StepEmbedding(n_numbers, sizes, embedding=5, width=32)
    torch.nn.init.normal_(module.categories.weight)
    return module


def test_a_step_becomes_one_vector() -> None:
    codes = torch.zeros(4, 2, dtype=torch.int64)
    assert embedding()(torch.randn(4, 3), codes).shape == (4, 32)
    assert embedding(sizes=())(torch.randn(4, 3), codes[:, :0]).shape == (4, 32)
    assert embedding()(torch.randn(0, 3), codes[:0]).shape == (0, 32)


def test_a_missing_number_is_neither_nan_nor_zero() -> None:
    module, codes = embedding(), torch.zeros(1, 2, dtype=torch.int64)
    zero = torch.zeros(1, 3)
    seen = [module(zero, codes)]
    for position in range(3):
        missing = zero.clone()
        missing[:, position] = torch.nan
        seen.append(module(missing, codes))
    assert all(vector.isfinite().all() for vector in seen)
    assert len({tuple(vector.flatten().tolist()) for vector in seen}) == 4


def test_every_code_counts() -> None:
    module, zero = embedding(), torch.zeros(1, 3)
    codes = [(0, 0), (1, 0), (3, 0), (0, 1), (0, 2)]
    seen = {tuple(module(zero, torch.tensor([code])).flatten().tolist()) for code in codes}
    assert len(seen) == len(codes)


@each_head
@pytest.mark.parametrize("kind", ["log", "series"])
def test_a_sequence_is_read_in_its_order(head: HeadName, kind: str) -> None:
    network, batch = random_network(head, kind), some_batch(kind)
    assert [type(reader) for reader in network.readers] == [StepReader] * FOLDS
    row = int(batch.lengths.argmax())
    turned = batch.steps.clone()
    length = int(batch.lengths[row])
    turned[row, :length] = turned[row, :length].flip(0)
    changed = (network(replace(batch, steps=turned)) - network(batch)).abs().sum(dim=1) > 1e-6
    assert changed.nonzero().flatten().tolist() == [row]


@each_head
def test_the_columns_are_read_beside_the_sequence(head: HeadName) -> None:
    network, batch = random_network(head, "log"), some_batch("log")
    other = replace(batch, categories=(batch.categories + 1) % 3)
    assert ((network(other) - network(batch)).abs().sum(dim=1) > 1e-6).all()


@each_head
def test_a_table_is_read_as_a_sequence_of_its_columns(head: HeadName) -> None:
    network, batch = random_network(head, "table"), some_batch("table")
    readers = [reader for reader in network.readers if isinstance(reader, TokenReader)]
    assert len(readers) == FOLDS
    tokens = network.tokens(batch.numeric.expand(FOLDS, -1, -1), batch.categories.expand(FOLDS, -1, -1))
    lengths = torch.full((12,), network.tokens.n_tokens)
    encoded = [r.encoder(t.flatten(0, 1), lengths) for r, t in zip(readers, tokens, strict=True)]
    joined = torch.cat([tokens.flatten(2), torch.stack(encoded)], dim=2)
    assert torch.equal(network.folds(batch), network.trunk(joined))
    assert all(one.std(dim=0).sum() > 0 for one in encoded)
    other = replace(batch, categories=(batch.categories + 1) % 3)
    assert ((network(other) - network(batch)).abs().sum(dim=1) > 1e-6).all()
