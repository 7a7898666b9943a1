"""What large bodies took is given back."""

import asyncio
import ctypes
from concurrent.futures import Executor
from typing import Final

_SECONDS: Final = 0.5


class Tidy:
    """Has glibc return what was freed, once a request is over: it would keep it for later ones.

    Args:
        thread: where that is done.
    """

    def __init__(self, thread: Executor) -> None:
        self._thread = thread
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        self._will = False

    def soon(self) -> None:
        """Do it in a moment, once for all who ask until then."""
        if not self._will:
            self._will = True
            asyncio.get_running_loop().call_later(_SECONDS, self._thread.submit, self._now)

    def _now(self) -> None:
        self._will = False
        if self._trim:
            self._trim(0)
