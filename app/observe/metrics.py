"""The Prometheus metrics: requests, predictions, and unusual values in them.

Requests only append to lists; ten times a second the lists are added to prometheus_client's values. That
costs a request a tenth of what counting it at once would.
"""

from collections.abc import Callable
from typing import Final

import anyio
from anyio.to_thread import run_sync
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from app.errors import Problem
from app.observe.requests import RequestRecords
from app.observe.tally import TENTHS, Tally, observe
from model.features.scaling import Ranges

_EVERY_S: Final = 0.1  # between two updates
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ROWS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096, 16_384)


class Metrics:
    """The service's metrics.

    A label is a name of the service or of a checkpoint, never a client's text. All methods but a tally's are
    for the event loop's thread.

    Attributes:
        requests: records of requests.
        in_flight: the number of requests that are being answered.
        waiting: returns the number of requests that wait for a score.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # prometheus_client has this as a switch of the process only
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.requests = RequestRecords()
        self.in_flight = 0
        self.waiting: Callable[[], int] = lambda: 0
        self._tallies: dict[tuple[str, int], Tally] = {}
        self._n_requests = self._counter("requests", "Requests answered.", "route", "status")
        self._request_seconds = self._histogram(
            "request_seconds", "From a request's head to the end of its answer.", _SECONDS, "route"
        )
        self._refusals = self._counter("refusals", "Requests refused, by the kind of problem.", "reason")
        self._predictions = self._counter("predictions", "Customers scored.", "model", "version")
        self._batches = self._histogram("batch_rows", "Customers scored together.", _ROWS)
        self._scores = self._histogram(
            "score", "Probabilities, by the longest horizon.", TENTHS, "model", "version"
        )
        self._missing = self._counter("missing_values", "Values that were missing.", "model", "feature")
        self._unknown = self._counter(
            "unknown_categories", "Categories that training never saw.", "model", "feature"
        )
        self._outside = self._counter("out_of_range", "Numbers beyond what training saw.", "model", "feature")
        self._load_failures = self._counter(
            "model_load_failures", "Versions that could not be put in service.", "model"
        )
        self._shadowed = self._counter(
            "shadow_customers",
            "Customers of a shadow challenger: scored, dropped (too many waited) or failed.",
            "model",
            "version",
            "outcome",
        )
        self._difference = self._counter(
            "shadow_difference",
            "Sum of the absolute differences between a challenger's probabilities and the answered ones.",
            "model",
            "version",
        )
        self._records = self._counter(
            "ledger_records",
            "Customers of answers: recorded, lost (the log has the reason) or without an id.",
            "model",
            "outcome",
        )
        self._in_service = self._gauge(
            "model_info", "1 for the version that answers for a model.", "model", "version"
        )
        self._waiting = self._gauge("queue_waiting", "Requests that wait for a score.")
        self._in_flight = self._gauge("in_flight", "Requests that are being answered.")

    def count_refusal(self, kind: str) -> None:
        """Count one refused request."""
        self._refusals.labels(kind).inc()

    def note_unread(self, problem: Problem) -> bytes:
        """Count and log what the server refused before it was a request, and return its id."""
        self.count_refusal(problem.kind)
        return self.requests.add_unread(problem)

    def count_load_failure(self, model: str) -> None:
        """Count a version that could not be put in service."""
        self._load_failures.labels(model).inc()

    def count_shadow(self, model: str, version: int, outcome: str, n: int) -> None:
        """Count N customers for a shadow challenger: `scored`, `dropped` or `failed`."""
        self._shadowed.labels(model, version, outcome).inc(n)

    def add_shadow_difference(self, model: str, version: int, total: float) -> None:
        """Add the absolute differences between a challenger's probabilities and the answered ones."""
        self._difference.labels(model, version).inc(total)

    def count_records(self, model: str, outcome: str, n: int) -> None:
        """Count N customers for the ledger, from any thread: `recorded`, `lost` or `without_id`."""
        self._records.labels(model, outcome).inc(n)

    def note_version(self, model: str, version: int, *, in_service: bool) -> None:
        """Note that a version answers for a model, or no longer does."""
        if in_service:
            self._in_service.labels(model, version).set(1)
        else:
            self._in_service.remove(model, version)

    def tally(self, model: str, version: int, ranges: Ranges) -> Tally:
        """Return the tally of a version; all its series exist from now on."""
        features = (*ranges.numbers, *ranges.categories)
        tally = Tally(
            ranges,
            self._predictions.labels(model, version),
            self._batches,
            self._scores.labels(model, version),
            [self._missing.labels(model, feature) for feature in features],
            [self._outside.labels(model, feature) for feature in ranges.numbers],
            [self._unknown.labels(model, feature) for feature in ranges.categories],
        )
        self._tallies[model, version] = tally
        return tally

    async def run(self) -> None:
        """Update the values for ever."""
        while True:
            await anyio.sleep(_EVERY_S)
            self.update()

    def update(self) -> None:
        """Add what was recorded since the last update."""
        for (route, status), seconds in self.requests.seconds.items():
            if seconds:
                self._n_requests.labels(route, status).inc(len(seconds))
                observe(self._request_seconds.labels(route), seconds)
                seconds.clear()
        for tally in list(self._tallies.values()):  # threads add to them
            tally.update()

    async def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        self.update()
        self._waiting.set(self.waiting())
        self._in_flight.set(self.in_flight)
        return await run_sync(generate_latest, self._registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"propense_{name}", meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"propense_{name}", meaning, labels, registry=self._registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"propense_{name}", meaning, labels, registry=self._registry, buckets=buckets)
