"""The metrics of the network and the baselines on the same labels, by horizon."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.probability import Probabilities
from training.measure.bootstrap import intervals
from training.measure.metrics import base_rate_metrics, curves, measure
from training.question.labels import Labels

LABEL: Final = "label"  # the name of the only output of a column task
MODEL: Final = "model"
BASE_RATE: Final = "base_rate"
MANY: Final = 20_000
LEVELS: Final = 2_000
NAMES: Final = {
    "linear": "logistic regression",
    "mlp": "mlp network",
    "cnn": "cnn network",
    "rnn": "rnn network",
    "recency": "recency alone",
    "btyd": "Pareto/NBD",
}


def measure_horizons(
    output_names: tuple[str, ...],
    labels: Labels,
    probabilities: Mapping[str, Probabilities],
    base_rates: list[float],
    groups: NDArray[np.int64],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return metrics with their intervals, and the curves of the model, by horizon.

    Args:
        labels: of the N test examples; a horizon is measured where its window is complete.
        probabilities: (N, K) by model; MODEL is one of them.
        base_rates: K shares of positives in training, the constant probabilities of BASE_RATE.
        groups: (N,) the customer of each example.
    """
    metrics, drawn = {}, {}
    for k, name in enumerate(output_names or (LABEL,)):
        complete = labels.complete[:, k]
        if not complete.any():
            continue
        y = labels.outcomes[complete, k].astype(np.float64)
        metrics[name] = {
            one: measured(y, p[complete, k], groups[complete]) for one, p in probabilities.items()
        } | {BASE_RATE: asdict(base_rate_metrics(y, base_rates[k])) | {"intervals": {}}}
        drawn[name] = asdict(curves(y, probabilities[MODEL][complete, k]))
    return metrics, drawn


def measured(
    labels: NDArray[np.float64], probabilities: NDArray[np.float64], groups: NDArray[np.int64]
) -> dict[str, Any]:
    """Return `Metrics` as plain values, and under `intervals` the 95 % interval of each measure."""
    values = asdict(measure(labels, probabilities))
    found = intervals(labels, coarse(probabilities), groups)
    bounds = {
        name: [min(ends[0], values[name]), max(ends[1], values[name])] if ends else None
        for name, ends in found.items()
    }
    return values | {"intervals": bounds}


def coarse(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return many probabilities as the means of LEVELS groups, which is enough for an interval.

    Equal probabilities share a group, so the order of the rows does not matter.
    """
    n = len(probabilities)
    if n <= MANY:
        return probabilities
    _, inverse, counts = np.unique(probabilities, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2  # mean rank of equal probabilities
    level = (middle * LEVELS / n).astype(np.int64)[inverse]
    means = np.bincount(level, probabilities) / np.maximum(np.bincount(level), 1)
    return np.clip(means, probabilities.min(), probabilities.max())[level]


def display_name(name: str) -> str:
    """Return the name of the measured model, a head or a baseline in words."""
    return NAMES.get(name, name.replace("_", " "))


def base_rates(labels: Labels) -> list[float]:
    """Return K shares of positive outcomes among complete windows; one half without any."""
    known = labels.complete.sum(axis=0)
    positives = (labels.outcomes & labels.complete).sum(axis=0)
    return [p / n if n else 0.5 for p, n in zip(positives.tolist(), known.tolist(), strict=True)]
