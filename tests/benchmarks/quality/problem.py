"""What a benchmark asks: the files that Propense gets, and the matrices that its peers get."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from training.baselines.pareto_nbd import Purchases

HELD_SHARE: Final = 0.15  # of the training rows, or customers: what boosting stops on

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Features:
    """What peers read about N examples.

    Attributes:
        numbers: (N, D) float64, unscaled; NaN missing.
        codes: (N, C) int64 categories, the most frequent of the training rows first; -1 where a value
            is missing or training lacks it.
    """

    numbers: Floats
    codes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: NDArray[np.integer] | Bools) -> "Features":
        """Some of the examples."""
        return Features(self.numbers[rows], self.codes[rows])


@dataclass(frozen=True)
class Repeats:
    """The same question for a model of purchases: everybody at the cut, and the test customers."""

    known: Purchases
    about: Purchases
    horizon_days: int
    absent: bool


@dataclass(frozen=True)
class Problem:
    """What a peer gets.

    Attributes:
        train: N training examples.
        positive: (N,) bool, their labels.
        held: (N,) bool, those to stop on.
        test: M test examples.
        repeats: None where the question is not whether a customer buys again.
    """

    train: Features
    positive: Bools
    held: Bools
    test: Features
    repeats: Repeats | None = None


@dataclass(frozen=True)
class Split:
    """One way to learn and to be tested.

    Attributes:
        study: for `propense train`.
        scoring: arguments of `propense score` that name the test customers.
        ids: M customers in the order of the labels; None where the test file has that order.
        rows: (M,) int64, which of the `n_rows` rows (customers) of the case each test example is.
        labels: (M,) float64 of 0 and 1.
    """

    study: Path
    scoring: tuple[str, ...]
    ids: Sequence[str] | None
    rows: NDArray[np.int64]
    n_rows: int
    labels: Floats
    problem: Problem


Deal = Callable[[int], Split]  # from a seed


def held_rows(positive: Bools, seed: int) -> Bools:
    """(N,) which rows to stop on: a share of each label."""
    _, chosen = train_test_split(
        np.arange(len(positive)), test_size=HELD_SHARE, stratify=positive, random_state=seed
    )
    held = np.zeros(len(positive), dtype=bool)
    held[chosen] = True
    return held


def held_customers(customers: NDArray[np.int64], seed: int) -> Bools:
    """(N,) which examples to stop on: all those of a share of the customers."""
    everyone = np.unique(customers)
    n_held = round(HELD_SHARE * len(everyone))
    return np.isin(customers, np.random.default_rng(seed).permutation(everyone)[:n_held])
