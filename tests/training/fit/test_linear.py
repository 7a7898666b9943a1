"""The linear head is logistic regression, left out by fold, with a penalty chosen on unseen examples."""

from dataclasses import replace
from typing import Final

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from model.features.inputs import Inputs
from model.network.linear import LinearNetwork
from model.schema import CategoricalColumn, NumericColumn, Schema
from tests.training.fit.small_fits import SCALING, F
from training.fit import linear, logistic
from training.fit.linear import PENALTIES, fit_linear
from training.fit.loop import Epoch, Fit, FitData

N: Final = 500
SIZES: Final = (4, 7)
SCHEMA: Final = Schema(
    id=None,
    columns=(
        *(NumericColumn(name=n, scaling=SCALING) for n in "abc"),
        *(CategoricalColumn(name=f"of {n}", vocabulary=("x", "y", "z", "u", "v")[: n - 2]) for n in SIZES),
    ),
)


def data(*, outputs: int = 1, seed: int = 0) -> FitData:
    """Three numbers, the first without gaps, and two categories; the outcome depends on all but the last."""
    draw = np.random.default_rng(seed)
    numbers = draw.normal(size=(N, 3)).astype(np.float32)
    codes = draw.integers(0, SIZES, (N, 2))
    z = numbers[:, 0] - 0.5 * numbers[:, 1] + (codes[:, 0] - 1.5)
    numbers[draw.random(N) < 0.2, 1] = np.nan
    events = draw.random((N, outputs)) < 1 / (1 + np.exp(-z))[:, None]
    at_risk = np.ones((N, outputs), dtype=np.float32)
    at_risk[:, 1:] = (draw.random((N, outputs - 1)) < 0.7) & ~events[:, : outputs - 1]
    inputs = Inputs(numbers, codes)
    fold, judged = draw.permutation(np.arange(N) % F), draw.random(N) < 0.6
    return FitData(inputs, torch.from_numpy(events).float(), torch.from_numpy(at_risk), fold, judged)


def fitted(about: FitData) -> tuple[LinearNetwork, Fit, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    fit, by_fold, weights = fit_linear(SCHEMA, about, n_folds=F, on_epoch=lambda _: None)
    network = LinearNetwork.build(SCHEMA, weights, n_outputs=about.events.shape[1])
    return network, fit, by_fold(about.inputs)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("dense", [100, 0])
@pytest.mark.parametrize("penalty", [24.0, 1.0])
def test_each_fold_is_scikit_learn_s_regression_on_the_other_folds(
    penalty: float, dense: int, outputs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "PENALTIES", (penalty,))
    monkeypatch.setattr(logistic, "TOLERANCE", 1e-7)
    monkeypatch.setattr(linear, "DENSE_CODES", dense)
    about = data(outputs=outputs)
    _, _, spread = fitted(about)
    numbers, codes = about.inputs.numeric.astype(np.float64), about.inputs.categories
    one_hot = [codes[:, [c]] == np.arange(size) for c, size in enumerate(SIZES)]
    columns = np.concatenate([np.nan_to_num(numbers), np.isnan(numbers[:, [1]]), *one_hot], axis=1)
    for fold in range(F):
        for k in range(outputs):
            read = (about.fold != fold) & (about.at_risk[:, k].numpy() > 0)
            oracle = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000)
            oracle.fit(columns[read], about.events[read, k].numpy() > 0)
            np.testing.assert_allclose(spread[fold, :, k], oracle.decision_function(columns), atol=1e-4)


def test_the_network_has_the_mean_logits_of_the_folds() -> None:
    about = data(outputs=2)
    network, fit, spread = fitted(about)
    np.testing.assert_allclose(network.logits(about.inputs), spread.mean(axis=0), atol=1e-5)
    np.testing.assert_array_equal(fit.unseen, spread[about.fold, np.arange(N)][about.judged])
    assert spread.std(axis=0).max() > 1e-3


@pytest.mark.parametrize("fold", range(F))
def test_neither_labels_nor_inputs_of_a_fold_reach_its_regression(
    fold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "PENALTIES", (5.0,))
    monkeypatch.setattr(logistic, "TOLERANCE", 1e-7)
    about = data()
    own = about.fold == fold
    numeric, events = about.inputs.numeric.copy(), about.events.clone()
    events[own] = 1 - events[own]
    numeric[own] *= -3
    changed = replace(about, inputs=replace(about.inputs, numeric=numeric), events=events)
    others = about.fold != fold
    before, after = fitted(about)[2][:, others], fitted(changed)[2][:, others]
    np.testing.assert_allclose(after[fold], before[fold], atol=1e-4)
    assert np.abs(after - before).max(axis=(1, 2)).argmin() == fold
    assert np.abs(after - before).max() > 0.1


def test_penalties_fall_until_the_unseen_loss_no_longer_does() -> None:
    heard: list[Epoch] = []
    about = data()
    noise = torch.from_numpy(np.random.default_rng(1).random((N, 1)) < 0.5).float()
    fit, _, _ = fit_linear(SCHEMA, replace(about, events=noise), n_folds=F, on_epoch=heard.append)
    assert tuple(heard) == fit.history
    assert [epoch.penalty for epoch in heard] == list(PENALTIES[: len(heard)])
    assert len(heard) < len(PENALTIES)
    losses = [epoch.train_loss for epoch in heard]
    assert losses == sorted(losses, reverse=True)


def test_an_interval_without_events_gets_finite_logits() -> None:
    about = data(outputs=2)
    events, at_risk = about.events.clone(), about.at_risk.clone()
    events[:, 1] = 0.0
    at_risk[about.fold != 0, 1] = 0.0
    network, fit, spread = fitted(replace(about, events=events, at_risk=at_risk))
    assert np.isfinite(spread).all()
    assert np.isfinite(fit.unseen).all()
    assert np.isfinite(network.logits(about.inputs)).all()


def test_where_nothing_is_judged_the_strongest_penalty_is_kept() -> None:
    fit = fitted(replace(data(), judged=np.zeros(N, dtype=bool)))[1]
    assert fit.unseen.shape == (0, 1)
    assert {epoch.validation_loss for epoch in fit.history} == {0.0}
