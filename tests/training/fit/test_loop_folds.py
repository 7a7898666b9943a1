"""A fold's network never reads the examples of its fold; what is judged is what it says about these."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from model.features.inputs import Inputs
from model.network.batch import Batch, gather
from model.store.manifest import HeadName
from tests.training.fit.small_fits import F, fit_data, fitted, network, same, unseen, weights, weights_of
from training.fit import loop
from training.fit.loop import FitData

HEADS: tuple[HeadName, ...] = ("mlp", "rnn", "cnn")


def relabelled(data: FitData, fold: int) -> FitData:
    flipped = torch.from_numpy(data.fold == fold)[:, None]
    return replace(data, events=torch.where(flipped, 1 - data.events, data.events))


def reworded(data: FitData, fold: int) -> FitData:
    """The examples of a fold hold other numbers, some of them none."""
    theirs = data.fold == fold
    numbers = np.where(theirs[:, None], -3 * data.inputs.numeric, data.inputs.numeric)
    numbers[theirs, 1] = np.nan
    return replace(data, inputs=replace(data.inputs, numeric=numbers))


@pytest.mark.parametrize(("head", "fold"), [*(("mlp", fold) for fold in range(F)), ("rnn", 1), ("cnn", 1)])
def test_neither_labels_nor_inputs_of_a_fold_reach_its_network(head: HeadName, fold: int) -> None:
    """After one epoch of ten steps: which of several is kept, all examples decide."""
    data = fit_data(150)
    one, other = network(head, dropout=0.2), network(head, dropout=0.2)
    fitted(one, data, epochs=1, batch_size=10, weight_decay=0.01)
    fitted(other, relabelled(reworded(data, fold), fold), epochs=1, batch_size=10, weight_decay=0.01)
    for f in range(F):
        assert same(weights_of(one, f), weights_of(other, f)) == (f == fold)


@pytest.mark.parametrize("head", HEADS)
def test_labels_of_a_fold_do_not_reach_its_network_where_it_reads_a_series(head: HeadName) -> None:
    data = fit_data(150, series=True)
    one, other = network(head, series=True), network(head, series=True)
    fitted(one, data, epochs=1, batch_size=10)
    fitted(other, relabelled(data, 1), epochs=1, batch_size=10)
    for f in range(F):
        assert same(weights_of(one, f), weights_of(other, f)) == (f == 1)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("series", [False, True])
def test_unseen_logits_are_those_of_the_network_of_the_fold_in_the_order_of_the_examples(
    head: HeadName, series: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "BATCH_SIZE", 40)  # so that they are answered in several parts
    draw = np.random.default_rng(3)
    data = replace(
        fit_data(200, outputs=2, noise=0.5, series=series),
        fold=draw.choice(F, 200, p=[0.6, 0.3, 0.1]),
        judged=draw.random(200) < 0.5,
    )
    bag = network(head, outputs=2, dropout=0.2, series=series)
    fit = fitted(bag, data, epochs=3)
    assert fit.unseen.shape == (data.judged.sum(), 2)
    assert fit.unseen.dtype == np.float64
    assert fit.unseen == pytest.approx(unseen(bag, data), abs=1e-5)
    for wrong in (1, 2):
        other = unseen(bag, replace(data, fold=(data.fold + wrong) % F))
        assert np.abs(fit.unseen - other).max() > 0.01


def test_each_network_reads_each_example_of_the_other_folds_once_an_epoch_but_what_is_too_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gathered: list[Tensor] = []

    def listening(inputs: Inputs, rows: Tensor) -> Batch:
        gathered.append(rows)
        return gather(inputs, rows)

    monkeypatch.setattr("training.fit.loop.gather", listening)
    data = replace(fit_data(200), fold=np.random.default_rng(0).choice(F, 200, p=[0.5, 0.3, 0.2]))
    silent = replace(data, judged=np.zeros(200, dtype=bool))
    fitted(network(), silent, epochs=2, batch_size=16, steps=7)
    batches = [rows.view(F, -1) for rows in gathered if len(rows)]
    fewest = min(int((data.fold != fold).sum()) for fold in range(F))
    n_steps = 7
    assert len(batches) == 2 * n_steps
    epochs = [torch.cat(batches[:n_steps], dim=1), torch.cat(batches[n_steps:], dim=1)]
    for epoch in epochs:
        for fold, read in enumerate(epoch.tolist()):
            assert len(read) == len(set(read)) == fewest // n_steps * n_steps
            assert not set(read) & set(np.flatnonzero(data.fold == fold).tolist())
    assert not torch.equal(*epochs)


def test_a_fold_without_examples_is_a_network_that_reads_all() -> None:
    data = fit_data(120)
    empty = replace(data, fold=data.fold % 2)
    bag = network()
    fit = fitted(bag, empty, epochs=3)
    assert fit.unseen == pytest.approx(unseen(bag, empty), abs=1e-5)
    assert all(np.isfinite(epoch.validation_loss) for epoch in fit.history)
    changed = network()
    fitted(changed, relabelled(empty, 0), epochs=3)
    assert not same(weights_of(bag, 2), weights_of(changed, 2))


def test_a_fold_of_which_nothing_is_judged_does_no_harm() -> None:
    data = fit_data(120)
    judged = replace(data, judged=data.fold != 1)
    bag = network()
    fit = fitted(bag, judged, epochs=3)
    assert len(fit.unseen) == (data.fold != 1).sum()
    assert fit.unseen == pytest.approx(unseen(bag, judged), abs=1e-5)


def test_where_nothing_at_all_is_judged_the_first_epoch_is_kept() -> None:
    data = replace(fit_data(120), judged=np.zeros(120, dtype=bool))
    fit = fitted(network(), data, epochs=3, patience=2)
    assert fit.unseen.shape == (0, 1)
    assert [epoch.validation_loss for epoch in fit.history] == [0.0, 0.0, 0.0]


def test_fewer_examples_than_a_batch_are_one_batch() -> None:
    bag = network()
    before = weights(bag)
    fit = fitted(bag, fit_data(9), epochs=1, batch_size=64)
    assert np.isfinite(fit.history[0].train_loss)
    assert not same(weights(bag), before)
