"""Peers with few parameters: logistic regression, and Pareto/NBD for repeated purchases."""

from collections.abc import Callable
from typing import Final

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, RobustScaler, StandardScaler

from tests.benchmarks.quality.problem import Features, Floats, Problem
from training.baselines.pareto_nbd import buys_within, fit_pareto_nbd

Answer = Callable[[], Floats]  # (M,) probabilities for the test examples

MAX_STEPS: Final = 5000  # of lbfgs, which takes some hundred


def joined(features: Features) -> Floats:
    """(N, D + C) numbers, then codes; NaN missing in both."""
    codes = np.where(features.codes < 0, np.nan, features.codes)
    return np.concatenate([features.numbers, codes], axis=1)


def logistic(problem: Problem, _seed: int) -> Answer:
    """Scaled numbers with their tails drawn in by asinh, one-hot categories, an L2 penalty of C = 1."""
    n_numbers, n_codes = problem.train.numbers.shape[1], problem.train.codes.shape[1]
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        RobustScaler(),
        FunctionTransformer(np.arcsinh),
        StandardScaler(),
    )
    parts = [
        ("numbers", numbers, np.arange(n_numbers)),
        ("codes", OneHotEncoder(handle_unknown="ignore"), n_numbers + np.arange(n_codes)),
    ]
    columns = ColumnTransformer([part for part in parts if len(part[2])])
    model = make_pipeline(columns, LogisticRegression(C=1.0, max_iter=MAX_STEPS))
    model.fit(joined(problem.train), problem.positive)
    return lambda: model.predict_proba(joined(problem.test))[:, 1]


def pareto(problem: Problem, seed: int) -> Answer:
    """Maximum likelihood over all who bought up to the cut; it needs no label."""
    asked = problem.repeats
    assert asked is not None
    model = fit_pareto_nbd(asked.known.take(asked.known.frequency >= 0), seed=seed)

    def answer() -> Floats:
        bought = asked.about.frequency >= 0
        buys = np.full(len(bought), np.nan)
        buys[bought] = buys_within(model, asked.about.take(bought), [asked.horizon_days])[:, 0]
        buys[~bought] = buys[bought].mean()  # eligible, though not by a purchase
        return 1 - buys if asked.absent else buys

    return answer
