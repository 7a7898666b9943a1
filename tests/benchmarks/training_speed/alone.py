"""One measurement in a process of its own: two threads, and a peak of memory that nothing else raised."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

THREADS: Final = 2
_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = Path("/proc/self/clear_refs")


def alone(work: Callable[[], T]) -> T:
    """Do it in a fresh process; what it raises is raised here."""
    os.environ["OMP_NUM_THREADS"] = str(THREADS)  # read where numpy, torch and the peers are imported
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work).result()


def beyond(work: Callable[[], T]) -> tuple[T, float | None]:
    """Do it here; also the MB by which the peak went beyond what the process held before.

    None where the system does not tell (no /proc).
    """
    if not _STATUS.exists():
        return work(), None
    _CLEAR.write_text("5")  # the peak begins anew: making the data may have needed more
    before = _kilobytes("VmRSS")
    done = work()
    return done, (_kilobytes("VmHWM") - before) / 1024


def _kilobytes(field: str) -> int:
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
