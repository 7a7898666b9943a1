"""Properties of every head for every kind of schema."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.features.scaling import scale
from model.network.batch import Batch
from model.network.network import build_network
from model.network.trunk import average
from model.store.manifest import HeadName
from tests.model.build import tiny_scaling
from tests.model.networks import (
    FOLDS,
    HEADS,
    MEMBERS,
    SCHEMAS,
    padded,
    random_network,
    repeated,
    rows_of,
    some_batch,
    spec,
)

Pair = tuple[HeadName, str]

PAIRS = [(head, kind) for head in HEADS for kind in SCHEMAS]
every_head = pytest.mark.parametrize("pair", PAIRS, ids="-".join)


def logits_of(pair: Pair, batch: Batch, *, n_outputs: int = 3) -> torch.Tensor:
    with torch.no_grad():
        logits: torch.Tensor = random_network(*pair, n_outputs=n_outputs)(batch)
    return logits


def assert_same(got: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-6)


@every_head
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_a_row_gets_a_logit_for_each_output(pair: Pair, n_outputs: int) -> None:
    batch = some_batch(pair[1], 5)
    network = random_network(*pair, n_outputs=n_outputs)
    folds = network.folds(batch)
    assert folds.shape == (FOLDS, MEMBERS, 5, n_outputs)
    assert network(batch).shape == (5, n_outputs)
    assert network(batch).dtype == torch.float32
    assert torch.equal(network(batch), average(folds.flatten(0, 1)))


@every_head
def test_no_row_gets_no_logit(pair: Pair) -> None:
    batch = some_batch(pair[1], 5)
    none = Batch(*(getattr(batch, name)[:0] for name in Batch.__dataclass_fields__))
    assert logits_of(pair, none).shape == (0, 3)


@every_head
def test_rows_differ(pair: Pair) -> None:
    """So that the tests of sameness below mean something."""
    assert (logits_of(pair, some_batch(pair[1])).std(dim=0) > 1e-3).all()


@every_head
def test_padding_is_not_read(pair: Pair) -> None:
    batch = some_batch(pair[1])
    wanted = logits_of(pair, batch)
    for extra in (0, 1, 9):
        assert_same(logits_of(pair, padded(batch, extra)), wanted)


@every_head
def test_the_rows_beside_a_row_are_not_read(pair: Pair) -> None:
    batch = some_batch(pair[1])
    wanted = logits_of(pair, batch)
    alone = [logits_of(pair, rows_of(batch, torch.tensor([row]))) for row in range(len(batch))]
    assert_same(torch.cat(alone), wanted)
    shuffled = torch.randperm(len(batch), generator=torch.Generator().manual_seed(0))
    assert_same(logits_of(pair, rows_of(batch, shuffled)), wanted[shuffled])


@every_head
def test_scoring_twice_gives_the_same(pair: Pair) -> None:
    network, batch = random_network(*pair), some_batch(pair[1])
    assert torch.equal(network(batch), network(batch))


@every_head
def test_dropout_is_for_training_only(pair: Pair) -> None:
    torch.manual_seed(0)
    batch = some_batch(pair[1])
    network = build_network(spec(pair[0], dropout=0.5), SCHEMAS[pair[1]], n_outputs=1)
    assert not torch.equal(network.train()(batch), network.train()(batch))
    assert torch.equal(network.eval()(batch), network.eval()(batch))


@every_head
def test_what_is_missing_never_becomes_nan(pair: Pair) -> None:
    batch = some_batch(pair[1])
    gone = replace(
        batch,
        numeric=torch.full_like(batch.numeric, torch.nan),
        steps=torch.full_like(batch.steps, torch.nan),
        categories=torch.zeros_like(batch.categories),
        step_categories=torch.zeros_like(batch.step_categories),
    )
    assert logits_of(pair, gone).isfinite().all()


@every_head
@pytest.mark.parametrize("number", [1e39, -1e39, 1.7e308, -1.7e308])
def test_the_largest_numbers_give_finite_logits(pair: Pair, number: float) -> None:
    batch = some_batch(pair[1])
    large = float(scale(np.array([number]), tiny_scaling())[0])
    far = replace(
        batch, numeric=torch.full_like(batch.numeric, large), steps=torch.full_like(batch.steps, large)
    )
    assert logits_of(pair, far).isfinite().all()


@every_head
def test_gradients_reach_every_parameter(pair: Pair) -> None:
    network, batch = random_network(*pair).train(), repeated(some_batch(pair[1], 24), FOLDS)
    network.members(batch).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert not parameter.numel() or parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("lengths", [[0], [1], [0, 0], [0, 1], [5, 0, 1]])
def test_histories_may_be_empty_or_hold_one_event(head: HeadName, lengths: list[int]) -> None:
    batch = some_batch("log", 24)
    n = [int((batch.lengths == length).nonzero()[0]) for length in lengths]
    chosen = rows_of(batch, torch.tensor(n))
    assert chosen.lengths.tolist() == lengths
    got = logits_of((head, "log"), chosen)
    assert got.isfinite().all()
    assert_same(got, logits_of((head, "log"), batch)[n])
