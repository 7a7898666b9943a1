"""Who is scored with whom, who waits, who is sent away."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.errors import Problem
from app.limits import RequestLimits
from app.request.batcher import Batcher, Threads

Numbers = tuple[float, ...]
Asking = Batcher[Numbers, list[float]]
Use = Callable[[Asking], Coroutine[Any, Any, None]]


class Network:
    """Answers each request, which is some numbers, with these; a negative one it refuses, 13 breaks it."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, asked: Sequence[Numbers]) -> list[list[float] | Exception]:
        self.go_on.wait(10)
        self.batches.append(sum(map(len, asked)))
        if (13,) in asked:
            raise OSError("broken")
        return [ValueError("a negative number") if numbers[0] < 0 else list(numbers) for numbers in asked]


def run(network: Network, use: Use, *, quick_rows: int, waiting: int = 99, deadline_s: float = 9.0) -> None:
    async def main() -> None:
        with ThreadPoolExecutor(1) as long, ThreadPoolExecutor(1) as large:
            await use(
                Batcher(network, quick_rows, RequestLimits(99, waiting, deadline_s), Threads(long, large))
            )

    asyncio.run(main())


async def told(batcher: Asking, *numbers: float, large: bool = False) -> list[float]:
    return await batcher.answer(numbers, len(numbers), large=large)


def test_requests_of_one_turn_are_scored_as_one() -> None:
    network = Network()

    async def use(batcher: Asking) -> None:
        assert await asyncio.gather(*(told(batcher, n, n + 0.5) for n in range(3))) == [
            [0, 0.5],
            [1, 1.5],
            [2, 2.5],
        ]

    run(network, use, quick_rows=100)
    assert network.batches == [6]


def test_who_is_alone_is_scored_at_once_unless_that_takes_long() -> None:
    network = Network()

    async def use(batcher: Asking) -> None:
        few, many = (batcher.answer(tuple(range(n)), n, alone=True) for n in (2, 3))
        with pytest.raises(StopIteration) as answered:
            few.send(None)  # nothing is awaited
        assert answered.value.value == [0, 1]
        assert await many == [0, 1, 2]
        with pytest.raises(ValueError, match="a negative number"):
            await batcher.answer((-1,), 1, alone=True)

    run(network, use, quick_rows=2)
    assert network.batches == [2, 3, 1]


def test_a_scoring_in_the_loop_takes_so_many_rows_and_no_more() -> None:
    network = Network()

    async def use(batcher: Asking) -> None:
        assert await asyncio.gather(*(told(batcher, n) for n in range(5))) == [[n] for n in range(5)]

    run(network, use, quick_rows=2)
    assert network.batches == [2, 2, 1]


def test_a_long_request_leaves_the_loop_and_a_small_one_does_not_wait_for_it() -> None:
    network = Network()

    async def use(batcher: Asking) -> None:
        network.go_on.clear()
        large = asyncio.create_task(told(batcher, 1, 2, 3))
        await asyncio.sleep(0.01)
        network.go_on.set()
        assert await told(batcher, 7) == [7]
        assert await large == [1, 2, 3]

    run(network, use, quick_rows=2)


@pytest.mark.parametrize("quick_rows", [0, 100])
def test_each_is_told_what_is_wrong_with_its_own(quick_rows: int) -> None:
    network = Network()

    async def use(batcher: Asking) -> None:
        answers = await asyncio.gather(*(told(batcher, n) for n in (1, -1, 2)), return_exceptions=True)
        assert answers[0] == [1]
        assert isinstance(answers[1], ValueError)
        assert answers[2] == [2]

    run(network, use, quick_rows=quick_rows)


@pytest.mark.parametrize("quick_rows", [0, 100])
def test_work_that_breaks_is_told_to_all_whom_it_was_for(quick_rows: int) -> None:
    network = Network()

    async def use(batcher: Asking) -> None:
        network.go_on.clear()
        first = asyncio.create_task(told(batcher, 7))
        asked = [asyncio.create_task(told(batcher, n)) for n in (1, 13, 2)]
        await asyncio.sleep(0 if quick_rows else 0.01)
        network.go_on.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [str(answer) for answer in answers] == ["broken"] * 3
        if quick_rows == 0:
            assert await first == [7]
        assert await told(batcher, 5) == [5]

    run(network, use, quick_rows=quick_rows)


def test_the_largest_do_not_keep_others_waiting() -> None:
    network = Network()

    async def use(batcher: Asking) -> None:
        network.go_on.clear()
        large = [asyncio.create_task(batcher.answer((n,), 5000, large=True)) for n in (1, 2, 3)]
        await asyncio.sleep(0.01)
        assert batcher.waiting == 2
        network.go_on.set()
        assert await told(batcher, 7, 8, 9) == [7, 8, 9]
        assert await asyncio.gather(*large) == [[1], [2], [3]]

    run(network, use, quick_rows=2)
    assert sorted(network.batches) == [1, 1, 1, 3]


def test_in_a_thread_whatever_waited_is_scored_as_one() -> None:
    network = Network()

    async def use(batcher: Asking) -> None:
        network.go_on.clear()
        asked = [asyncio.create_task(told(batcher, n)) for n in range(4)]
        await asyncio.sleep(0.01)
        network.go_on.set()
        assert await asyncio.gather(*asked) == [[n] for n in range(4)]

    run(network, use, quick_rows=0)
    assert network.batches == [1, 3]


def test_one_more_than_may_wait_is_refused() -> None:
    network = Network()

    async def use(batcher: Asking) -> None:
        network.go_on.clear()
        asked = [asyncio.create_task(told(batcher, n)) for n in range(4)]
        await asyncio.sleep(0.01)
        with pytest.raises(Problem, match="may \\(3\\); ask again shortly") as refused:
            await told(batcher, 9)
        assert refused.value.status == 503
        network.go_on.set()
        assert await asyncio.gather(*asked) == [[n] for n in range(4)]
        assert await told(batcher, 9) == [9]

    run(network, use, quick_rows=0, waiting=3)


def test_who_waits_too_long_is_told_and_not_scored() -> None:
    network = Network()

    async def use(batcher: Asking) -> None:
        network.go_on.clear()
        asked = [asyncio.create_task(told(batcher, n)) for n in range(3)]
        for late in asked:
            with pytest.raises(Problem, match="no score was ready in time") as refused:
                await late
            assert refused.value.status == 504
        network.go_on.set()
        assert await told(batcher, 9) == [9]

    run(network, use, quick_rows=0, deadline_s=0.05)
    assert network.batches == [1, 1]  # the first was running already, the last was in time


def test_who_has_gone_is_not_scored() -> None:
    network = Network()

    async def use(batcher: Asking) -> None:
        network.go_on.clear()
        first, second = (asyncio.create_task(told(batcher, n)) for n in range(2))
        await asyncio.sleep(0.01)
        second.cancel()
        await asyncio.sleep(0.01)
        assert batcher.waiting == 0  # nothing of it is kept
        network.go_on.set()
        assert await first == [0]
        assert await told(batcher, 9) == [9]
        assert batcher.waiting == 0

    run(network, use, quick_rows=0)
    assert network.batches == [1, 1]


def test_a_batch_whose_clients_have_all_gone_is_none() -> None:
    network = Network()

    async def use(batcher: Asking) -> None:
        gone = [asyncio.create_task(told(batcher, n)) for n in range(2)]
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await asyncio.sleep(0.01)
        assert await told(batcher, 9) == [9]

    run(network, use, quick_rows=5)
    assert network.batches == [1]
