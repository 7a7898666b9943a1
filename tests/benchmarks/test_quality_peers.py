"""Peers that need no package beside ours learn a planted signal; one that cannot answer says why."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.benchmarks.quality import peers
from tests.benchmarks.quality.peers import PEERS, QUICK, Peer, PeerError, ask_peer
from tests.benchmarks.quality.problem import Features, Problem, Repeats, held_rows
from training.baselines.pareto_nbd import Purchases
from training.measure.metrics import measure

N_TRAIN, N_TEST = 600, 400


def _planted(*, numbers: bool = True, codes: bool = True) -> tuple[Problem, NDArray[np.float64]]:
    """A problem whose label hangs on a number and a category, with gaps in both, and the test's labels."""
    draw = np.random.default_rng(0)
    n = N_TRAIN + N_TEST
    x, c = draw.normal(size=(n, 2)), draw.integers(-1, 400, size=(n, 1)) // 100
    positive = draw.random(n) < 1 / (1 + np.exp(-(2 * x[:, 0] + (c[:, 0] == 1) - 0.5)))
    x[::9, 1] = np.nan
    features = Features(x if numbers else x[:, :0], c if codes else c[:, :0])
    train, test = np.arange(N_TRAIN), np.arange(N_TRAIN, n)
    problem = Problem(
        features.take(train), positive[train], held_rows(positive[train], 0), features.take(test)
    )
    return problem, positive[test].astype(np.float64)


@pytest.mark.parametrize("name", ["logistic", "histgb", "recipe"])
def test_a_peer_learns_the_signal(name: str) -> None:
    problem, labels = _planted()
    probabilities, seconds = ask_peer(name, problem, 0)
    assert probabilities.shape == (N_TEST,)
    assert seconds > 0
    auc = measure(labels, probabilities).auc
    assert auc is not None
    assert auc > 0.8


@pytest.mark.parametrize("name", ["logistic", "histgb", "recipe"])
@pytest.mark.parametrize("kept", [{"numbers": False}, {"codes": False}])
def test_a_peer_does_without_numbers_or_categories(name: str, kept: dict[str, bool]) -> None:
    problem, labels = _planted(**kept)
    probabilities, _ = ask_peer(name, problem, 0)
    assert measure(labels, probabilities).log_loss < 0.75


def test_a_peer_repeats_for_a_seed() -> None:
    problem, _ = _planted()
    first, again, other = (ask_peer("recipe", problem, seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_more_categories_than_scikit_learn_takes_are_read() -> None:
    features = Features(np.empty((9000, 0)), np.arange(9000)[:, None] % 300)
    positive = features.codes[:, 0] < 150
    problem = Problem(features, positive, held_rows(positive, 0), features)
    auc = measure(positive.astype(np.float64), ask_peer("histgb", problem, 0)[0]).auc
    assert auc is not None
    assert auc > 0.7


def test_a_peer_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peers.PEERS, "catboost", Peer("CatBoost", PEERS["logistic"].fit, "no_such_package"))
    with pytest.raises(
        PeerError, match=r"^no_such_package is not installed; pip install 'propense\[bench\]'$"
    ):
        ask_peer("catboost", _planted()[0], 0)


def test_a_purchase_model_is_asked_about_purchases_only() -> None:
    with pytest.raises(PeerError, match="asks about repeated purchases"):
        ask_peer("pareto", _planted()[0], 0)


def _bought(draw: np.random.Generator, n: int) -> Purchases:
    frequency = draw.poisson(draw.gamma(1.0, 3.0, n))
    recency = np.where(frequency > 0, draw.integers(1, 200, n), 0)
    return Purchases(frequency, recency, np.full(n, 200))


@pytest.mark.parametrize("absent", [False, True])
def test_a_purchase_model_needs_no_label(absent: bool) -> None:
    draw = np.random.default_rng(0)
    about = _bought(draw, 50)
    about.frequency[0] = -1  # never bought
    problem, _ = _planted()
    asked = Problem(
        problem.train,
        problem.positive,
        problem.held,
        problem.test,
        Repeats(_bought(draw, 300), about, 30, absent),
    )
    probabilities, _ = ask_peer("pareto", asked, 0)
    ranks = np.corrcoef(about.frequency, probabilities)[0, 1]
    assert np.isfinite(probabilities).all()
    assert (ranks < 0) == absent


def test_slow_peers_run_only_when_named() -> None:
    assert set(PEERS) - set(QUICK) == {"tabm", "realmlp"}
