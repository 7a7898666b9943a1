"""How long a connection waits for its client, seen by looking now and then: no request pays for a timer."""

from enum import Enum


class Waits(Enum):
    """What a connection waits for; the values are the names of `app.server.state.Patience`."""

    HEAD = "head"
    BODY = "body"
    SEND = "send"
    IDLE = "idle"
    END = "end"


class Waiting:
    """Remembers between two looks what was waited for, and how far that had come."""

    __slots__ = ("_for", "_mark", "_since")

    def __init__(self) -> None:
        self._for: Waits | None = None
        self._mark: object = None
        self._since = 0.0

    def seconds(self, waits: Waits | None, mark: object, now: float) -> float:
        """Since when the same is waited for with no progress, as far as the looks could tell.

        Args:
            waits: None: for nothing that the client has to do.
            mark: equal as long as there is no progress.
            now: seconds of a clock that never goes back.
        """
        if waits is None or waits is not self._for or mark != self._mark:
            self._for, self._mark, self._since = waits, mark, now
        return now - self._since
