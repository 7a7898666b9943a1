"""The linear network is a sum of one weight for each input."""

from dataclasses import replace

import numpy as np
import pytest

from model.errors import CheckpointError
from model.features.inputs import Inputs
from model.network.linear import LinearNetwork
from tests.model.networks import SCHEMAS, TASKS, random_weights, some_batch

each_kind = pytest.mark.parametrize("kind", SCHEMAS)


def network_of(kind: str) -> LinearNetwork:
    return LinearNetwork.build(SCHEMAS[kind], random_weights("linear", kind), n_outputs=TASKS[kind].n_outputs)


def inputs_of(kind: str) -> Inputs:
    batch = some_batch(kind)
    return Inputs(batch.numeric.numpy(), batch.categories.numpy())


@each_kind
def test_a_logit_is_the_sum_of_the_weights_of_what_a_row_has(kind: str) -> None:
    """The codes of repeated numbers, which come last, have none."""
    network, inputs = network_of(kind), inputs_of(kind)
    got = network.logits(inputs)
    assert got.dtype == np.float64
    for row, logits in enumerate(got):
        wanted = network.bias.astype(float)
        for n, number in enumerate(inputs.numeric[row]):
            wanted += network.missing[n] if np.isnan(number) else number * network.numbers[n]
        for start, code in zip(network.offsets, inputs.categories[row], strict=False):
            wanted += network.codes[start + code]
        np.testing.assert_allclose(logits, wanted, rtol=1e-5, atol=1e-5)


@each_kind
def test_other_rows_are_not_read(kind: str) -> None:
    network, inputs = network_of(kind), inputs_of(kind)
    alone = [network.logits(inputs.take(np.array([row]))) for row in range(len(inputs))]
    np.testing.assert_allclose(np.concatenate(alone), network.logits(inputs), rtol=0, atol=1e-5)
    assert network.logits(inputs.take(np.arange(0))).shape == (0, TASKS[kind].n_outputs)


def test_a_row_without_gaps_is_as_quick_and_the_same() -> None:
    network, inputs = network_of("table"), inputs_of("table")
    full = replace(inputs, numeric=np.nan_to_num(inputs.numeric))
    with_one = replace(full, numeric=np.where(np.arange(len(full))[:, None] == 0, np.nan, full.numeric))
    np.testing.assert_allclose(network.logits(with_one)[1:], network.logits(full)[1:], atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"codes": np.zeros((5, 1), np.float32)}, r"codes must have the shape \(4, 1\), got \(5, 1\)"),
        ({"odds": np.zeros(1, np.float32)}, r"odds must have the shape of nothing, got \(1,\)"),
        ({"bias": np.zeros(1)}, "the weights must be float32, got bias of float64"),
    ],
)
def test_weights_that_do_not_fit_are_refused(changes: dict[str, np.ndarray], reason: str) -> None:
    weights = {**random_weights("linear", "table"), **changes}
    with pytest.raises(CheckpointError, match=reason):
        LinearNetwork.build(SCHEMAS["table"], weights, n_outputs=1)
