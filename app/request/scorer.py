"""Bodies in, answers out: several requests are read, scored and answered as one."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, NamedTuple

from app.request import explain as careful
from app.request.answer import answer
from app.request.decoder import Decoder
from app.request.keys import Keys
from app.request.schemas import RequestModel
from app.request.values import NotTaken
from app.request.warnings import Warn
from model.predictor import Predictions, Predictor
from model.values.rows import RequestRows

_WARNINGS: Final = 8  # times as long as without them
LARGE: Final = 1 << 18  # bytes of a body from which on it is worked on in pieces


class Ask(NamedTuple):
    """A request.

    Attributes:
        warn: whether it wants to know what is odd about each customer.
    """

    body: bytes
    warn: bool = False


class Told(NamedTuple):
    """Its answer.

    Attributes:
        content: the answer's body.
        kept: what was asked and found, if the desk keeps that; else None.
    """

    content: bytes
    n_rows: int
    kept: tuple[RequestRows, Predictions] | None


@dataclass(frozen=True)
class Desk:
    """Answers the requests to one version.

    Attributes:
        request: explains a bad body.
        decoder: reads a good one.
        keys: finds what a large one should not have.
        tally: counts what was scored.
        warn: says what is odd about a customer.
        keeps: whether an answer keeps what it was made of.
    """

    predictor: Predictor
    request: RequestModel
    decoder: Decoder
    keys: Keys
    tally: Callable[[Predictions], object]
    warn: Warn
    keeps: bool

    def __call__(self, asks: Sequence[Ask]) -> list[Told | Exception]:
        """The answer to each, or else what is wrong with it, which a `Problem` says for the client."""
        try:
            return self._together(asks)
        except Exception as fault:
            if len(asks) == 1:
                return [fault]
        # What failed together is asked alone, so that each request answers for itself only.
        return [told for ask in asks for told in self([ask])]

    def _together(self, asks: Sequence[Ask]) -> list[Told | Exception]:
        now = time.time_ns() // 1000
        if len(asks) == 1 and len(asks[0].body) >= LARGE and (told := self._in_pieces(asks[0], now)):
            return [told]
        rows, counts = self._read([ask.body for ask in asks], now)
        manifest, scored = self.predictor.manifest, self.predictor.predict_rows(rows)
        probabilities = scored.probabilities.tolist()
        answers: list[Told | Exception] = []
        start = 0
        for ask, n in zip(asks, counts, strict=True):
            stop = start + n
            part = None
            if ask.warn or self.keeps:
                part = rows.part(start, stop), scored.part(start, stop)
            warnings = self.warn(*part) if ask.warn and part else None
            content = answer(
                manifest, rows.cutoffs[start], rows.ids[start:stop], probabilities[start:stop], warnings
            )
            answers.append(Told(content, n, part if self.keeps else None))
            start = stop
        self.tally(scored)
        return answers

    def _read(self, bodies: Sequence[bytes], now: int) -> tuple[RequestRows, Sequence[int]]:
        try:
            return self.decoder(bodies, now)
        except NotTaken:
            if len(bodies) > 1:
                raise
        (body,) = bodies
        if len(body) >= LARGE:
            self.keys.refuse_unknown(body)
        rows = careful.read(body, self.request, self.predictor.manifest.schema_, now)
        return rows, [len(rows)]

    def _in_pieces(self, ask: Ask, now: int) -> Told | None:
        """What was decoded of a large body is scored, and let go, while it is in the processor's cache.

        None if this cannot be had.
        """
        if ask.warn or self.keeps or self.predictor.encoder is None:
            return None
        ids: list[str | int | None] = []
        found: list[Predictions] = []
        try:
            for rows in self.decoder.pieces(ask.body, now):
                found.append(self.predictor.predict_rows(rows))
                ids += rows.ids
        except NotTaken:
            return None
        scored = Predictions.joined(found)
        told = answer(self.predictor.manifest, rows.cutoffs[0], ids, scored.probabilities.tolist(), None)
        self.tally(scored)
        return Told(told, len(ids), None)


def most_rows(ask: Ask) -> int:
    """How many customers a request may have, without reading it; more where they take longer than usual.

    Nobody has more customers than objects, or by columns more than values. A body's bytes count too: what is
    wrong with one that has hardly a customer may take as long to find as many customers to score.
    """
    body = ask.body
    by_columns = b"\\" in body or b'"columns"' in body
    n_rows = max(1, len(body) >> 8, body.count(b",") + 1 if by_columns else body.count(b"{"))
    return n_rows * _WARNINGS if ask.warn else n_rows


def quick_rows(desk: Desk, ask: Ask, *, within_s: float = 1e-3) -> int:
    """How many rows, as `most_rows` counts them, can be answered in the loop; measured with some.

    The thread's own time counts: while a version is loaded beside a busy one, the clock would tell of both.
    """
    spent = []
    for _ in range(6):
        started = time.thread_time()
        (told,) = desk([ask])
        spent.append(time.thread_time() - started)
        if isinstance(told, Exception):
            raise told
    return int(within_s / (median(spent[1:]) / most_rows(ask)))
