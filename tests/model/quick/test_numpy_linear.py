"""The linear network in numpy gives what the network gives."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.features.inputs import Inputs
from model.network.linear import LinearNetwork
from model.probability import Calibration
from model.quick.numpy_linear import NumpyLinear
from model.scorer import build_scorer, logits
from tests.model.networks import SCHEMAS, TASKS, random_linear, some_batch, spec

CPU = torch.device("cpu")


@given(n=st.integers(0, 9), d=st.integers(0, 4), c=st.integers(0, 3), seed=st.integers(0, 999))
def test_the_logits_are_those_of_the_network(n: int, d: int, c: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    network = LinearNetwork(d, [4] * c, n_outputs=2)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(seed))
    numbers = draw.normal(0, 3, (n, d)).astype(np.float32)
    numbers[draw.random(numbers.shape) < 0.2] = np.nan
    codes = draw.integers(0, 4, (n, c + 1))  # the last one is of a repeated number
    got = NumpyLinear.build(network).logits(numbers, codes)
    wanted = logits(network, Inputs(torch.from_numpy(numbers), torch.from_numpy(codes), None), CPU)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_scorer_on_the_cpu_uses_it(kind: str) -> None:
    k = TASKS[kind].n_outputs
    network, calibration = random_linear(kind), Calibration(slopes=(1.0,) * k, intercepts=(0.0,) * k)
    scorer = build_scorer(TASKS[kind], SCHEMAS[kind], spec("linear"), network, calibration, CPU)
    assert isinstance(scorer.quick, NumpyLinear)
    batch = some_batch(kind, with_steps=False)
    got = scorer.logits(Inputs(batch.numeric, batch.categories, None))
    np.testing.assert_allclose(got, network(batch).detach().numpy(), rtol=1e-5, atol=1e-5)
