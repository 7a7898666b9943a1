"""Pareto/NBD (Schmittlein, Morrison and Colombo 1987): customers buy at a rate of their own until they leave.

Purchases on one day are one; the first one starts the clock; times are whole days. The likelihood is
that of the package Lifetimes. Its own search for the parameters often stops short of the maximum, and
is ten times slower than the one here, which runs on their logarithms.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from model.errors import PropenseError
from model.probability import Probabilities
from model.times import DAY
from model.values.customers import Examples
from model.values.history import EventLog

NAME: Final = "BTYD (Pareto/NBD)"
MAX_CUSTOMERS: Final = 20_000  # more would not change four parameters
FARTHEST: Final = 7.0  # of a parameter's logarithm from 0, ages being at most 1
IMPOSSIBLE: Final = 1e10  # minus log likelihood of parameters that overflow

Counts = NDArray[np.int64]
Likelihood = Callable[..., NDArray[np.float64]]  # of parameters, frequency, recency and age


class BtydError(PropenseError):
    """The model cannot speak about these customers; the run goes on without it."""


@dataclass(frozen=True)
class Purchases:
    """What the model knows about N customers, each at one instant.

    Attributes:
        frequency: (N,) days with a purchase, after the first such day; -1 where there is none.
        recency: (N,) days from the first to the last.
        age: (N,) days from the first to the instant.
    """

    frequency: Counts
    recency: Counts
    age: Counts

    def __len__(self) -> int:
        return len(self.frequency)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> "Purchases":
        """Some of the customers."""
        return Purchases(self.frequency[rows], self.recency[rows], self.age[rows])


@dataclass(frozen=True)
class ParetoNbd:
    """Rates of buying are gamma(r, alpha) and of leaving gamma(s, beta), per day."""

    r: float
    alpha: float
    s: float
    beta: float


def purchases(targets: EventLog, about: Examples) -> Purchases:
    """Frequency, recency and age of N customers, from their events up to their cutoffs."""
    start, end = targets.offsets[about.customers], targets.until(about.customers, about.cutoffs)
    day = targets.times // DAY
    is_new = np.diff(day, prepend=0) != 0
    is_new[targets.offsets[:-1][np.diff(targets.offsets) > 0]] = True
    running = np.concatenate([[0], np.cumsum(is_new)])
    some, padded = end > start, np.append(day, 0)
    first, last = padded[np.where(some, start, -1)], padded[np.where(some, end - 1, -1)]
    return Purchases(
        frequency=running[end] - running[start] - 1,
        recency=last - first,
        age=np.where(some, about.cutoffs // DAY - first, 0),
    )


def fit_pareto_nbd(known: Purchases, *, seed: int) -> ParetoNbd:
    """Maximum likelihood over N customers who bought, or over MAX_CUSTOMERS drawn of them.

    Raises:
        BtydError: nobody bought on two days, or the search fails.
    """
    if not (known.frequency > 0).any():
        raise BtydError(
            f"{NAME} needs customers who bought on two days, however none of {len(known)} did; it is left out"
        )
    few = np.random.default_rng(seed).permutation(len(known))[:MAX_CUSTOMERS]
    rows = np.stack([known.frequency, known.recency, known.age], axis=1)[few]
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    longest = float(known.age.max())
    x, recency, age = distinct[:, 0], distinct[:, 1] / longest, distinct[:, 2] / longest
    likelihood = _likelihood()

    def loss(logs: NDArray[np.float64]) -> float:
        mean = -float(np.average(likelihood(np.exp(logs), x, recency, age), weights=counts))
        return mean if np.isfinite(mean) else IMPOSSIBLE

    with np.errstate(all="ignore"):
        found = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-FARTHEST, FARTHEST)] * 4)
    if not found.success:
        raise BtydError(f"{NAME} must find its parameters, however: {found.message}; it is left out")
    r, alpha, s, beta = np.exp(found.x).tolist()
    return ParetoNbd(r, alpha * longest, s, beta * longest)


def buys_within(model: ParetoNbd, about: Purchases, horizons_days: Sequence[int]) -> Probabilities:
    """(N, K) probability of a purchase within each horizon.

    To have bought nothing h days on is the same history at an age of h more, so that its chance is a
    ratio of two likelihoods.

    Raises:
        BtydError: the likelihood overflows for some customer.
    """
    parameters = (model.r, model.alpha, model.s, model.beta)
    likelihood, x, recency, age = _likelihood(), about.frequency, about.recency, about.age
    with np.errstate(all="ignore"):
        now = likelihood(parameters, x, recency, age)
        later = [likelihood(parameters, x, recency, age + days) for days in horizons_days]
        result = -np.expm1(np.stack(later, axis=1) - now[:, None])
    failed = ~np.isfinite(result).all(axis=1)
    if failed.any():
        raise BtydError(
            f"{NAME} must give everybody a probability, however its likelihood overflows for "
            f"{failed.sum()} of {len(result)} customers; it is left out"
        )
    return np.clip(result, 0.0, 1.0)


def _likelihood() -> Likelihood:
    """The log likelihood of each customer, from Lifetimes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on import it sets an option that pandas no longer has
            from lifetimes import ParetoNBDFitter
    except ImportError as error:
        raise BtydError(
            f"{NAME} needs the package Lifetimes, which does not load: {error}; it is left out"
        ) from error
    return ParetoNBDFitter._conditional_log_likelihood  # type: ignore[no-any-return]
