"""The values of several workers: each writes its own files, whoever is asked adds them up."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

_DEAD: Final = "dead"  # in place of the process id in a file's name
_LOOK_S: Final = 1.0


def adding_up(folder: Path) -> MultiProcessCollector:
    """The sums over the files of a folder."""
    return MultiProcessCollector(None, str(folder))


def fold_the_dead(folder: Path) -> None:
    """Add the counts of workers that have ended to one file, drop their gauges: restarts leave no files."""
    for file in sorted(folder.glob("*.db")):
        kind, _, owner = file.stem.rpartition("_")
        if owner == _DEAD or _lives(int(owner)):
            continue
        if not kind.startswith("gauge"):
            _add(file, folder / f"{kind}_{_DEAD}.db")
        file.unlink()


def _add(file: Path, to: Path) -> None:
    total = MmapedDict(str(to))
    for key, value, *_ in MmapedDict.read_all_values_from_file(str(file)):
        total.write_value(key, total.read_value(key)[0] + value, 0.0)
    total.close()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class OwnProcess:
    """This process's time and memory; of several workers prometheus_client alone would tell of one.

    Args:
        registry: of a worker that is alone; None if values go to files.
    """

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self._source = ProcessCollector(registry=registry)
        self._shared = registry is None
        self._looked = -_LOOK_S
        if self._shared:
            self._cpu = Counter("process_cpu_seconds", "CPU time of all workers.", registry=None)
            self._cpu_before = 0.0
            self._gauges = {
                name: Gauge(name, meaning, registry=None, multiprocess_mode="livesum")
                for name, meaning in (
                    (
                        "process_resident_memory_bytes",
                        "Memory of all workers; what they share counts for each.",
                    ),
                    ("process_open_fds", "Open files of all workers."),
                )
            }

    def look(self) -> None:
        """Take down how it is, now and then."""
        now = time.monotonic()
        if not self._shared or now - self._looked < _LOOK_S:
            return
        self._looked = now
        values = self._values()
        cpu = values["process_cpu_seconds_total"]
        self._cpu.inc(cpu - self._cpu_before)
        self._cpu_before = cpu
        for name, gauge in self._gauges.items():
            gauge.set(values[name])

    def _values(self) -> Mapping[str, float]:
        return {s.name: s.value for family in self._source.collect() for s in family.samples}
