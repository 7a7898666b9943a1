"""Many small requests scored as one: whatever was waiting when the last scoring ended, without a timer.

Who is the only one in the house is scored at once. A scoring so short that the loop does not miss it runs in
the loop; a longer one in a thread, where small requests do not wait for it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from app.errors import Problem
from app.limits import refuse_if_full
from model.predictor import Scored
from model.rows import Rows

_THREAD_ROWS: Final = 4096  # of several requests in one scoring in a thread

Predict = Callable[[Rows], Scored]


@dataclass(frozen=True)
class Bounds:
    """What may wait, and how long.

    Attributes:
        quick_rows: customers that are scored in the loop at once; 0 where even one takes too long.
        waiting: requests that wait; a further one is refused.
        deadline_s: seconds from a request's being read to its score.
    """

    quick_rows: int
    waiting: int
    deadline_s: float


class Part(NamedTuple):
    """One request's rows of what was scored together.

    Attributes:
        probabilities: of each row K numbers.
        start, stop: the rows in `scored`.
    """

    probabilities: list[list[float]]
    scored: Scored
    start: int
    stop: int

    def alone(self) -> Scored:
        """The rows without the others."""
        return self.scored.part(self.start, self.stop)


@dataclass(slots=True)
class _Ticket:
    rows: Rows
    part: "asyncio.Future[Part]"
    due: float


class Batcher:
    """Answers the requests of one model.

    Args:
        predict: scores rows; touches nothing else, so that it may run in a thread.
        threads: where long scorings run.
    """

    def __init__(self, predict: Predict, bounds: Bounds, threads: Executor) -> None:
        self._predict = predict
        self._bounds = bounds
        self._quick = _Quick(predict, bounds)
        self._long = _Long(predict, bounds, threads)

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._quick.queue) + len(self._long.queue)

    async def score(self, rows: Rows, *, alone: bool = False) -> Part:
        """The score of one request's rows.

        Args:
            alone: no other request is in the house, so that waiting for company would be in vain.

        Raises:
            Problem: too many wait already (503), or the deadline passed (504).
        """
        quick = len(rows) <= self._bounds.quick_rows
        if quick and alone:
            scored = self._predict(rows)
            return Part(scored.probabilities.tolist(), scored, 0, len(rows))
        refuse_if_full(self.waiting, self._bounds.waiting)
        loop = asyncio.get_running_loop()
        ticket = _Ticket(rows, loop.create_future(), loop.time() + self._bounds.deadline_s)
        if quick:
            self._quick.add(ticket, loop)
            return await ticket.part
        self._long.add(ticket, loop)
        late = loop.call_at(ticket.due, _expire, ticket)
        try:
            return await ticket.part
        finally:
            late.cancel()


@dataclass
class _Quick:
    """Scores in the loop, a millisecond at a time."""

    predict: Predict
    bounds: Bounds
    queue: "deque[_Ticket]" = field(default_factory=deque)
    called: bool = False

    def add(self, ticket: _Ticket, loop: asyncio.AbstractEventLoop) -> None:
        self.queue.append(ticket)
        if not self.called:
            self.called = True
            loop.call_soon(self._run, loop, 1)

    def _run(self, loop: asyncio.AbstractEventLoop, seen: int) -> None:
        if len(self.queue) > seen:  # others came in this turn of the loop: so may more
            loop.call_soon(self._run, loop, len(self.queue))
            return
        _score_now(_take(self.queue, self.bounds.quick_rows, loop.time()), self.predict)
        self.called = bool(self.queue)
        if self.called:
            loop.call_soon(self._run, loop, len(self.queue))


@dataclass
class _Long:
    """Scores in a thread, one batch after another."""

    predict: Predict
    bounds: Bounds
    threads: Executor
    queue: "deque[_Ticket]" = field(default_factory=deque)
    running: "asyncio.Future[None] | None" = None

    def add(self, ticket: _Ticket, loop: asyncio.AbstractEventLoop) -> None:
        self.queue.append(ticket)
        if self.running is None:
            self._next(loop)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self.running = None
        tickets = _take(self.queue, _THREAD_ROWS, loop.time())
        if tickets:
            self.running = asyncio.ensure_future(self._batch(tickets, loop))

    async def _batch(self, tickets: list[_Ticket], loop: asyncio.AbstractEventLoop) -> None:
        try:
            rows = Rows.joined([ticket.rows for ticket in tickets])
            try:
                scored = await loop.run_in_executor(self.threads, self.predict, rows)
            except Exception as fault:
                await self._one_by_one(tickets, fault, loop)
            else:
                _hand_out(tickets, scored)
        finally:
            self._next(loop)

    async def _one_by_one(
        self, tickets: list[_Ticket], fault: Exception, loop: asyncio.AbstractEventLoop
    ) -> None:
        """What failed together is asked alone, so that a request answers for itself only."""
        if len(tickets) == 1:
            _fail(tickets[0], fault)
            return
        for ticket in tickets:
            try:
                _hand_out([ticket], await loop.run_in_executor(self.threads, self.predict, ticket.rows))
            except Exception as own:
                _fail(ticket, own)


def _score_now(tickets: list[_Ticket], predict: Predict) -> None:
    """Score some requests as one, here and now; after a failure each alone."""
    if not tickets:
        return
    try:
        rows = Rows.joined([ticket.rows for ticket in tickets])
        _hand_out(tickets, predict(rows))
    except Exception as fault:
        if len(tickets) == 1:
            _fail(tickets[0], fault)
        else:
            for ticket in tickets:
                _score_now([ticket], predict)


def _take(queue: "deque[_Ticket]", max_rows: int, now: float) -> list[_Ticket]:
    """The tickets of the next batch: at least one, else up to so many rows. Who is too late gets none."""
    taken: list[_Ticket] = []
    rows = 0
    while queue and (not taken or rows + len(queue[0].rows) <= max_rows):
        ticket = queue.popleft()
        if ticket.part.done():  # its client has gone
            continue
        if ticket.due < now:
            _expire(ticket)
            continue
        taken.append(ticket)
        rows += len(ticket.rows)
    return taken


def _hand_out(tickets: list[_Ticket], scored: Scored) -> None:
    """Each its own rows."""
    start, probabilities = 0, scored.probabilities.tolist()
    for ticket in tickets:
        stop = start + len(ticket.rows)
        if not ticket.part.done():
            ticket.part.set_result(Part(probabilities[start:stop], scored, start, stop))
        start = stop


def _fail(ticket: _Ticket, fault: Exception) -> None:
    if not ticket.part.done():
        ticket.part.set_exception(fault)


def _expire(ticket: _Ticket) -> None:
    _fail(
        ticket,
        Problem(
            504,
            "too-late",
            "no score was ready in time; ask again, or send fewer customers",
            headers={"Retry-After": "1"},
        ),
    )


def quick_rows(predict: Predict, rows: Rows, *, within_s: float = 1e-3) -> int:
    """How many rows can be scored in the loop; measured with some rows. This also warms the network up.

    The thread's own time counts: while a version is loaded beside a busy one, the clock would tell of both.
    """
    many = Rows.joined([rows] * max(1, 64 // len(rows)))
    predict(rows)
    spent = []
    for _ in range(5):
        started = time.thread_time()
        predict(many)
        spent.append(time.thread_time() - started)
    return int(within_s / (float(np.median(spent)) / len(many)))
