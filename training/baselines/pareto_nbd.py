"""The Pareto/NBD baseline (Schmittlein, Morrison and Colombo 1987): purchases at a constant rate until churn.

It reads purchases only, without labels, early stopping or calibration. Purchases on one day count as one,
and times are whole days from the first of them. The likelihood is that of the package Lifetimes; the search
for its parameters runs on logarithms here, which is ten times faster and reaches the maximum.
"""

import importlib.util
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from model.errors import PropenseError
from model.probability import Probabilities
from model.schema import Schema
from model.scoring.presence import events_of
from model.task import LogTask, Task
from model.times import DAY
from model.values.customers import Examples
from model.values.history import EventLog
from training.baselines.tabular import share
from training.question.labels import LabelledExamples
from training.split.deal import Rows

NAME: Final = "BTYD (Pareto/NBD)"
MAX_CUSTOMERS: Final = 20_000  # enough for four parameters
FARTHEST: Final = 7.0  # bound on the logarithm of a parameter, with ages of at most 1
IMPOSSIBLE: Final = 1e10  # minus log likelihood of parameters that overflow

Counts = NDArray[np.int64]
Likelihood = Callable[..., NDArray[np.float64]]  # of parameters, frequency, recency and age


class BtydError(PropenseError):
    """The model cannot be fitted or applied; the run continues without it."""


@dataclass(frozen=True)
class Purchases:
    """The purchases of N customers up to one instant each.

    Attributes:
        frequency: (N,) days with a purchase, after the first such day; -1 without a purchase.
        recency: (N,) days from the first purchase to the last.
        age: (N,) days from the first purchase to the instant.
    """

    frequency: Counts
    recency: Counts
    age: Counts

    def __len__(self) -> int:
        return len(self.frequency)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> "Purchases":
        """Return some of the customers."""
        return Purchases(self.frequency[rows], self.recency[rows], self.age[rows])


@dataclass(frozen=True)
class ParetoNbd:
    """The parameters: purchase rates are gamma(r, alpha), churn rates gamma(s, beta), per day."""

    r: float
    alpha: float
    s: float
    beta: float


def purchase_task(task: Task, schema: Schema) -> LogTask | None:
    """Return the task if it is about repeated events without a gap, else None.

    Any event counts as a purchase only where events have no type. Without the package Lifetimes the result is
    None.
    """
    if not isinstance(task, LogTask) or task.terminal or task.gap_days or schema.events is None:
        return None
    suits = bool(task.event_types) or schema.events.type is None
    return task if suits and importlib.util.find_spec("lifetimes") is not None else None


def purchase_probabilities(
    labelled: LabelledExamples,
    train: Rows,
    test: Rows,
    task: LogTask,
    schema: Schema,
    *,
    until: int,
    seed: int,
) -> Probabilities:
    """Return (M, K) probabilities of the positive outcome by each horizon for the test examples.

    The parameters come from the purchases of the training customers up to `until`. A customer without a
    purchase by the cutoff gets the share of positives among such training examples.

    Raises:
        BtydError: no customer bought on two days, or the fit fails.
    """
    targets = _targets(labelled, task, schema)
    customers = np.unique(labelled.examples.customers[train])
    known = purchases(targets, Examples(customers, np.full(len(customers), until, dtype=np.int64)))
    model = fit_pareto_nbd(known.take(known.frequency >= 0), seed=seed)
    about = purchases(targets, labelled.examples.take(test))
    bought = about.frequency >= 0
    new = train[purchases(targets, labelled.examples.take(train)).frequency < 0]
    result = np.tile([share(labelled.labels, new, k) for k in range(task.n_outputs)], (len(test), 1))
    buys = buys_within(model, about.take(bought), task.horizons_days)
    result[bought] = buys if task.outcome == "occurs" else 1.0 - buys
    return result


def purchases(targets: EventLog, about: Examples) -> Purchases:
    """Return frequency, recency and age of N customers, from their events up to their cutoffs."""
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
    """Fit by maximum likelihood on N customers with purchases, or on a sample of MAX_CUSTOMERS.

    Raises:
        BtydError: no customer bought on two days, or the search fails.
    """
    if not (known.frequency > 0).any():
        raise BtydError(
            f"{NAME} is left out: it needs customers with purchases on two days, got none of {len(known)}."
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
        raise BtydError(f"{NAME} is left out: the search for its parameters failed ({found.message}).")
    r, alpha, s, beta = np.exp(found.x).tolist()
    return ParetoNbd(r, alpha * longest, s, beta * longest)


def buys_within(model: ParetoNbd, about: Purchases, horizons_days: Sequence[int]) -> Probabilities:
    """Return (N, K) probabilities of a purchase within each horizon.

    No purchase within h days means the same history at an age of h days more, so its probability is a ratio
    of two likelihoods.

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
            f"{NAME} is left out: its likelihood overflows for {failed.sum()} of {len(result)} customers."
        )
    return np.clip(result, 0.0, 1.0)


def _targets(labelled: LabelledExamples, task: LogTask, schema: Schema) -> EventLog:
    assert labelled.log is not None
    assert schema.events is not None
    field = schema.events.type
    types = labelled.log.categories[field.name] if field else None
    return events_of(labelled.log, task.event_types, types, place="target.event")


def _likelihood() -> Likelihood:
    """Return the log likelihood by customer, from Lifetimes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on import it sets an option that pandas no longer has
            from lifetimes import ParetoNBDFitter
    except ImportError as error:
        raise BtydError(f"{NAME} is left out: the package Lifetimes cannot be imported ({error}).") from error
    return ParetoNBDFitter._conditional_log_likelihood  # type: ignore[no-any-return]
