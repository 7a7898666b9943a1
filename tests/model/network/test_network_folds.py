"""Networks of a bag share no weights; the bag predicts their mean probability."""

from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor

from model.network.batch import Batch
from model.network.network import Network
from model.store.manifest import HeadName
from tests.model.networks import (
    FOLDS,
    HEADS,
    MEMBERS,
    SCHEMAS,
    random_network,
    repeated,
    rows_of,
    some_batch,
)

B = 8  # so that every fold has a customer with a long history
PAIRS = [(head, kind) for head in HEADS for kind in SCHEMAS]
every_head = pytest.mark.parametrize(("head", "kind"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
each_fold = pytest.mark.parametrize("fold", range(FOLDS))


def fold_major(kind: str) -> Batch:
    """B rows for each fold, all of them different customers."""
    return some_batch(kind, FOLDS * B)


def exchanged(batch: Batch, fold: int) -> Batch:
    """The rows of one fold in another order, and with other columns."""
    order = torch.arange(len(batch))
    own = slice(fold * B, (fold + 1) * B)
    order[own] = order[own].flip(0)
    changed = {field.name: getattr(batch, field.name)[order] for field in fields(batch)}
    changed["numeric"][own] += 0.5
    return Batch(**changed)


def gradients(network: Network, batch: Batch, *, of: slice = slice(None)) -> dict[str, Tensor]:
    """(F, ...) gradient of every parameter by name; those of the readers, one for each fold, together."""
    network.zero_grad()
    network.members(batch)[of].square().sum().backward()
    found = {n: _gradient(p) for n, p in network.named_parameters() if not n.startswith("readers")}
    for name in dict(network.readers[0].named_parameters()) if network.readers else ():
        own = [_gradient(reader.get_parameter(name)) for reader in network.readers]
        found[f"readers.{name}"] = torch.stack(own)
    return {name: gradient for name, gradient in found.items() if gradient.numel()}


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def assert_same(got: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-6)


@every_head
def test_members_are_ordered_by_fold_and_row(head: HeadName, kind: str) -> None:
    network, batch = random_network(head, kind), fold_major(kind)
    members = network.members(batch)
    assert members.shape == (FOLDS, MEMBERS, B, network(batch).shape[1])
    for fold, own in enumerate(batch.split(B)):
        assert_same(members[fold], network.folds(own)[fold])


@every_head
def test_members_and_folds_agree_on_the_same_rows(head: HeadName, kind: str) -> None:
    network, batch = random_network(head, kind), some_batch(kind)
    logits = network.folds(batch)
    assert_same(network.members(repeated(batch, FOLDS)), logits)
    assert logits.std(dim=0).amin(dim=(0, 1)).min() > 1e-3  # folds differ


@every_head
@each_fold
def test_a_fold_reads_its_own_rows_only(head: HeadName, kind: str, fold: int) -> None:
    network, batch = random_network(head, kind), fold_major(kind)
    before, after = network.members(batch), network.members(exchanged(batch, fold))
    others = [f for f in range(FOLDS) if f != fold]
    assert torch.equal(after[others], before[others])
    assert not torch.allclose(after[fold], before[fold], rtol=0, atol=1e-2)


@every_head
@each_fold
def test_a_fold_is_trained_on_its_own_rows_only(head: HeadName, kind: str, fold: int) -> None:
    network, batch = random_network(head, kind).train(), fold_major(kind)
    before, after = gradients(network, batch), gradients(network, exchanged(batch, fold))
    others = [f for f in range(FOLDS) if f != fold]
    for name, grad in before.items():
        assert grad.isfinite().all(), name
        assert torch.equal(after[name][others], grad[others]), name
        assert not torch.allclose(after[name][fold], grad[fold]), name


@every_head
@each_fold
def test_the_loss_of_a_fold_moves_no_other_fold(head: HeadName, kind: str, fold: int) -> None:
    network, batch = random_network(head, kind).train(), fold_major(kind)
    for name, grad in gradients(network, batch, of=slice(fold, fold + 1)).items():
        assert grad[fold].any(), name
        assert not grad[[f for f in range(FOLDS) if f != fold]].any(), name


@every_head
def test_the_network_returns_the_mean_probability_of_all(head: HeadName, kind: str) -> None:
    network, batch = random_network(head, kind), some_batch(kind)
    probabilities = network.folds(batch).double().sigmoid().mean(dim=(0, 1))
    torch.testing.assert_close(network(batch).double(), probabilities.logit(), rtol=0, atol=1e-5)


@every_head
def test_a_row_gets_the_same_members_alone_and_beside_others(head: HeadName, kind: str) -> None:
    network, batch = random_network(head, kind), fold_major(kind)
    members = network.members(batch)
    for row in range(B):
        alone = rows_of(batch, torch.arange(row, FOLDS * B, B))
        assert_same(network.members(alone), members[:, :, row : row + 1])


def test_rows_that_do_not_make_whole_folds_are_refused() -> None:
    network, batch = random_network("mlp", "table"), some_batch("table", FOLDS * B + 1)
    with pytest.raises(RuntimeError, match="unflatten"):
        network.members(batch)


def test_members_need_the_steps_of_their_own_rows_only() -> None:
    """A long history in one fold is padding in another, which is not read."""
    network, batch = random_network("rnn", "log"), fold_major("log")
    longer = replace(
        batch,
        steps=torch.nn.functional.pad(batch.steps, (0, 0, 0, 7), value=torch.nan),
        step_categories=torch.nn.functional.pad(batch.step_categories, (0, 0, 0, 7), value=1),
    )
    assert_same(network.members(longer), network.members(batch))
