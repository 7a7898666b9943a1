"""Gradient boosting peers: up to 2,000 rounds, stopped after 50 without progress on the rows held."""

from typing import Final

import numpy as np
import pandas as pd

from tests.benchmarks.quality.problem import Features, Floats, Problem
from tests.benchmarks.quality.simple import Answer, joined

ROUNDS: Final = 2000
PATIENCE: Final = 50
LEARNING_RATE: Final = 0.05
THREADS: Final = 2
MAX_CODES: Final = 255  # categories that HistGradientBoosting can tell apart


def histgb(problem: Problem, seed: int) -> Answer:
    """scikit-learn's; the rarest categories beyond 255 are one."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    def matrix(features: Features) -> Floats:
        return joined(Features(features.numbers, np.minimum(features.codes, MAX_CODES - 1)))

    n_numbers, n_codes = _widths(problem)
    x, y, held = matrix(problem.train), problem.positive, problem.held
    model = HistGradientBoostingClassifier(
        learning_rate=LEARNING_RATE,
        max_iter=ROUNDS,
        early_stopping=True,
        n_iter_no_change=PATIENCE,
        categorical_features=np.arange(n_numbers, n_numbers + n_codes),
        random_state=seed,
    )
    model.fit(x[~held], y[~held], X_val=x[held], y_val=y[held])
    return lambda: model.predict_proba(matrix(problem.test))[:, 1]


def lightgbm(problem: Problem, seed: int) -> Answer:
    """LightGBM."""
    import lightgbm

    n_numbers, n_codes = _widths(problem)
    categories = {"categorical_feature": list(range(n_numbers, n_numbers + n_codes))}
    x, y, held = joined(problem.train), problem.positive.astype(float), problem.held
    train = lightgbm.Dataset(x[~held], y[~held], **categories)
    model = lightgbm.train(
        {
            "objective": "binary",
            "learning_rate": LEARNING_RATE,
            "num_threads": THREADS,
            "seed": seed,
            "verbosity": -1,
        },
        train,
        ROUNDS,
        valid_sets=[lightgbm.Dataset(x[held], y[held], reference=train, **categories)],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    return lambda: model.predict(joined(problem.test), num_iteration=model.best_iteration)


def xgboost(problem: Problem, seed: int) -> Answer:
    """XGBoost."""
    from xgboost import XGBClassifier

    n_numbers, n_codes = _widths(problem)
    x, y, held = joined(problem.train), problem.positive, problem.held
    model = XGBClassifier(
        n_estimators=ROUNDS,
        learning_rate=LEARNING_RATE,
        early_stopping_rounds=PATIENCE,
        eval_metric="logloss",
        enable_categorical=True,
        feature_types=["q"] * n_numbers + ["c"] * n_codes,
        n_jobs=THREADS,
        random_state=seed,
    )
    model.fit(x[~held], y[~held], eval_set=[(x[held], y[held])], verbose=False)
    return lambda: model.predict_proba(joined(problem.test))[:, 1]


def catboost(problem: Problem, seed: int) -> Answer:
    """CatBoost with the learning rate that it chooses itself."""
    from catboost import CatBoostClassifier

    y, held = problem.positive.astype(int), problem.held
    model = CatBoostClassifier(
        iterations=ROUNDS,
        early_stopping_rounds=PATIENCE,
        cat_features=[f"code {n}" for n in range(_widths(problem)[1])],
        thread_count=THREADS,
        random_seed=seed,
        allow_writing_files=False,
        verbose=False,
    )
    learnt, kept = _frame(problem.train.take(~held)), _frame(problem.train.take(held))
    model.fit(learnt, y[~held], eval_set=(kept, y[held]))
    return lambda: model.predict_proba(_frame(problem.test))[:, 1]


def _widths(problem: Problem) -> tuple[int, int]:
    return problem.train.numbers.shape[1], problem.train.codes.shape[1]


def _frame(features: Features) -> pd.DataFrame:
    """Numbers as float64 and codes as int64, side by side; -1 is a category of its own."""
    numbers = {f"number {n}": column for n, column in enumerate(features.numbers.T)}
    codes = {f"code {n}": column for n, column in enumerate(features.codes.T)}
    return pd.DataFrame({**numbers, **codes})
