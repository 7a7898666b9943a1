"""How many CPUs this process may use, and how many threads numeric libraries start on them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Each is read once, when the library is first imported.
_VARIABLES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_CGROUPS: Final = Path("/sys/fs/cgroup")


def limit_threads(n: int) -> None:
    """Have BLAS and OpenMP start N threads. Nothing may have imported numpy or torch yet."""
    os.environ.update(dict.fromkeys(_VARIABLES, str(n)))


def cpus() -> int:
    """Whole CPUs that the affinity mask and the cgroup's quota grant, at least 1.

    A container's quota is invisible to `os.cpu_count`: processes sized by that are throttled.
    """
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min([seen, *_quotas(_CGROUPS, _own_groups(Path("/proc/self/cgroup")))])))


def _own_groups(listing: Path) -> dict[str, str]:
    """This process' cgroup by controllers, "" for version 2's only one, from `number:controllers:path`."""
    try:
        lines = [line.split(":", 2) for line in listing.read_text().splitlines()]
    except OSError:  # not Linux
        return {}
    return {controllers: path for _, controllers, path in lines}


def _quotas(root: Path, groups: dict[str, str]) -> Iterator[float]:
    """The quota of the own group and of every group around it, in CPUs."""
    for controllers, path in groups.items():
        if controllers == "":
            for folder in _upwards(root, path):
                yield from _quota(_words(folder / "cpu.max"))
        elif "cpu" in controllers.split(","):
            for folder in _upwards(root / controllers, path):
                files = (folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")
                yield from _quota([word for file in files for word in _words(file)])


def _upwards(root: Path, path: str) -> list[Path]:
    """The folder of a group and those above it; in a container the root itself is the own group."""
    inner = root / path.lstrip("/")
    return [inner, *(parent for parent in inner.parents if parent == root or root in parent.parents)]


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _quota(words: list[str]) -> Iterator[float]:
    """From `quota period` in microseconds; `max` or -1 means none."""
    if len(words) == 2 and words[0].isdigit():
        yield int(words[0]) / int(words[1])
