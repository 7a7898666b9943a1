"""How often one may call."""

from typing import Final

_ROUNDING: Final = 1e-6  # seconds; of a clock that has run for years


class Bucket:
    """A bucket of tokens that fills at a rate; a request takes one.

    Instead of tokens it keeps the instant at which the bucket will be full again, which says the same
    (the virtual scheduling of ITU-T I.371): nothing to refill, and no error that adds up.

    Args:
        rate: tokens a second.
        burst: tokens of the full bucket, at least 1.
    """

    __slots__ = ("_burst_seconds", "_full_at", "_seconds")

    def __init__(self, rate: float, burst: float) -> None:
        self._seconds = 1 / rate
        self._burst_seconds = (burst - 1) / rate
        self._full_at = 0.0

    def take(self, now: float) -> float:
        """Take a token, if there is one.

        Args:
            now: of a clock that is never set back, in seconds.

        Returns:
            0, or the seconds until there is one.
        """
        full_at = max(self._full_at, now)
        wait = full_at - now - self._burst_seconds
        if wait > _ROUNDING:
            return wait
        self._full_at = full_at + self._seconds
        return 0.0
