"""What Prometheus may ask: requests, their durations and predictions, of this process."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The service's counters. Routes are counted by their pattern, so that no client can add a label."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "propense_requests", "Requests answered.", ["route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "propense_request_seconds",
            "From the request's head to the end of the answer.",
            ["route"],
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._predictions = Counter(
            "propense_predictions", "Customers scored.", ["model", "version"], registry=self._registry
        )
        self._batches = Histogram(
            "propense_batch_rows",
            "Customers scored together.",
            registry=self._registry,
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096, 16_384),
        )

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def count_predictions(self, model: str, version: int, n: int) -> None:
        """Count N scored customers."""
        self._predictions.labels(model, version).inc(n)

    def note_batch(self, rows: int) -> None:
        """Note how many customers were scored together."""
        self._batches.observe(rows)

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)
