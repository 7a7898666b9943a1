import ctypes
import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator

import pytest

from app.server.memory import freeze_startup


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
    freeze_startup()
    assert gc.get_freeze_count() > 1000
    assert not any(each is started for each in gc.get_objects())
    assert gc.get_threshold() == (20_000, 50, 100)


def test_a_model_that_was_loaded_later_goes_once_it_is_replaced() -> None:
    freeze_startup()
    model = Model()
    gone = weakref.ref(model)
    freeze_startup()  # as by a second app in the same process
    del model
    gc.collect()
    assert gone() is None


LARGE_REQUESTS = """
import asyncio, time
from pathlib import Path
from app.server.memory import MemoryTrimmer

def resident_mb():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024

async def main():
    trimmer, before = MemoryTrimmer(), resident_mb()
    blocks = [b"x" * (100 << 10) for _ in range(400)]  # from the heap
    last = b"x" * (100 << 10)  # which cannot shrink below this
    del blocks
    kept = resident_mb() - before
    for _ in range(3):
        trimmer.soon()
    deadline = time.monotonic() + 10
    while resident_mb() > before + 10 and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    print(kept > 30, resident_mb() < before + 10)

asyncio.run(main())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library than glibc")
def test_what_large_requests_leave_is_returned_to_the_machine() -> None:
    ran = subprocess.run([sys.executable, "-c", LARGE_REQUESTS], check=True, capture_output=True, text=True)
    assert ran.stdout == "True True\n"
