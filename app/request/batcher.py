"""Many small requests answered as one batch: those that wait when the previous batch ends, without a timer.

A request that is alone is answered at once. Batches of up to a millisecond are scored in the event loop,
longer ones in a thread, and large requests one by one in another thread, so that no small request waits for
them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar

from app.errors import Problem
from app.limits import RequestLimits, queue_full

_THREAD_ROWS: Final = 4096  # of a batch in a thread

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")
Score = Callable[[Sequence[RequestT]], Sequence[AnswerT | Exception]]
"""Answers a batch: for each request its answer, or why there is none. It may run in a thread."""


class ScoringThread(ThreadPoolExecutor):
    """One thread, which knows since when it has been at its present job."""

    def __init__(self, name: str) -> None:
        super().__init__(1, name)
        self._since: float | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        """Have the thread do a job, after those before it."""
        return super().submit(self._do, fn, args, options)

    def busy_seconds(self) -> float:
        """Return for how long it has been at its present job; 0 if it has none."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def _do(self, fn: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        self._since = time.monotonic()
        try:
            return fn(*args, **options)
        finally:
            self._since = None


class Threads(NamedTuple):
    """Where batches are scored that take too long for the event loop."""

    long: Executor
    large: Executor


class Batcher(Generic[RequestT, AnswerT]):
    """Answers the requests to one version.

    Args:
        quick_rows: customers that the event loop can score at once; 0 where even one takes too long.
    """

    def __init__(
        self, score: Score[RequestT, AnswerT], quick_rows: int, limits: RequestLimits, threads: Threads
    ) -> None:
        self._score = score
        self._quick_rows = quick_rows
        self._limits = limits
        self._quick = _LoopQueue(score, quick_rows)
        self._long, self._large = (_ThreadQueue(score, executor) for executor in threads)

    @property
    def waiting(self) -> int:
        """The number of requests that wait."""
        return len(self._quick.queue) + len(self._long.queue) + len(self._large.queue)

    async def answer(
        self, request: RequestT, n_rows: int, *, alone: bool = False, large: bool = False
    ) -> AnswerT:
        """Return the answer to one request.

        Args:
            n_rows: customers that it has at most.
            alone: whether no other request is in progress, so that there is none to wait for.
            large: whether others would wait for it in a thread.

        Raises:
            Problem: too many wait already (503), the deadline passed (504), or what is wrong with the
                request.
        """
        quick = n_rows <= self._quick_rows and not large
        if quick and alone:
            (answer,) = self._score([request])
            if isinstance(answer, Exception):
                raise answer
            return answer
        if self.waiting >= self._limits.max_waiting:
            raise queue_full(self._limits.max_waiting)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[AnswerT] = loop.create_future()
        ticket = _Ticket(request, n_rows, future, loop.time() + self._limits.deadline_s)
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
            if ticket.waits:  # its client has gone: it need not be kept
                lane.queue.remove(ticket)


@dataclass(slots=True, eq=False)
class _Ticket(Generic[RequestT, AnswerT]):
    request: RequestT
    n_rows: int
    answer: "asyncio.Future[AnswerT]"
    due: float
    waits: bool = True  # in a queue


@dataclass
class _LoopQueue(Generic[RequestT, AnswerT]):
    """Scores in the event loop, a millisecond at a time."""

    score: Score[RequestT, AnswerT]
    max_rows: int
    queue: "deque[_Ticket[RequestT, AnswerT]]" = field(default_factory=deque)
    scheduled: bool = False

    def add(self, ticket: _Ticket[RequestT, AnswerT], loop: asyncio.AbstractEventLoop) -> None:
        self.queue.append(ticket)
        if not self.scheduled:
            self.scheduled = True
            loop.call_soon(self._run, loop, 1)

    def _run(self, loop: asyncio.AbstractEventLoop, n_seen: int) -> None:
        if len(self.queue) > n_seen:  # more came in this turn of the loop, and more may come in the next
            loop.call_soon(self._run, loop, len(self.queue))
            return
        tickets = _take(self.queue, self.max_rows, loop.time())
        try:
            if tickets:
                _resolve(tickets, self.score([ticket.request for ticket in tickets]))
        except Exception as fault:
            _resolve(tickets, [fault] * len(tickets))
        finally:
            self.scheduled = bool(self.queue)
            if self.scheduled:
                loop.call_soon(self._run, loop, len(self.queue))


@dataclass
class _ThreadQueue(Generic[RequestT, AnswerT]):
    """Scores in a thread, one batch after another."""

    score: Score[RequestT, AnswerT]
    thread: Executor
    queue: "deque[_Ticket[RequestT, AnswerT]]" = field(default_factory=deque)
    running: "asyncio.Future[None] | None" = None

    def add(self, ticket: _Ticket[RequestT, AnswerT], loop: asyncio.AbstractEventLoop) -> None:
        self.queue.append(ticket)
        if self.running is None:
            self._next(loop)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self.running = None
        tickets = _take(self.queue, _THREAD_ROWS, loop.time())
        if tickets:
            self.running = asyncio.ensure_future(self._run(tickets, loop))

    async def _run(self, tickets: list[_Ticket[RequestT, AnswerT]], loop: asyncio.AbstractEventLoop) -> None:
        try:
            requests = [ticket.request for ticket in tickets]
            _resolve(tickets, await loop.run_in_executor(self.thread, self.score, requests))
        except Exception as fault:
            _resolve(tickets, [fault] * len(tickets))
        finally:
            self._next(loop)


def _take(
    queue: "deque[_Ticket[RequestT, AnswerT]]", max_rows: int, now: float
) -> "list[_Ticket[RequestT, AnswerT]]":
    """Take the tickets of the next batch: one, or several of up to `max_rows` together; expire late ones."""
    taken: list[_Ticket[RequestT, AnswerT]] = []
    n_rows = 0
    while queue and (not taken or n_rows + queue[0].n_rows <= max_rows):
        ticket = queue.popleft()
        ticket.waits = False
        if ticket.answer.done():  # its client has gone
            continue
        if ticket.due < now:
            _expire(ticket)
            continue
        taken.append(ticket)
        n_rows += ticket.n_rows
    return taken


def _resolve(tickets: Sequence[_Ticket[RequestT, AnswerT]], answers: Sequence[AnswerT | Exception]) -> None:
    for ticket, answer in zip(tickets, answers, strict=True):
        if ticket.answer.done():
            continue
        if isinstance(answer, Exception):
            ticket.answer.set_exception(answer)
        else:
            ticket.answer.set_result(answer)


def _expire(ticket: _Ticket[RequestT, AnswerT]) -> None:
    detail = "no score was ready in time; ask again, or send fewer customers"
    _resolve([ticket], [Problem(504, "too-late", detail, headers={"Retry-After": "1"})])
