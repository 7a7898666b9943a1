"""The loop learns, keeps its best epoch, stops, repeats for a seed, and obeys the mask."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from model.inputs import Inputs
from model.manifest import NetworkSpec
from model.network import Head, build_network
from model.schema import NumericColumn, Scaling, Schema
from model.scorer import logits
from training.loop import Epoch, Material, best_epoch, fit, replay, validation_loss

CPU = torch.device("cpu")
SCALING = Scaling(center=0, scale=1, mean=0, deviation=1, edges=(-1.0, 0.0, 1.0), low=-3, high=3, median=0)


def network(seed: int = 0, *, outputs: int = 1, dropout: float = 0.0) -> Head:
    """A small network that reads three numbers."""
    torch.manual_seed(seed)
    schema = Schema(id=None, columns=tuple(NumericColumn(name=n, scaling=SCALING) for n in "abc"))
    spec = NetworkSpec(head="mlp", width=16, layers=1, dropout=dropout, embedding=2, members=2)
    return build_network(spec, schema, n_outputs=outputs)


def material(n: int = 400, seed: int = 0, *, outputs: int = 1, noise: bool = False) -> Material:
    """Events that happen where the first number is positive, or at random."""
    draw = np.random.default_rng(seed)
    numbers = draw.normal(size=(n, 3)).astype(np.float32)
    happened = draw.random(n) < 0.5 if noise else numbers[:, 0] > 0
    events = np.repeat(happened[:, None], outputs, axis=1).astype(np.float32)
    inputs = Inputs(torch.from_numpy(numbers), torch.zeros((n, 0), dtype=torch.int64), None)
    return Material(inputs, torch.from_numpy(events), torch.ones((n, outputs)))


def fitted(head: Head, train: Material, validation: Material, **changes: Any) -> list[Epoch]:
    options: dict[str, Any] = {
        "device": CPU,
        "epochs": 10,
        "patience": 10,
        "batch_size": 50,
        "learning_rate": 0.02,
        "weight_decay": 0.0,
        "seed": 0,
        "on_epoch": lambda _: None,
    }
    return fit(head, train, validation, **{**options, **changes})


def weights(head: Head) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in head.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether all weights agree to the bit."""
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_loss_falls_where_there_is_something_to_learn() -> None:
    head, train, validation = network(), material(), material(seed=1)
    before = validation_loss(head, validation, CPU)
    history = fitted(head, train, validation)
    assert before > 0.6
    assert history[-1].train_loss < 0.5 * history[0].train_loss
    assert validation_loss(head, validation, CPU) < 0.2


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    head, validation = network(), material(60, 3, noise=True)
    history = fitted(head, material(40, 2, noise=True), validation, epochs=40, patience=40, batch_size=8)
    losses = [epoch.validation_loss for epoch in history]
    assert best_epoch(history) < len(history) == 40  # it went on to learn the noise
    assert validation_loss(head, validation, CPU) == min(losses) < losses[-1]


def test_the_best_of_equal_epochs_is_the_first() -> None:
    losses = [0.5, 0.3, 0.3, 0.4]
    assert best_epoch([Epoch(n, 0.1, 0.0, loss) for n, loss in enumerate(losses, start=1)]) == 2


def test_patience_is_how_many_epochs_without_progress_are_run() -> None:
    head = network()
    history = fitted(head, material(40, 2, noise=True), material(60, 3, noise=True), epochs=500, patience=4)
    assert len(history) - best_epoch(history) == 4
    assert len(history) < 500


def test_every_epoch_is_told_of_as_it_ends() -> None:
    told: list[Epoch] = []
    history = fitted(network(), material(), material(seed=1), epochs=3, on_epoch=told.append)
    assert told == history
    assert [epoch.epoch for epoch in history] == [1, 2, 3]
    assert history[0].learning_rate > 0


def test_a_seed_repeats_to_the_bit_and_another_does_not() -> None:
    def run(seed: int) -> dict[str, Tensor]:
        head = network()
        fitted(head, material(), material(seed=1), epochs=2, seed=seed)
        return weights(head)

    assert same(run(0), run(0))
    assert not same(run(0), run(1))


