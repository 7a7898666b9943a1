"""The peers by name, and how each is asked: only its fit is timed."""

import importlib
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

import numpy as np

from tests.benchmarks.quality import boosting, networks, simple
from tests.benchmarks.quality.problem import Floats, Problem
from tests.benchmarks.quality.simple import Answer
from training.baselines.pareto_nbd import BtydError


@dataclass(frozen=True)
class Peer:
    """A model that others offer.

    Attributes:
        title: its name in the table.
        fit: from a problem and a seed to its answer.
        package: what must be installed; imported before the clock starts.
    """

    title: str
    fit: Callable[[Problem, int], Answer]
    package: str


PEERS: Final = {
    "logistic": Peer("logistic regression", simple.logistic, "sklearn.linear_model"),
    "histgb": Peer("HistGradientBoosting", boosting.histgb, "sklearn.ensemble"),
    "lightgbm": Peer("LightGBM", boosting.lightgbm, "lightgbm"),
    "xgboost": Peer("XGBoost", boosting.xgboost, "xgboost"),
    "catboost": Peer("CatBoost", boosting.catboost, "catboost"),
    "pareto": Peer("Pareto/NBD", simple.pareto, "lifetimes"),
    "recipe": Peer("plain recipe", networks.plain_recipe, "torch"),
    "tabm": Peer("TabM (pytabkit)", networks.tabm, "pytabkit"),
    "realmlp": Peer("RealMLP (pytabkit)", networks.realmlp, "pytabkit"),
}
SLOW: Final = ("tabm", "realmlp")
QUICK: Final = tuple(name for name in PEERS if name not in SLOW)


class PeerError(Exception):
    """A peer has nothing to say here; the text is why."""


def ask_peer(name: str, problem: Problem, seed: int) -> tuple[Floats, float]:
    """(M,) float64 probabilities for the test examples, and the seconds of the fit.

    Raises:
        PeerError: its package is not installed, or the question does not suit it.
    """
    peer = PEERS[name]
    if find_spec(peer.package.partition(".")[0]) is None:
        raise PeerError(f"{peer.package} is not installed; pip install 'propense[bench]'")
    if name == "pareto" and problem.repeats is None:
        raise PeerError("asks about repeated purchases, which this question does not")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lifetimes sets an option that pandas no longer has
        importlib.import_module(peer.package)
    started = time.perf_counter()
    try:
        answer = peer.fit(problem, seed)
    except BtydError as error:
        raise PeerError(str(error)) from error
    seconds = time.perf_counter() - started
    return np.clip(np.asarray(answer(), dtype=np.float64), 0.0, 1.0), seconds
