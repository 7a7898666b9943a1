"""Made-up examples: clean columns of every kind, and outcomes that have nothing to do with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.values.columns import Column, Numbers, Texts
from training.audit.columns import probe_columns
from training.audit.findings import Finding
from training.question.labels import Bools
from training.schema.kinds import Kind


@dataclass
class Examples:
    """N rows; columns may be added."""

    positive: Bools
    groups: NDArray[np.int64]
    columns: dict[str, Column] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)

    @property
    def answer(self) -> Numbers:
        """A column that states the label: 1.0 and 0.0."""
        return self.positive.astype(np.float64)

    def add(self, name: str, column: Column, kind: Kind = "numeric") -> "Examples":
        self.columns[name], self.kinds[name] = column, kind
        return self

    def probe(
        self, *, label: str | None = "y", seed: int = 0, aggregates: tuple[str, ...] = ()
    ) -> list[Finding]:
        return probe_columns(
            self.columns,
            self.kinds,
            self.positive,
            self.groups,
            label=label,
            seed=seed,
            aggregates=aggregates,
        )


def outcomes(n: int, base_rate: float, rng: np.random.Generator) -> Examples:
    """Rows of their own customers, without a column."""
    positive = rng.permutation(np.arange(n) < base_rate * n)
    return Examples(positive, np.arange(n, dtype=np.int64))


def clean(n: int, base_rate: float, seed: int, n_columns: int = 40) -> Examples:
    """Rows whose columns know nothing of the outcome."""
    rng = np.random.default_rng(seed)
    examples = outcomes(n, base_rate, rng)
    for i in range(n_columns):
        kind, column = _column(i % 8, n, rng)
        examples.add(f"c{i}", column, kind)
    return examples


def choose(choices: Mapping[str, NDArray[np.bool_]], otherwise: str | None = None) -> Texts:
    """A text column: in each row the first text whose rows include it; None for a gap."""
    names = [*choices, otherwise] if otherwise else list(choices)
    codes = np.full(len(next(iter(choices.values()))), len(choices) if otherwise else -1, dtype=np.int32)
    for code, rows in reversed(list(enumerate(choices.values()))):
        codes[rows] = code
    return Texts(codes, tuple(names))


def _column(which: int, n: int, rng: np.random.Generator) -> tuple[Kind, Column]:
    if which == 0:
        return "numeric", rng.normal(size=n)
    if which == 1:
        return "numeric", rng.poisson(3, n).astype(np.float64)
    if which == 2:
        return "numeric", np.where(rng.random(n) < 0.3, np.nan, rng.lognormal(size=n))
    if which == 3:
        return "boolean", (rng.random(n) < 0.1).astype(np.float64)
    if which == 4:
        return "numeric", rng.integers(0, 50_000, n).astype(np.float64)
    if which == 5:
        return "categorical", np.where(rng.random(n) < 0.9, np.nan, 1.0)
    n_values = 5 if which == 6 else max(n // 3, 2)
    return "categorical", Texts(
        rng.integers(0, n_values, n).astype(np.int32), tuple(f"v{i}" for i in range(n_values))
    )
