"""The keys in force: whose key a request has, and whether it may be used now."""

import hmac
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

import anyio
from anyio.to_thread import run_sync

from app.access.key_file import PREFIX, Key, Keys, KeyScope, KeysError, read_keys
from app.errors import Problem

_log: Final = logging.getLogger(__name__)
_Look = tuple[int, int, int] | None
_LONGEST: Final = 256  # bytes of a key's text
_ROUNDING: Final = 1e-6  # seconds; of a clock that has run for years
_REALM: Final = 'Bearer realm="propense"'


class Bucket:
    """A token bucket, which fills at a rate; a request takes one token.

    It keeps the instant at which it will be full again in place of the number of tokens (virtual scheduling,
    ITU-T I.371): there is nothing to refill, and no error adds up.

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
        """Take a token; return 0, or the seconds until there is one.

        Args:
            now: seconds of a monotonic clock.
        """
        full_at = max(self._full_at, now)
        wait = full_at - now - self._burst_seconds
        if wait > _ROUNDING:
            return wait
        self._full_at = full_at + self._seconds
        return 0.0


@dataclass(frozen=True, slots=True)
class Caller:
    """A key in force."""

    key: Key
    digest: bytes = field(repr=False)
    expires: float | None
    bucket: Bucket | None

    @classmethod
    def of(cls, key: Key, rate: float | None) -> Self:
        """Return a key's caller; `rate` is for keys without one of their own."""
        expires = key.expires.timestamp() if key.expires else None
        bucket = None
        if rate := key.rate or rate:
            # At least 2 by default: else a client that keeps to its rate, with some jitter, would be refused.
            bucket = Bucket(rate, key.burst or max(2.0, rate / 10))
        return cls(key, bytes.fromhex(key.sha256), expires, bucket)

    def check(self, scope: KeyScope) -> None:
        """Count a request and check that the key may be used for it.

        Raises:
            Problem: the key has expired (401), is not good for this (403), or comes too often (429).
        """
        if self.expires is not None and self.expires <= time.time():
            raise _refused("key-expired", f"the key {self.key.id} has expired; ask for another")
        if scope not in self.key.scopes:
            raise _without_scope(scope)
        if self.bucket and (wait := self.bucket.take(time.monotonic())):
            raise _too_many(wait)


class Keyring:
    """The keys of a file, as it is now.

    Args:
        path: the file.
        rate: requests a second for keys without a rate of their own; None: no limit.

    Raises:
        KeysError: it cannot be read.
    """

    def __init__(self, path: Path, *, rate: float | None = None) -> None:
        self._path, self._rate = path, rate
        self._seen = _look(path)
        self._callers: dict[bytes, Caller] = {}
        # By verified texts. A look-up by a seeded hash does not show how much of a wrong text was right, as a
        # comparison byte by byte would.
        self._verified: dict[bytes, Caller] = {}
        self._complaint = ""
        self._take(read_keys(path))

    def caller(self, headers: Mapping[bytes, bytes]) -> Caller:
        """Return whose key the headers hold.

        Raises:
            Problem: no key, or one that is not in force (401).
        """
        text = _text(headers)
        return self._verified.get(text) or self._verify(text)

    def _verify(self, text: bytes) -> Caller:
        prefix, _, rest = text.partition(b"_")
        id_, _, secret = rest.partition(b"_")
        caller = self._callers.get(id_) if len(text) <= _LONGEST and prefix == PREFIX.encode() else None
        if caller is None or not hmac.compare_digest(sha256(secret).digest(), caller.digest):
            raise _refused("key-unknown", "this key is not in force; it is mistyped, revoked or replaced")
        self._verified[text] = caller
        return caller

    async def watch(self, seconds: float = 1.0, patience: float = 10.0) -> None:
        """Follow the file's changes for ever; while it is broken, the keys in force stay the same.

        Args:
            seconds: from one look to the next.
            patience: seconds after which a look that hangs, as on a dead network disk, is logged and given
                up. The next one has twice as long, so that few threads hang.
        """
        thread = anyio.CapacityLimiter(1)  # of its own, so that no load delays a revocation
        longest = patience
        while True:
            await anyio.sleep(seconds)
            try:
                with anyio.fail_after(longest):
                    changed = await run_sync(self._changed, limiter=thread, abandon_on_cancel=True)
            except TimeoutError:
                self._complain(f"the file of keys could not be read within {longest:g} seconds")
                longest *= 2
                continue
            except KeysError as error:
                self._complain(str(error))
                continue
            longest = patience
            if changed:
                self._seen, keys = changed
                self._complaint = ""
                self._take(keys)
                _log.info("keys in force: %d", len(keys))

    def _changed(self) -> tuple[_Look, Keys] | None:
        """The file's state and keys, if it is another state than before. In a thread."""
        seen = _look(self._path)
        return None if seen == self._seen else (seen, read_keys(self._path))

    def _complain(self, reason: str) -> None:
        """Log a reason once."""
        if reason != self._complaint:
            _log.error("the keys in force stay the same: %s", reason)
            self._complaint = reason

    def _take(self, keys: Keys) -> None:
        """Put keys in force; one that did not change keeps its bucket."""
        before = {caller.key: caller for caller in self._callers.values()}
        self._callers = {key.id.encode(): before.get(key) or Caller.of(key, self._rate) for key in keys}
        self._verified = {}


def _look(path: Path) -> _Look:
    """What changes when the file does; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _text(headers: Mapping[bytes, bytes]) -> bytes:
    if text := headers.get(b"x-api-key"):
        return text
    kind, _, text = headers.get(b"authorization", b"").partition(b" ")
    if kind.lower() != b"bearer":
        raise Problem(
            401,
            "key-missing",
            "this needs a key; send the header Authorization: Bearer KEY",
            headers={"WWW-Authenticate": _REALM},
        )
    return text.strip()


def _refused(kind: str, detail: str) -> Problem:
    return Problem(401, kind, detail, headers={"WWW-Authenticate": f'{_REALM}, error="invalid_token"'})


def _without_scope(scope: KeyScope) -> Problem:
    challenge = f'{_REALM}, error="insufficient_scope", scope="{scope}"'
    detail = f"this needs a key of scope {scope}, which this key does not have"
    return Problem(403, "key-without-scope", detail, headers={"WWW-Authenticate": challenge})


def _too_many(wait: float) -> Problem:
    detail = f"this key is over its rate; ask again in {wait:.3g} seconds"
    return Problem(429, "too-many-requests", detail, headers={"Retry-After": str(math.ceil(wait))})
