"""How long a training step takes, whoever's loop it is: the time from one optimizer step to the next."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from torch.optim.optimizer import register_optimizer_step_post_hook

MIN_STEPS: Final = 3


@dataclass(frozen=True)
class Steps:
    """Steps that were timed.

    Attributes:
        count: how many.
        seconds: of the median one.
    """

    count: int
    seconds: float


class _EnoughError(Exception):
    """Ends a loop that has shown enough."""


def time_steps(loop: Callable[[], object], *, limit_s: float) -> Steps:
    """Run a training loop until it ends or has stepped for so long.

    The median leaves out what lies between two epochs. The first step is not counted: it may wait for
    things that are made once.
    """
    stamps: list[float] = []

    def stamp(*_: object) -> None:
        stamps.append(time.perf_counter())
        if len(stamps) > MIN_STEPS and stamps[-1] - stamps[0] > limit_s:
            raise _EnoughError

    handle = register_optimizer_step_post_hook(stamp)
    try:
        loop()
    except _EnoughError:
        pass
    finally:
        handle.remove()
    return Steps(len(stamps) - 1, float(np.median(np.diff(stamps))))
