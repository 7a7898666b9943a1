"""From the bodies of requests to the bodies of responses; several requests are scored as one batch."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET

from app.request import explain
from app.request.decoder import Decoder, NotDecoded
from app.request.reasons import reasons_of
from app.request.structs import Prediction, Reason, RequestTypes
from app.request.structs import Predictions as Response
from app.request.unknown import UnknownFields
from app.request.warnings import Warnings
from model.predictor import Predictions, Predictor
from model.scoring.eligible import not_eligible_because
from model.store.manifest import Manifest
from model.task import ColumnTask
from model.times import format_instant
from model.values.rows import RequestRows

_WARNINGS_COST: Final = 8  # times that of a request without them
_REASONS_COST: Final = 512  # of ten groups of inputs
_LARGE: Final = 1 << 18  # bytes
_encode: Final = msgspec.json.Encoder().encode


class Request(NamedTuple):
    """A predict request.

    Attributes:
        warn: whether it wants to know what is unusual about each customer.
        reasons: so many of them for each customer.
        key: names the request where it may be sent twice.
    """

    body: bytes
    warn: bool = False
    reasons: int = 0
    key: bytes | None = None

    @property
    def is_large(self) -> bool:
        """Whether others would wait for it in a thread."""
        return len(self.body) >= _LARGE

    @property
    def most_rows(self) -> int:
        """A bound of the number of customers, without reading the body; larger where rows take longer.

        A body has no more customers than objects, or than values if it has columns. Its bytes count too: to
        find what is wrong with a body of hardly any customers may take as long as to score many.
        """
        body = self.body
        if self.is_large:  # is in a batch of its own: to count would take long, for nothing
            return len(body)
        by_columns = b"\\" in body or b'"columns"' in body
        n_rows = max(1, len(body) >> 8, body.count(b",") + 1 if by_columns else body.count(b"{"))
        return n_rows * (_WARNINGS_COST if self.warn else 1) * (_REASONS_COST if self.reasons else 1)


class Answer(NamedTuple):
    """The answer to a request.

    Attributes:
        content: the body of the response.
        scored: rows and predictions, for a scorer that keeps them; else None.
    """

    content: bytes
    n_rows: int
    scored: tuple[RequestRows, Predictions] | None


class Answered(NamedTuple):
    """The customers of some requests, scored together.

    Attributes:
        not_eligible: why each is not, None if it is; None for a model that predicts all.
        keys: that of each one's request; None where no request has one.
    """

    rows: RequestRows
    scored: Predictions
    not_eligible: Sequence[str | None] | None
    keys: Sequence[bytes | None] | None


Record = Callable[[Answered], None]


@dataclass(frozen=True)
class RequestScorer:
    """Answers the requests to one version of a model.

    Attributes:
        types: what a request may hold.
        decoder: reads good bodies.
        unknown: finds unknown fields of large bodies.
        tally: counts what was scored.
        warnings: names what is unusual about a customer.
        keeps: whether answers keep rows and predictions.
        record: gets what is answered, for a ledger.
    """

    predictor: Predictor
    types: RequestTypes
    decoder: Decoder
    unknown: UnknownFields
    tally: Callable[[Predictions], object]
    warnings: Warnings
    keeps: bool
    record: Record | None = None

    def __call__(self, requests: Sequence[Request]) -> list[Answer | Exception]:
        """Return for each request its answer, or the exception that it caused."""
        try:
            return self._together(requests)
        except Exception as fault:
            if len(requests) == 1:
                return [fault]
        # One of them failed: alone, each fails or succeeds for itself.
        return [answer for request in requests for answer in self([request])]

    def _together(self, requests: Sequence[Request]) -> list[Answer | Exception]:
        rows, counts = self._read([request.body for request in requests], time.time_ns() // 1000)
        predictions, not_eligible = self._predict(rows)
        probabilities = predictions.probabilities.tolist()
        answers: list[Answer | Exception] = []
        start = 0
        for request, n in zip(requests, counts, strict=True):
            stop = start + n
            part = reasons = None
            if request.warn or self.keeps:
                part = rows.part(start, stop), predictions.part(start, stop)
            if request.reasons:
                own = predictions.part(start, stop)
                reasons = reasons_of(self.predictor, own, request.reasons)
            content = _encoded(
                self.predictor.manifest,
                rows.cutoffs[start],
                rows.ids[start:stop],
                probabilities[start:stop],
                None if not_eligible is None else not_eligible[start:stop],
                self.warnings(*part) if request.warn and part else None,
                reasons,
            )
            answers.append(Answer(content, n, part if self.keeps else None))
            start = stop
        self.tally(predictions)
        if self.record:
            keyed = any(request.key for request in requests)
            keys = [r.key for r, n in zip(requests, counts, strict=True) for _ in range(n)] if keyed else None
            self.record(Answered(rows, predictions, not_eligible, keys))
        return answers

    def _predict(self, rows: RequestRows) -> tuple[Predictions, list[str | None] | None]:
        """The predictions, and why each customer is not eligible; see `_encoded`."""
        task, schema = self.predictor.manifest.task, self.predictor.manifest.schema_
        if isinstance(task, ColumnTask):
            return self.predictor.predict_rows(rows), None
        if self.predictor.encoder:  # it needs no columns: the task may
            customers = rows.customers(schema, task.columns)
            predictions = self.predictor.predict_rows(rows)
        else:
            customers = rows.customers(schema)
            predictions = self.predictor.predict(customers)
        why = not_eligible_because(task, schema, customers)
        assert why is not None
        reasons = (*why.values, None)
        return predictions, [reasons[code] for code in why.codes.tolist()]

    def _read(self, bodies: Sequence[bytes], now: int) -> tuple[RequestRows, Sequence[int]]:
        try:
            return self.decoder(bodies, now)
        except NotDecoded:
            if len(bodies) > 1:
                raise
        (body,) = bodies
        if len(body) >= _LARGE:
            self.unknown.refuse(body)
        rows = explain.read(body, self.types, self.predictor.manifest.schema_, now)
        return rows, [len(rows)]


def _encoded(
    manifest: Manifest,
    cutoff: int,
    ids: Sequence[str | int | None],
    probabilities: Sequence[Sequence[float]],
    not_eligible: Sequence[str | None] | None,
    warnings: Sequence[list[str]] | None,
    reasons: Sequence[list[Reason]] | None,
) -> bytes:
    """Return the body of a response about N customers.

    Args:
        cutoff: the instant of the prediction.
        ids: N ids as sent; None where absent.
        probabilities: for each customer K numbers.
        not_eligible: for each customer why it is not eligible, None if it is; None for a column task.
        warnings, reasons: for each customer; None where the request wants none.
    """
    horizons = manifest.task.output_names
    predictions = [
        Prediction(str(number) if id_ is None else id_, row[-1])
        for number, (id_, row) in enumerate(zip(ids, probabilities, strict=True), 1)
    ]
    if horizons:
        for prediction, row in zip(predictions, probabilities, strict=True):
            prediction.horizons = dict(zip(horizons, row, strict=True))
    if not_eligible is not None:
        for prediction, why in zip(predictions, not_eligible, strict=True):
            prediction.eligible = why is None
            prediction.not_eligible_because = why or UNSET
    if warnings is not None:
        for prediction, unusual in zip(predictions, warnings, strict=True):
            prediction.warnings = unusual
    if reasons is not None:
        for prediction, why_so in zip(predictions, reasons, strict=True):
            prediction.reasons = why_so
    as_of = format_instant(cutoff, manifest.schema_.time_zone)
    return _encode(Response(manifest.name, manifest.version, as_of, predictions))


def quick_rows(scorer: RequestScorer, request: Request, *, within_s: float = 1e-3) -> int:
    """Measure how many rows, as counted by `most_rows`, the event loop can answer at once.

    The time of the thread is measured, not the clock's: other versions may be busy meanwhile.
    """
    spent = []
    for _ in range(6):
        started = time.thread_time()
        (answer,) = scorer([request])
        spent.append(time.thread_time() - started)
        if isinstance(answer, Exception):
            raise answer
    return int(within_s / (median(spent[1:]) / request.most_rows))
