"""Figures of records beside what happened: by horizon, month and version, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from model.store.manifest import Manifest
from model.times import DAY, to_local
from model.values.customers import Examples
from training.measure.bootstrap import Floats, Integers, percentile_interval, resample_counts
from training.measure.measuring import LABEL, measured
from training.outcomes.truth import Truth
from training.question.labels import Bools, Labels

_QUARTER: Final = DAY // 96  # zones are ahead of UTC by whole quarters of an hour


@dataclass(frozen=True)
class Joined:
    """N records of versions with one question, of eligible customers whom the files have, and what happened.

    Attributes:
        rows: (N,) which records.
        probabilities: (N, K).
        closed: (N, K) whether the window has closed.
    """

    manifest: Manifest
    truth: Truth
    rows: Integers
    examples: Examples
    probabilities: Floats
    labels: Labels
    closed: Bools

    @property
    def names(self) -> tuple[str, ...]:
        """Of the K horizons."""
        return self.manifest.task.output_names or (LABEL,)


def horizons(parts: Sequence[Joined], table: Any) -> dict[str, Any]:
    """Return the figures of each horizon, from whichever question; see `outcomes`."""
    customer = table["pseudonym"].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    zone, found = parts[-1].manifest.schema_.time_zone, {}
    for name in dict.fromkeys(name for part in parts for name in part.names):
        of = [(part, part.names.index(name)) for part in parts if name in part.names]
        known = [part.labels.complete[:, k] for part, k in of]
        rows = np.concatenate([part.rows[is_known] for (part, _), is_known in zip(of, known, strict=True)])
        pairs = [
            (part.labels.outcomes[is_known, k], part.probabilities[is_known, k])
            for (part, k), is_known in zip(of, known, strict=True)
        ]
        y, p = (np.concatenate(side).astype(np.float64) for side in zip(*pairs, strict=True))
        months = _months(table["as_of"].take(rows).to_numpy().astype(np.int64), zone)
        versions = table["version"].take(rows).to_numpy()
        cells = []
        for month, version in sorted(set(zip(months.tolist(), versions.tolist(), strict=True))):
            at = (months == month) & (versions == version)
            cells.append({"month": month, "version": version, **_figures(y[at], p[at], customer[rows][at])})
        found[name] = {
            "open": sum(int((~part.closed[:, k]).sum()) for part, k in of),
            "left_before": sum(int((part.closed & ~part.labels.complete)[:, k].sum()) for part, k in of),
            "figures": [
                *([{"month": None, "version": None, **_figures(y, p, customer[rows])}] if len(y) else []),
                *(cells if len(cells) > 1 else []),
            ],
        }
    return found


def _months(instants: Integers, zone: str) -> Any:
    """(N,) the month of each instant, such as 2026-11."""
    quarters, at = np.unique(instants // _QUARTER, return_inverse=True)
    named = [to_local(quarter * _QUARTER, zone).strftime("%Y-%m") for quarter in quarters.tolist()]
    return np.array(named, dtype=object)[at] if len(named) else np.empty(0, dtype=object)


def _figures(y: Floats, p: Floats, customers: Integers) -> dict[str, Any]:
    """Figures as in a report, with the mean probability, and an interval of the base rate too."""
    rates = [(weights @ y) / weights.sum(axis=1) for weights in resample_counts(customers, seed=0)]
    ends = percentile_interval(customers, float(y.mean()), rates)
    figures = measured(y, p, customers) | {"mean_probability": float(p.mean())}
    figures["intervals"]["base_rate"] = None if ends is None else list(ends)
    return figures
