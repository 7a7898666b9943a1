"""The loop learns, keeps its best epoch, stops, repeats for a seed, and obeys the mask."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.training.fit.small_fits import fit_data, fitted, network, same, unseen, weights
from training.fit.calibrate import calibrated_loss
from training.fit.loop import PROGRESS, Epoch, Fit, best_epoch


def losses_of(fit: Fit) -> list[float]:
    return [epoch.validation_loss for epoch in fit.history]


def test_the_loss_falls_where_there_is_something_to_learn() -> None:
    history = fitted(network(), fit_data()).history
    assert history[-1].train_loss < 0.5 * history[0].train_loss
    assert history[-1].validation_loss < 0.2


def test_noise_is_not_learnt_of_examples_that_a_network_does_not_read() -> None:
    fit = fitted(network(), fit_data(60, noise=1.0), epochs=40, patience=40, batch_size=8)
    assert fit.history[-1].train_loss < 0.6
    assert min(losses_of(fit)) > 0.65


def test_an_epoch_is_judged_by_the_calibrated_loss_of_what_no_network_read() -> None:
    data = replace(fit_data(80, noise=1.0), judged=np.arange(80) % 4 > 0)
    fit = fitted(network(), data, epochs=40, patience=40, batch_size=8)
    judged = data.judged
    loss = calibrated_loss(fit.unseen, data.events.numpy()[judged] > 0, data.at_risk.numpy()[judged] > 0)
    assert losses_of(fit)[best_epoch(fit.history) - 1] == pytest.approx(loss)


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    head, data = network(), fit_data(60, noise=0.5)
    fit = fitted(head, data, epochs=40, patience=40, batch_size=8)
    best = best_epoch(fit.history)
    assert 1 < best < len(fit.history) == 40  # it went on to learn the noise
    assert losses_of(fit)[best - 1] * (1 - PROGRESS) <= min(losses_of(fit)) < 0.99 * losses_of(fit)[-1]
    assert fit.unseen == pytest.approx(unseen(head, data), abs=1e-5)


def test_the_best_of_equal_epochs_is_the_first() -> None:
    losses = [0.5, 0.3, 0.3, 0.4]
    assert best_epoch(tuple(Epoch(n, 4, 0.1, 0.0, loss) for n, loss in enumerate(losses, start=1))) == 2


def test_patience_is_how_many_epochs_without_progress_are_run() -> None:
    history = fitted(network(), fit_data(60, noise=0.5), epochs=500, patience=4).history
    assert len(history) - best_epoch(history) == 4
    assert len(history) < 500


def test_every_epoch_is_told_of_as_it_ends() -> None:
    told: list[Epoch] = []
    history = fitted(network(), fit_data(), epochs=3, on_epoch=told.append).history
    assert told == list(history)
    assert [(epoch.epoch, epoch.planned) for epoch in history] == [(1, 3), (2, 3), (3, 3)]


def test_a_seed_repeats_to_the_bit_and_another_does_not() -> None:
    def run(seed: int) -> dict[str, Tensor]:
        head = network(dropout=0.2)
        fitted(head, fit_data(), epochs=2, seed=seed)
        return weights(head)

    assert same(run(0), run(0))
    assert not same(run(0), run(1))


def test_the_learning_rate_warms_up_and_falls_to_nothing_over_the_epochs_planned() -> None:
    history = fitted(
        network(), fit_data(402), epochs=40, patience=40, batch_size=27, learning_rate=0.01
    ).history
    told = [epoch.learning_rate or 0.0 for epoch in history]
    top = int(np.argmax(told))
    assert 0 < top <= 3
    assert told[:top] == sorted(told[:top])
    assert told[top:] == sorted(told[top:], reverse=True)
    assert told[0] < 0.1 * told[top]
    assert 0.0095 < told[top] <= 0.01
    assert told[-1] < 0.01 * told[top]


def test_what_a_masked_entry_holds_changes_nothing() -> None:
    data = fit_data(outputs=2)
    at_risk = (torch.rand(400, 2, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    results = []
    for masked in (0.0, 1.0):
        head = network(outputs=2)
        events = torch.where(at_risk > 0, data.events, masked)
        fit = fitted(head, replace(data, events=events, at_risk=at_risk), epochs=2)
        results.append((weights(head), fit.history))
    assert same(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]


def test_an_output_that_is_never_at_risk_keeps_its_weights() -> None:
    head, data = network(outputs=2), fit_data(outputs=2)
    data.at_risk[:, 1] = 0.0
    before = weights(head)
    fitted(head, data, epochs=2)
    for name in ("trunk.weight", "trunk.bias"):
        assert torch.equal(head.state_dict()[name][..., 1], before[name][..., 1])
        assert not torch.equal(head.state_dict()[name][..., 0], before[name][..., 0])


def test_a_batch_in_which_nothing_is_at_risk_does_no_harm() -> None:
    head, data = network(), fit_data()
    history = fitted(head, replace(data, at_risk=torch.zeros_like(data.at_risk)), epochs=2).history
    assert all(np.isfinite(epoch.train_loss) for epoch in history)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in head.state_dict().values())
