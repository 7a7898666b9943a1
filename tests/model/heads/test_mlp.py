"""The mlp head reads columns and aggregates, and no steps."""

from dataclasses import replace

import torch

from model.heads.mlp import MlpHead
from tests.model.networks import random_network, some_batch


def test_it_reads_no_steps() -> None:
    network, batch = random_network("mlp", "log"), some_batch("log")
    other = replace(batch, steps=batch.steps + 1, step_categories=1 - batch.step_categories.clamp(max=1))
    assert torch.equal(network(other), network(batch))
    assert torch.equal(network(some_batch("log", with_steps=False)), network(batch))


def test_the_trunk_reads_every_token() -> None:
    network, batch = random_network("mlp", "log"), some_batch("log")
    assert isinstance(network, MlpHead)
    tokens = network.tokens(batch)
    assert tokens.shape == (12, 5 + 3, 4)  # five numbers, the plan, the last type and shop
    assert torch.equal(network.members(batch), network.trunk(tokens.flatten(1)))
    for position in range(tokens.shape[1]):
        changed = tokens.clone()
        changed[:, position] += 1
        assert not torch.equal(network.trunk(changed.flatten(1)), network.members(batch))
