"""Threads that score, and how long each has been at what it does."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class ScoringThread(ThreadPoolExecutor):
    """One thread, which knows since when it has been at its present job."""

    def __init__(self, name: str) -> None:
        super().__init__(1, name)
        self._since: float | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        """Have the thread do a job, after those before it."""
        return super().submit(self._do, fn, args, options)

    def busy_seconds(self) -> float:
        """Return for how long it has been at its present job; 0 if it has none."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def _do(self, fn: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        self._since = time.monotonic()
        try:
            return fn(*args, **options)
        finally:
            self._since = None
