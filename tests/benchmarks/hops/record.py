"""Entered functions: a hook in real processes writes them down, and this reads them back."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[3]
PRODUCT: Final = ("app/", "model/", "training/", "propense.py")
_HOOK: Final = Path(__file__).with_name("hook")
_REST_S: Final = 1.0  # in which every timer of the service goes off
_AFTER_S: Final = 0.1  # in which what follows a response ends


class _Line(NamedTuple):
    process: str
    thread: str
    file: str
    name: str

    @property
    def function(self) -> tuple[str, str]:
        return self.file, self.name


@dataclass(frozen=True)
class Hops:
    """What one way through the product enters.

    Attributes:
        files: in the order of their first call.
        functions: distinct ones.
        moves: calls that follow a call into another file of the same thread.
    """

    files: tuple[str, ...]
    functions: int
    moves: int


@dataclass(frozen=True)
class Recorder:
    """The log that the hook of several processes appends to."""

    log: Path

    def environment(self) -> dict[str, str]:
        """Environment variables for a process that is to be recorded, with those of this process."""
        path = os.pathsep.join([str(_HOOK), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PROPENSE_")}
        hook = {"HOPS_ROOT": str(ROOT), "HOPS_PRODUCT": ":".join(PRODUCT), "HOPS_LOG": str(self.log)}
        return {**inherited, **hook, "PYTHONPATH": path}

    def hops(self, act: Callable[[], object]) -> Hops:
        """Return what the recorded processes enter during an action, less what they enter at rest."""
        time.sleep(_AFTER_S)  # an earlier action is over
        timers = {line.function for line in self._lines(lambda: time.sleep(_REST_S))}
        return _hops([line for line in self._lines(act) if line.function not in timers])

    def _lines(self, act: Callable[[], object]) -> list[_Line]:
        self.log.touch()
        start = self.log.stat().st_size
        act()
        time.sleep(_AFTER_S)
        with self.log.open("rb") as log:
            log.seek(start)
            return [_Line(*line.split(" ")) for line in log.read().decode().splitlines()]


def _hops(lines: list[_Line]) -> Hops:
    threads: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        threads.setdefault((line.process, line.thread), []).append(line.file)
    return Hops(
        files=tuple(dict.fromkeys(line.file for line in lines)),
        functions=len({line.function for line in lines}),
        moves=sum(a != b for files in threads.values() for a, b in pairwise(files)),
    )
