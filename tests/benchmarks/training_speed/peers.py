"""Whole fits of the boosting libraries, as one would set them up: early stopping, native categories."""

import time
from collections.abc import Callable
from importlib import import_module
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tests.benchmarks.training_speed.alone import THREADS, beyond
from tests.benchmarks.training_speed.fits import WholeFit
from tests.benchmarks.training_speed.worlds import WorldName, boosting_frame, make_world
from training.measure.metrics import measure
from training.question.labels import Bools

STOPS: Final = 0.15  # of the examples, to stop on
MAX_ROUNDS: Final = 2000
PATIENCE: Final = 50  # rounds

Floats = NDArray[np.float64]
Trees = tuple[Callable[[pd.DataFrame], Floats], int]  # probabilities of further rows, and how many rounds
Sample = tuple[pd.DataFrame, Bools]


def fit_lightgbm(train: Sample, stop: Sample) -> Trees:
    """At a learning rate of 0.05, else LightGBM's own settings."""
    import lightgbm

    data = lightgbm.Dataset(train[0], train[1])
    booster = lightgbm.train(
        {"objective": "binary", "learning_rate": 0.05, "num_threads": THREADS, "seed": 0, "verbosity": -1},
        data,
        num_boost_round=MAX_ROUNDS,
        valid_sets=[lightgbm.Dataset(stop[0], stop[1], reference=data)],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    return booster.predict, booster.best_iteration


def fit_catboost(train: Sample, stop: Sample) -> Trees:
    """CatBoost's own settings; it chooses its learning rate by the size of the data."""
    import catboost

    texts = [name for name, kind in train[0].dtypes.items() if isinstance(kind, pd.CategoricalDtype)]
    model = catboost.CatBoostClassifier(
        iterations=MAX_ROUNDS,
        thread_count=THREADS,
        random_seed=0,
        verbose=False,
        allow_writing_files=False,
        cat_features=texts,
    )
    model.fit(*train, eval_set=stop, early_stopping_rounds=PATIENCE)
    return lambda rows: model.predict_proba(rows)[:, 1], model.get_best_iteration() + 1


PEERS: Final[dict[str, Callable[[Sample, Sample], Trees]]] = {
    "LightGBM": fit_lightgbm,
    "CatBoost": fit_catboost,
}


def peer_fit(name: str, world_name: WorldName, n: int) -> WholeFit | None:
    """Fit a peer on the examples that ours fits; None where it is not installed.

    The aggregates of a log are computed before, and cost it nothing.
    """
    try:
        import_module(name.lower())
    except ImportError:
        return None
    world = make_world(world_name, n)
    frame, positive = boosting_frame(world), world.positive
    first = int(world.n_train * (1 - STOPS))  # the examples are in no order
    parts = [slice(0, first), slice(first, world.n_train), slice(world.n_train, None)]
    train, stop, test = [(frame.iloc[part], positive[part]) for part in parts]
    began = time.perf_counter()
    (predict, rounds), beyond_mb = beyond(lambda: PEERS[name](train, stop))
    seconds = time.perf_counter() - began
    log_loss = measure(test[1].astype(np.float64), predict(test[0])).log_loss
    return WholeFit(seconds, rounds, log_loss, beyond_mb)
