"""Many small requests answered as one: whatever was waiting when the last work ended, without a timer.

Who is the only one in the house is answered at once. Work so short that the loop does not miss it is done in
the loop; what takes longer in a thread, where small requests do not wait for it; the largest bodies in one of
their own.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, TypeVar

from app.errors import Problem
from app.limits import refuse_if_full

_THREAD_ROWS: Final = 4096  # of several requests that are answered together in a thread

Asked = TypeVar("Asked")
Told = TypeVar("Told")
Answers = Sequence[Told | Exception]
Work = Callable[[Sequence[Asked]], Answers[Told]]
"""Answers requests: to each what it asked for, or why it cannot be. Touches nothing else, for it may run in
a thread."""


class Threads(NamedTuple):
    """Where work is done that is too long for the loop."""

    long: Executor
    large: Executor


@dataclass(frozen=True)
class Bounds:
    """What may wait, and how long.

    Attributes:
        quick_rows: customers that are scored in the loop at once; 0 where even one takes too long.
        waiting: requests that wait; a further one is refused.
        deadline_s: seconds from having all of a request to its answer.
    """

    quick_rows: int
    waiting: int
    deadline_s: float


class Batcher(Generic[Asked, Told]):
    """Answers the requests of one model."""

    def __init__(self, work: Work[Asked, Told], bounds: Bounds, threads: Threads) -> None:
        self._work = work
        self._bounds = bounds
        self._quick = _Quick(work, bounds.quick_rows)
        self._long, self._large = (_Long(work, executor) for executor in threads)

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._quick.queue) + len(self._long.queue) + len(self._large.queue)

    async def ask(self, asked: Asked, n_rows: int, *, alone: bool = False, large: bool = False) -> Told:
        """The answer to one request.

        Args:
            n_rows: customers that it has at most.
            alone: no other request is in the house, so that waiting for company would be in vain.
            large: whether it is so large that others would wait for it in a thread.

        Raises:
            Problem: too many wait already (503), the deadline passed (504), or what is wrong with it.
        """
        quick = n_rows <= self._bounds.quick_rows and not large
        if quick and alone:
            (told,) = self._work([asked])
            if isinstance(told, Exception):
                raise told
            return told
        refuse_if_full(self.waiting, self._bounds.waiting)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Told] = loop.create_future()
        ticket = _Ticket(asked, n_rows, future, loop.time() + self._bounds.deadline_s)
        if quick:
            self._quick.add(ticket, loop)
            return await future
        lane = self._large if large else self._long
        lane.add(ticket, loop)
        late = loop.call_at(ticket.due, _expire, ticket)
        try:
            return await future
        finally:
            late.cancel()
            if ticket.waits:  # nobody waits for it any more: it need not be kept
                lane.queue.remove(ticket)


@dataclass(slots=True, eq=False)
class _Ticket(Generic[Asked, Told]):
    asked: Asked
    n_rows: int
    told: "asyncio.Future[Told]"
    due: float
    waits: bool = True  # in a queue


@dataclass
class _Quick(Generic[Asked, Told]):
    """Works in the loop, a millisecond at a time."""

    work: Work[Asked, Told]
    most_rows: int
    queue: "deque[_Ticket[Asked, Told]]" = field(default_factory=deque)
    called: bool = False

    def add(self, ticket: _Ticket[Asked, Told], loop: asyncio.AbstractEventLoop) -> None:
        self.queue.append(ticket)
        if not self.called:
            self.called = True
            loop.call_soon(self._run, loop, 1)

    def _run(self, loop: asyncio.AbstractEventLoop, seen: int) -> None:
        if len(self.queue) > seen:  # others came in this turn of the loop: so may more
            loop.call_soon(self._run, loop, len(self.queue))
            return
        tickets = _take(self.queue, self.most_rows, loop.time())
        try:
            if tickets:
                _hand_out(tickets, self.work([ticket.asked for ticket in tickets]))
        except Exception as fault:
            _hand_out(tickets, [fault] * len(tickets))
        finally:
            self.called = bool(self.queue)
            if self.called:
                loop.call_soon(self._run, loop, len(self.queue))


@dataclass
class _Long(Generic[Asked, Told]):
    """Works in a thread, one batch after another."""

    work: Work[Asked, Told]
    thread: Executor
    queue: "deque[_Ticket[Asked, Told]]" = field(default_factory=deque)
    running: "asyncio.Future[None] | None" = None

    def add(self, ticket: _Ticket[Asked, Told], loop: asyncio.AbstractEventLoop) -> None:
        self.queue.append(ticket)
        if self.running is None:
            self._next(loop)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self.running = None
        tickets = _take(self.queue, _THREAD_ROWS, loop.time())
        if tickets:
            self.running = asyncio.ensure_future(self._batch(tickets, loop))

    async def _batch(self, tickets: list[_Ticket[Asked, Told]], loop: asyncio.AbstractEventLoop) -> None:
        try:
            asked = [ticket.asked for ticket in tickets]
            _hand_out(tickets, await loop.run_in_executor(self.thread, self.work, asked))
        except Exception as fault:
            _hand_out(tickets, [fault] * len(tickets))
        finally:
            self._next(loop)


def _take(queue: "deque[_Ticket[Asked, Told]]", most_rows: int, now: float) -> "list[_Ticket[Asked, Told]]":
    """The tickets of the next batch: at least one, else up to so many rows. Who is too late gets none."""
    taken: list[_Ticket[Asked, Told]] = []
    n_rows = 0
    while queue and (not taken or n_rows + queue[0].n_rows <= most_rows):
        ticket = queue.popleft()
        ticket.waits = False
        if ticket.told.done():  # its client has gone
            continue
        if ticket.due < now:
            _expire(ticket)
            continue
        taken.append(ticket)
        n_rows += ticket.n_rows
    return taken


def _hand_out(tickets: Sequence[_Ticket[Asked, Told]], answers: Sequence[Told | Exception]) -> None:
    for ticket, told in zip(tickets, answers, strict=True):
        if ticket.told.done():
            continue
        if isinstance(told, Exception):
            ticket.told.set_exception(told)
        else:
            ticket.told.set_result(told)


def _expire(ticket: _Ticket[Asked, Told]) -> None:
    problem = Problem(
        504,
        "too-late",
        "no score was ready in time; ask again, or send fewer customers",
        headers={"Retry-After": "1"},
    )
    _hand_out([ticket], [problem])
