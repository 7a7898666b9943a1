"""A body into rows: in the event loop if it is short, else in a thread, one after another."""

import asyncio
import ctypes
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from app.models import Served
from app.predict import careful
from app.predict.decoder import NotTaken
from model.rows import Rows

_LARGE: Final = 1 << 18  # bytes
_TIDY_SECONDS: Final = 0.5


class Reading:
    """Reads bodies.

    What explains a bad body may take fifty times its size, which happens once at a time: reading holds the
    interpreter's lock, so that two at once would not be quicker.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "reading")
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        self._will_tidy = False

    async def __call__(self, served: Served, body: bytes) -> Rows:
        """The rows of a body.

        Raises:
            Problem: the body is not what the model expects.
        """
        if len(body) < _LARGE:
            return _read(served, body, large=False)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, partial(_read, served, body, large=True))
        finally:
            if not self._will_tidy:
                self._will_tidy = True
                loop.call_later(_TIDY_SECONDS, self._thread.submit, self._tidy)

    def _tidy(self) -> None:
        """Have glibc return what was freed, once the request is over: it would keep it for later ones."""
        self._will_tidy = False
        if self._trim:
            self._trim(0)


def _read(served: Served, body: bytes, *, large: bool) -> Rows:
    now = time.time_ns() // 1000
    try:
        return served.decoder(body, now)
    except NotTaken:
        if large:
            served.keys.refuse_unknown(body)
        return careful.read(body, served.request, served.manifest.schema_, now)
