"""Several processes that serve the same sockets: started, replaced when they die, ended together."""

import gc
import logging
import os
import signal
import time
from collections.abc import Callable
from typing import Final

from app.server.server import SAME_SECONDS

_log: Final = logging.getLogger(__name__)
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGALRM)
_YOUNG_SECONDS: Final = 1.0  # what dies younger is not replaced before this age, or it would be a busy loop

Work = Callable[[int], None]


class Workers:
    """The processes.

    Each is forked from this one, which has imported everything but started no thread: that takes
    milliseconds, where a fresh interpreter needs seconds to import torch, and they share those pages.
    Signals are not handled but waited for, so that nothing happens at a time that was not chosen.

    Args:
        work: serves in a new process until that is told to stop. It is given a file descriptor that becomes
            readable when this process has died.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._started: dict[int, float] = {}  # process id to its start
        self._due: list[float] = []  # starts of those still to be replaced
        self._alive, self._held = os.pipe()  # what only this process holds open is closed by its death

    def run(self, n: int, *, close: Callable[[], None], patience_s: float) -> int:
        """Keep N workers until told to stop by SIGTERM or SIGINT, which they are told as well.

        Args:
            close: lets go of the sockets here, once the workers alone are to hold them.
            patience_s: seconds after which a worker that was told to stop is killed.

        Returns:
            The exit status.
        """
        gc.collect()
        gc.freeze()  # what is not walked is not written to, and stays shared
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        self._due = [0.0] * n
        told = self._keep()
        close()
        self._end(signal.SIGTERM if told is None else told, patience_s)
        return 1 if told is None else 0

    def _keep(self) -> int | None:
        """Replace workers until a signal says to stop; None: they fail by themselves."""
        while True:
            self._start_due()
            match signal.sigwait(_SIGNALS):
                case signal.SIGCHLD:
                    if max(self._reap(), default=0) > 0:  # not by a signal: the next would do the same
                        return None
                case signal.SIGTERM | signal.SIGINT as told:
                    return told

    def _start_due(self) -> None:
        now = time.monotonic()
        later = [due for due in self._due if due > now]
        for _ in range(len(self._due) - len(later)):
            self._start()
        self._due = later
        if later:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, min(later) - now))

    def _start(self) -> None:
        pid = os.fork()
        if pid == 0:
            os.close(self._held)
            _become(self._work, self._alive)
        self._started[pid] = time.monotonic()
        _log.info("worker %d started", pid)

    def _reap(self) -> list[int]:
        """The exit statuses of workers that have ended."""
        statuses = []
        while self._started:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            statuses.append(os.waitstatus_to_exitcode(status))
            self._due.append(self._started.pop(pid) + _YOUNG_SECONDS)
            _log.log(
                logging.INFO if statuses[-1] == 0 else logging.ERROR,
                "worker %d ended with exit status %d",
                pid,
                statuses[-1],
            )
        return statuses

    def _end(self, told: int, patience_s: float) -> None:
        """Tell all workers to stop, and wait; at another signal, or when it takes too long, kill them."""
        self._tell(told)
        signal.setitimer(signal.ITIMER_REAL, patience_s)
        told_at = time.monotonic()
        while self._started:
            number = signal.sigwait(_SIGNALS)
            if number == signal.SIGALRM or (
                number != signal.SIGCHLD and time.monotonic() - told_at > SAME_SECONDS
            ):
                self._tell(signal.SIGKILL)
            self._reap()

    def _tell(self, number: int) -> None:
        for pid in self._started:
            os.kill(pid, number)


def _become(work: Work, alive: int) -> None:
    """Turn this new process into a worker, and end it."""
    # A group of its own, so that Ctrl-C at a terminal reaches the parent alone, which passes it on once.
    os.setpgid(0, 0)
    status = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):  # until the server handles them
            signal.signal(number, lambda *_: os._exit(0))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        work(alive)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        _log.exception("a worker failed")
    finally:
        os._exit(status)
