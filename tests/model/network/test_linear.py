"""The linear network is a sum of one weight for each input."""

from dataclasses import replace

import pytest
import torch

from model.network.linear import LinearNetwork
from model.network.network import build_head, build_linear
from tests.model.networks import SCHEMAS, random_linear, rows_of, some_batch, spec

each_kind = pytest.mark.parametrize("kind", SCHEMAS)


@each_kind
def test_the_head_is_built_by_its_name(kind: str) -> None:
    network = build_head(spec("linear"), SCHEMAS[kind], n_outputs=2)
    assert isinstance(network, LinearNetwork)
    assert not isinstance(build_head(spec("mlp"), SCHEMAS[kind], n_outputs=2), LinearNetwork)
    assert network(some_batch(kind, 5)).tolist() == [[0.0, 0.0]] * 5


@each_kind
def test_a_logit_is_the_sum_of_the_weights_of_what_a_row_has(kind: str) -> None:
    network, batch = random_linear(kind), some_batch(kind)
    got = network(batch)
    starts = network.offsets.tolist()
    for row in range(len(batch)):
        wanted = network.bias.detach().clone()
        for n, number in enumerate(batch.numeric[row]):
            wanted += network.missing[n] if number.isnan() else number * network.numbers[n]
        for start, code in zip(starts, batch.categories[row].tolist(), strict=False):
            wanted += network.codes[start + code]
        torch.testing.assert_close(got[row], wanted, rtol=1e-5, atol=1e-5)


@each_kind
def test_neither_steps_nor_other_rows_are_read(kind: str) -> None:
    network, batch = random_linear(kind), some_batch(kind)
    logits = network(batch)
    assert torch.equal(network(replace(batch, steps=batch.steps + 1)), logits)
    alone = torch.cat([network(rows_of(batch, torch.tensor([row]))) for row in range(len(batch))])
    torch.testing.assert_close(alone, logits, rtol=0, atol=1e-5)


def test_codes_of_repeated_numbers_have_no_weights() -> None:
    network = build_linear(SCHEMAS["table"], n_outputs=1)
    assert network.codes.shape == (2 + 2, 1)  # of the plan alone
