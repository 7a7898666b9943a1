import asyncio
import ctypes
import gc
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.server.memory import Tidy, settle


@pytest.fixture(autouse=True)
def _own_collector() -> Iterator[None]:
    """Leaves the collector as it was."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    gc.unfreeze()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class Model:
    """Refers to itself, as classes do that are made for a model."""

    def __init__(self) -> None:
        self.self = self


def test_what_lives_from_the_start_is_set_aside() -> None:
    started = Model()
    settle()
    assert gc.get_freeze_count() > 1000
    assert not any(each is started for each in gc.get_objects())
    assert gc.get_threshold() == (20_000, 50, 100)


def test_a_model_that_was_loaded_later_goes_once_it_is_replaced() -> None:
    settle()
    model = Model()
    gone = weakref.ref(model)
    settle()  # as by a second app in the same process
    del model
    gc.collect()
    assert gone() is None


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def test_what_large_requests_leave_is_given_back_in_a_moment() -> None:
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        pytest.skip("another C library than glibc")
    settle()  # keeps what is freed, which this is about

    async def ask() -> None:
        tidy, before = Tidy(), resident_mb()
        blocks = [b"x" * (1 << 20) for _ in range(40)]
        guard = b"x" * (1 << 20)  # behind them, so that the heap cannot shrink by itself
        del blocks
        assert resident_mb() > before + 30
        for _ in range(3):
            tidy.soon()
        deadline = time.monotonic() + 10
        while resident_mb() > before + 10 and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        assert resident_mb() <= before + 10
        assert guard

    asyncio.run(ask())