def test_evaluation_is_the_loss_of_the_averaged_probability_where_at_risk() -> None:
    head, asked = network(outputs=2), material(30, outputs=2)
    asked = replace(
        asked, at_risk=(torch.rand(30, 2, generator=torch.Generator().manual_seed(0)) < 0.6).float()
    )
    z, y, at_risk = logits(head.eval(), asked.inputs, CPU), asked.events.numpy(), asked.at_risk.numpy() > 0
    p = 1 / (1 + np.exp(-z))
    losses = -np.log(np.where(y > 0, p, 1 - p))
    assert validation_loss(head, asked, CPU) == pytest.approx(losses[at_risk].mean(), abs=1e-6)


def test_evaluation_leaves_dropout_out() -> None:
    head = network(dropout=0.5).train()
    assert validation_loss(head, material(), CPU) == validation_loss(head.train(), material(), CPU)


def test_what_a_masked_entry_holds_changes_nothing() -> None:
    train, validation = material(outputs=2), material(seed=1, outputs=2)
    at_risk = (torch.rand(400, 2, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    results = []
    for masked in (0.0, 1.0):
        events = torch.where(at_risk > 0, train.events, masked)
        head = network(outputs=2)
        history = fitted(head, Material(train.inputs, events, at_risk), validation, epochs=2)
        results.append((weights(head), history))
    assert same(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]


def test_an_output_that_is_never_at_risk_keeps_its_weights() -> None:
    head, train = network(outputs=2), material(outputs=2)
    train.at_risk[:, 1] = 0.0
    before = weights(head)
    fitted(head, train, train, epochs=2)
    for name in ("trunk.weight", "trunk.bias"):
        assert torch.equal(head.state_dict()[name][..., 1], before[name][..., 1])
        assert not torch.equal(head.state_dict()[name][..., 0], before[name][..., 0])


def test_a_batch_in_which_nothing_is_at_risk_does_no_harm() -> None:
    head, train = network(), material()
    history = fitted(head, replace(train, at_risk=torch.zeros_like(train.at_risk)), train, epochs=2)
    assert all(np.isfinite(epoch.train_loss) for epoch in history)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in head.state_dict().values())


def replayed(history: Sequence[Epoch], **changes: Any) -> tuple[dict[str, Tensor], list[Epoch]]:
    """Weights after a replay from fresh ones, and the epochs told of."""
    head, told = network(), list[Epoch]()
    options: dict[str, Any] = {
        "device": CPU,
        "batch_size": 50,
        "weight_decay": 0.0,
        "seed": 0,
        "on_epoch": told.append,
    }
    replay(head, material(), history, **{**options, **changes})
    return weights(head), told


def test_a_replay_on_the_same_data_ends_at_the_best_epoch_s_weights() -> None:
    head = network()
    history = fitted(head, material(), material(80, 5, noise=True), epochs=30, patience=30)
    assert 1 <= best_epoch(history) < 30
    again, told = replayed(history)
    assert same(again, weights(head))
    assert told == history[: best_epoch(history)]


def test_a_replay_runs_at_the_rates_recorded_and_no_longer_than_was_best() -> None:
    first, idle, late = Epoch(1, 0.02, 0, 0.5), Epoch(2, 0.0, 0, 0.4), Epoch(3, 0.02, 0, 0.6)
    after_two, _ = replayed([first, idle])
    after_idle, told = replayed([first, idle, late])
    assert told == [first, idle]
    assert same(after_two, after_idle)
    moving, _ = replayed([first, replace(idle, learning_rate=0.02), late])
    assert not same(after_two, moving)


def test_a_replay_repeats_for_a_seed() -> None:
    history = [Epoch(1, 0.02, 0, 0.5)]
    assert same(replayed(history)[0], replayed(history)[0])
    assert not same(replayed(history)[0], replayed(history, seed=1)[0])


def test_weight_decay_pulls_matrices_and_leaves_biases() -> None:
    train = material()
    still = replace(train, at_risk=torch.zeros_like(train.at_risk))
    head = network()
    before = weights(head)
    fitted(head, still, train, epochs=1, weight_decay=0.5, patience=1)
    head_after = weights(head)
    assert head_after["trunk.weight"].norm() < before["trunk.weight"].norm()
    assert torch.equal(head_after["trunk.adapter"], before["trunk.adapter"])
    assert torch.equal(head_after["trunk.bias"], before["trunk.bias"])
