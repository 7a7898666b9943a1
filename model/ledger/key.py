"""The secret of a ledger: with it an id becomes a pseudonym; without it no record can be joined to one."""

import os
import re
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from hmac import compare_digest
from pathlib import Path
from typing import Final, Self

from model.errors import LedgerError
from model.store.disk import open_now, sync_folder

VARIABLE: Final = "PROPENSE_LEDGER_KEY"
SIZE: Final = 16  # bytes of a pseudonym, of a mark and of a seal
_DIGITS: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class LedgerKey:
    """32 secret bytes."""

    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str, source: str) -> Self:
        """Read 64 hexadecimal digits.

        Raises:
            LedgerError: they are something else; the message has none of it.
        """
        if not _DIGITS.fullmatch(text.strip().lower()):
            raise LedgerError(
                f"{source} must be 64 hexadecimal digits, got {len(text.strip())} characters that are not. "
                "`openssl rand -hex 32` makes some; without the digits of its first use a ledger is lost."
            )
        return cls(bytes.fromhex(text.strip()))

    def pseudonyms(self, ids: Iterable[str]) -> list[bytes]:
        """Return the pseudonym of each id: a keyed hash, the same at all times."""
        return self._marked(b"pseudonym", (id_.encode(errors="surrogatepass") for id_ in ids))

    def erasure_marks(self, pseudonyms: Iterable[bytes]) -> list[bytes]:
        """Return what the list of erased customers has of each: not the pseudonym, which is erased too."""
        return self._marked(b"erased", pseudonyms)

    def request_mark(self, pseudonym: bytes, request: bytes) -> bytes:
        """Return what makes the record of a customer one in all copies of a request."""
        return self._marked(b"request", [pseudonym + request])[0]

    def seal(self, payload: bytes, place: bytes) -> bytes:
        """Return a payload behind its seal, which no other key, place or payload has."""
        return self._seal(payload, place) + payload

    def unseal(self, sealed: bytes, place: bytes) -> bytes | None:
        """Return the payload; None where the seal is not that of this key, place and payload."""
        given, payload = sealed[:SIZE], sealed[SIZE:]
        return payload if compare_digest(given, self._seal(payload, place)) else None

    @cached_property
    def name(self) -> str:
        """A hash that names the key and tells nothing of it."""
        return self._marked(b"name", [b""])[0].hex()

    def _seal(self, payload: bytes, place: bytes) -> bytes:
        sum_ = blake2b(place, digest_size=SIZE, key=self.secret, person=b"seal")
        sum_.update(payload)
        return sum_.digest()

    def _marked(self, use: bytes, texts: Iterable[bytes]) -> list[bytes]:
        start = blake2b(digest_size=SIZE, key=self.secret, person=use)
        marks = []
        for text in texts:
            sum_ = start.copy()
            sum_.update(text)
            marks.append(sum_.digest())
        return marks


def find_key(root: Path, environment: Mapping[str, str], *, make: bool) -> LedgerKey:
    """Return the key of the ledgers in a folder.

    It is in PROPENSE_LEDGER_KEY (64 digits, or the path of a file with them), else in the file `ROOT.key`
    beside the folder: a copy of the folder has no key.

    Args:
        make: whether to make that file where there is none and the folder has no ledger yet.

    Raises:
        LedgerError: there is no key, or others than its owner can read its file.
    """
    given = environment.get(VARIABLE)
    if given and _DIGITS.fullmatch(given.strip().lower()):
        return LedgerKey.parse(given, VARIABLE)
    path = Path(given) if given else root.with_name(f"{root.name}.key")
    if make and not given and not path.exists():
        if root.is_dir() and any(root.iterdir()):
            raise LedgerError(
                f"{path} must hold the key of the ledger {root}, got no such file. Restore it, or set "
                f"{VARIABLE}; a new key would fit nothing that is recorded."
            )
        _make(path)
    return _read(path)


def _make(path: Path) -> None:
    """Write a new key; of two processes that do, one wins."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        os.link(draft, path)
        sync_folder(path.parent)
    except FileExistsError:
        pass
    except OSError as error:
        raise LedgerError(f"the key of the ledger cannot be written: {error}") from error
    finally:
        draft.unlink(missing_ok=True)


def _read(path: Path) -> LedgerKey:
    try:
        with open(path, "rb", opener=open_now) as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(1024).decode("ascii", errors="replace")
    except OSError as error:
        raise LedgerError(
            f"the key of the ledger must be in {path}, or in {VARIABLE}: {error.strerror}. "
            "`propense score NAME --ledger` makes one at its first use."
        ) from None
    if stat.S_IMODE(mode) & 0o077:
        raise LedgerError(
            f"only its owner may read {path}, got mode {stat.S_IMODE(mode):o}. Run `chmod 600 {path}`."
        )
    return LedgerKey.parse(text, str(path))
