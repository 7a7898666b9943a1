"""Whether memory stays flat under many requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.benchmarks.serving.contenders import Contender
from tests.benchmarks.serving.load import Load
from tests.benchmarks.serving.process import Server, serving
from tests.benchmarks.serving.sample import Row
from tests.benchmarks.serving.single import requests

FLAT: Final = 0.01  # of the memory, over the whole run
_CONNECTIONS: Final = 8
_SAMPLES: Final = 50
_SETTLED: Final = 0.1  # of the requests, before which memory may still grow


@dataclass(frozen=True)
class Soak:
    """A long run.

    Attributes:
        first_mb, last_mb: memory once it had settled, and at the end.
        growth: the slope of a line through the samples between, over the whole run, as a share.
    """

    n: int
    rate: float
    first_mb: float
    last_mb: float
    growth: float

    def sentence(self) -> str:
        """What came of it."""
        verdict = "flat" if self.growth < FLAT else "not flat"
        return (
            f"{self.n:,} requests over {_CONNECTIONS} connections, {self.rate:,.0f} a second: memory was "
            f"{self.first_mb:.1f} MB after the first {_SETTLED:.0%} and {self.last_mb:.1f} MB at the end; "
            f"the trend is {self.growth:+.2%} over the run, which is {verdict} (below {FLAT:.0%})."
        )


def soak(contender: Contender, rows: Sequence[Row], n: int, *, core: int) -> Soak:
    """Ask a server n times.

    Raises:
        LoadError: it does not run, or an answer is no 200.
    """
    assert contender.command is not None
    with (
        serving(contender.command, contender.environment, contender.post(rows[0]), core=core) as server,
        Load.opened(server.port, requests(contender, rows), _CONNECTIONS) as load,
    ):
        return _drive(server, load, n)


def _drive(server: Server, load: Load, n: int) -> Soak:
    asked, seconds = [0], 0.0
    memory = [server.memory_mb()]
    for part in range(1, _SAMPLES + 1):
        window = load.run(float("inf"), most=n * part // _SAMPLES - asked[-1])
        asked.append(asked[-1] + window.n)
        seconds += window.n / window.rate
        memory.append(server.memory_mb())
    return told(np.array(asked), np.array(memory), seconds)


def told(
    asked: "np.typing.NDArray[np.int64]", memory: "np.typing.NDArray[np.float64]", seconds: float
) -> Soak:
    settled = asked >= _SETTLED * asked[-1]
    slope = np.polyfit(asked[settled], memory[settled], 1)[0]
    first = memory[settled][0]
    growth = float(slope * asked[-1] / first)
    return Soak(int(asked[-1]), float(asked[-1] / seconds), float(first), float(memory[-1]), growth)
