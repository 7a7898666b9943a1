"""The loop is kept from sleeping for a moment after an answer, and no longer."""

from collections.abc import Callable
from typing import Any

import pytest

from app.server.state import BusyPoll


class Loop:
    """Does what is called soon, a turn at a time."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], object]] = []

    def call_soon(self, what: Callable[..., object], *arguments: Any) -> None:
        self.soon.append(lambda: what(*arguments))

    def turn(self) -> int:
        """Do what there is to do; how much was that."""
        now, self.soon = self.soon, []
        for what in now:
            what()
        return len(now)


def test_the_loop_turns_until_some_time_after_the_latest_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5.0
    monkeypatch.setattr("app.server.state.perf_counter", lambda: now)
    loop: Any = Loop()
    poll = BusyPoll()
    poll.extend(loop)
    assert [loop.turn() for _ in range(3)] == [1, 1, 1]
    now += 60e-6
    poll.extend(loop)  # another answer: no second turning beside the first
    assert [loop.turn() for _ in range(3)] == [1, 1, 1]
    now += 60e-6
    assert [loop.turn() for _ in range(3)] == [1, 1, 1]
    now += 60e-6
    assert [loop.turn() for _ in range(3)] == [1, 0, 0]
    poll.extend(loop)
    assert loop.turn() == 1
