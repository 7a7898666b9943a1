"""The learning rate follows its curve, decay pulls what it should, and the average follows the weights."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.training.fit.small_fits import fit_data, fitted, network, weights
from training.fit.optimizer import AVERAGING, WARM_UP, Average, falling_rate


@pytest.mark.parametrize("n_steps", [1, 7, 400])
def test_the_rate_rises_over_the_first_steps_then_falls_along_half_a_cosine(n_steps: int) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = falling_rate(optimizer, n_steps)
    rates = []
    for _ in range(n_steps):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        schedule.step()
    warm = max(round(WARM_UP * n_steps), 1)
    cosine = [0.1 * (1 + math.cos(math.pi * step / n_steps)) / 2 for step in range(n_steps)]
    assert rates[warm - 1 :] == pytest.approx(cosine[warm - 1 :])
    assert rates[:warm] == pytest.approx([c * (step + 1) / warm for step, c in enumerate(cosine[:warm])])
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.0)


def test_weight_decay_pulls_matrices_and_leaves_biases() -> None:
    data = fit_data()
    still = replace(data, at_risk=torch.zeros_like(data.at_risk))
    head = network("rnn")
    before = weights(head)
    fitted(head, still, epochs=1, weight_decay=0.5, patience=1)
    after = weights(head)
    for name, tensor in before.items():
        last = name.rpartition(".")[2]
        if last.startswith("weight") and name != "tokens.categories.weight":
            assert after[name].norm() < tensor.norm(), name
        else:
            assert torch.equal(after[name], tensor), name


def test_an_average_of_weights_forgets_the_first_ones_and_follows_slowly() -> None:
    head = network()
    average = Average(head)
    bias = average.network.trunk.bias
    followed = []
    with torch.no_grad():
        head.trunk.bias.fill_(1.0)  # from 0
        for _ in range(600):
            average.update()
            followed.append(bias.detach().mean().item())
        head.trunk.bias.fill_(0.0)
        average.update()
    assert followed[:3] == pytest.approx([0.9, 1 - 0.1 * 2 / 11, 1 - 0.1 * 2 / 11 * 3 / 12])
    assert followed[-1] == pytest.approx(1.0, abs=1e-4)
    assert bias.detach().mean().item() == pytest.approx(AVERAGING, abs=1e-4)
