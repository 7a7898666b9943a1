"""What is counted of scored customers."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram

from app.observe.tally import TENTHS, Tally, observe
from model.features.scaling import Ranges
from model.predictor import Predictions

NAN = float("nan")
BOUNDS = (0.25, 0.5, 1.0)
RANGES = Ranges(("age", "tenure"), np.array([-1, -1], np.float32), np.array([1, 2], np.float32), ("plan",))


class Counts:
    """A tally and what it has counted."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        missing = Counter("missing", "-", ["feature"], registry=self.registry)
        outside = Counter("outside", "-", ["feature"], registry=self.registry)
        unknown = Counter("unknown", "-", ["feature"], registry=self.registry)
        self.tally = Tally(
            RANGES,
            Counter("predictions", "-", registry=self.registry),
            Histogram("batches", "-", registry=self.registry, buckets=(1, 2, 1000)),
            Histogram("scores", "-", registry=self.registry, buckets=TENTHS),
            [missing.labels(name) for name in ("age", "tenure", "plan")],
            [outside.labels(name) for name in ("age", "tenure")],
            [unknown.labels("plan")],
        )

    def of(self, name: str, **labels: str) -> float:
        """The value of one series."""
        value = self.registry.get_sample_value(name, labels)
        assert value is not None
        return value


def scored(*rows: tuple[float, float, float, int]) -> Predictions:
    """Rows of probability, age, tenure, plan; beside them what no customer sent."""
    return Predictions(
        np.array([[0.0, row[0]] for row in rows]),
        np.array([[row[1], row[2], NAN] for row in rows], np.float32),
        np.array([[row[3], 1] for row in rows], np.int64),
    )


def buckets(registry: CollectorRegistry, name: str, bounds: Sequence[str]) -> list[float | None]:
    return [registry.get_sample_value(f"{name}_bucket", {"le": bound}) for bound in bounds]


def test_a_batch_is_counted_later() -> None:
    counts = Counts()
    batch = scored((0.3, NAN, 0.0, 2), (0.5, 1.0, 2.5, 1), (0.9, -1.5, NAN, 0))
    counts.tally(batch)
    assert counts.of("predictions_total") == 0
    counts.tally.update()
    counts.tally.update()  # nothing is counted twice
    assert counts.of("predictions_total") == 3
    assert [counts.of("missing_total", feature=n) for n in ("age", "tenure", "plan")] == [1, 1, 1]
    assert [counts.of("outside_total", feature=n) for n in ("age", "tenure")] == [1, 1]
    assert counts.of("unknown_total", feature="plan") == 1
    assert buckets(counts.registry, "scores", ("0.2", "0.3", "0.5", "1.0")) == [0, 1, 2, 3]
    assert counts.of("scores_sum") == pytest.approx(1.7)
    assert buckets(counts.registry, "batches", ("1.0", "2.0", "1000.0")) == [0, 0, 1]


def test_a_large_batch_is_counted_like_small_ones_from_any_thread() -> None:
    rows = [(0.1 * (n % 10), NAN if n % 3 else 5.0, 0.0, n % 2) for n in range(600)]
    small, large = Counts(), Counts()
    large.tally(scored(*rows))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda row: small.tally(scored(row)), rows))
    small.tally.update()
    for name, labels in (
        ("predictions_total", {}),
        ("missing_total", {"feature": "age"}),
        ("outside_total", {"feature": "age"}),
        ("unknown_total", {"feature": "plan"}),
        ("scores_bucket", {"le": "0.5"}),
    ):
        assert large.of(name, **labels) == small.of(name, **labels) > 0


@given(st.lists(st.floats(-1, 2) | st.sampled_from(BOUNDS), max_size=30))
def test_many_values_are_observed_as_one_after_another(values: list[float]) -> None:
    registry = CollectorRegistry()
    together = Histogram("together", "-", registry=registry, buckets=BOUNDS)
    single = Histogram("single", "-", registry=registry, buckets=BOUNDS)
    observe(together, values)
    for value in values:
        single.observe(value)
    bounds = ("0.25", "0.5", "1.0", "+Inf")
    assert buckets(registry, "together", bounds) == buckets(registry, "single", bounds)
    assert registry.get_sample_value("together_sum") == pytest.approx(registry.get_sample_value("single_sum"))
