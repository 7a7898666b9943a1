"""Network peers: the plain recipe, and TabM and RealMLP as pytabkit sets them."""

import logging
from typing import Any, Final

import numpy as np
import pandas as pd
import torch
from sklearn.impute import SimpleImputer
from torch import Tensor, nn

from tests.benchmarks.quality.problem import Features, Floats, Problem
from tests.benchmarks.quality.simple import Answer, joined

WIDTH: Final = 50
EPOCHS: Final = 100
LEARNING_RATE: Final = 0.001
THREADS: Final = 2


def plain_recipe(problem: Problem, seed: int) -> Answer:
    """All numbers over the largest of them, one hidden layer of 50, full-batch Adam for 100 epochs.

    Mended just enough to run: codes stand for categories, and 0 for what is missing.
    """
    train = _plain(problem.train)
    largest = train.max()

    def inputs(features: Features) -> Tensor:
        return torch.from_numpy(_plain(features) / largest).float()

    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(train.shape[1], WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))
    x, y = inputs(problem.train), torch.from_numpy(problem.positive).float()[:, None]
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    for _ in range(EPOCHS):
        optimiser.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(network(x), y).backward()
        optimiser.step()

    def answer() -> Floats:
        with torch.no_grad():
            return np.asarray(network(inputs(problem.test)).sigmoid()[:, 0], dtype=np.float64)

    return answer


def tabm(problem: Problem, seed: int) -> Answer:
    """TabM with pytabkit's defaults."""
    from pytabkit import TabM_D_Classifier

    return _fit(TabM_D_Classifier(device="cpu", random_state=seed, n_threads=THREADS), problem)


def realmlp(problem: Problem, seed: int) -> Answer:
    """RealMLP with pytabkit's tuned defaults, without label smoothing, which spoils probabilities."""
    from pytabkit import RealMLP_TD_Classifier

    return _fit(
        RealMLP_TD_Classifier(
            device="cpu",
            random_state=seed,
            n_threads=THREADS,
            use_ls=False,
            val_metric_name="cross_entropy",
        ),
        problem,
    )


def _plain(features: Features) -> Floats:
    """(N, D + C) numbers and codes, 0 where missing."""
    return np.nan_to_num(joined(features))


def _fit(model: Any, problem: Problem) -> Answer:
    """Both refuse missing numbers: these get the median, and a column that says so."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)  # or it advertises at every fit
    fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    fill.fit(problem.train.numbers)

    def frame(features: Features) -> pd.DataFrame:
        numbers = pd.DataFrame(fill.transform(features.numbers)).add_prefix("number ")
        codes = pd.DataFrame(features.codes.astype(str)).add_prefix("code ").astype("category")
        return pd.concat([numbers, codes], axis=1)

    x, y, held = frame(problem.train), problem.positive.astype(int), problem.held
    names = [name for name in x if name.startswith("code ")]
    model.fit(x[~held], y[~held], X_val=x[held], y_val=y[held], cat_col_names=names)
    return lambda: model.predict_proba(frame(problem.test))[:, 1]
