"""The file of keys: what is stored of each key, and how the file is read and changed.

Of a secret only its SHA-256 is stored. Unlike for passwords a plain hash is right: a secret is 256 random
bits, too many to guess, so a slow or salted hash would protect nothing, and a key is checked often.
"""

import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import mkstemp
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from model.errors import PropenseError
from model.store.disk import open_now, sync_folder

KeyScope = Literal["predict", "admin"]
PREFIX: Final = "pk"
Rate = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


class KeysError(PropenseError):
    """The file of keys cannot be used; the message has none of its content."""


class Key(BaseModel):
    """What is stored of a key.

    Attributes:
        id: names it in logs and commands; the middle part of the key's text.
        name: of its holder, for people.
        sha256: of the secret, the last part of the key's text; hexadecimal.
        scopes: what it may be used for.
        expires: when it ends; None: never.
        rate: requests a second; None: the rate of the service.
        burst: requests at once; None: those of a tenth of a second, at least 2.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[0-9a-z]{1,32}$")]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", repr=False)]
    scopes: Annotated[tuple[KeyScope, ...], Field(min_length=1)]
    created: AwareDatetime
    expires: AwareDatetime | None = None
    rate: Rate | None = None
    burst: Annotated[float, Field(ge=1, le=1e6, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _burst_has_a_rate(self) -> Self:
        if self.burst is not None and self.rate is None:
            raise ValueError("burst needs a rate")
        return self


Keys = tuple[Key, ...]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: Keys

    @model_validator(mode="after")
    def _ids_are_distinct(self) -> Self:
        if len({key.id for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same id")
        return self


def new_key(
    name: str,
    scopes: tuple[KeyScope, ...],
    *,
    expires: datetime | None = None,
    rate: float | None = None,
    burst: float | None = None,
) -> tuple[Key, str]:
    """Return a new key for the file, and its text, which is stored nowhere.

    Raises:
        KeysError: a name, rate or burst breaks its rule.
    """
    id_, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    digest, now = sha256(secret.encode()).hexdigest(), datetime.now(UTC).replace(microsecond=0)
    try:
        key = Key(
            id=id_,
            name=name,
            sha256=digest,
            scopes=scopes,
            created=now,
            expires=expires,
            rate=rate,
            burst=burst,
        )
    except ValidationError as error:
        raise KeysError(f"this key cannot be made: {_reason(error)}") from None
    return key, f"{PREFIX}_{id_}_{secret}"


def read_keys(path: Path) -> Keys:
    """Return the keys of a file.

    Raises:
        KeysError: it cannot be read, or is no file of keys.
    """
    try:
        with open(path, "rb", opener=open_now) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise KeysError("the file of keys must be a file, got something else (a pipe or a folder)")
            return _File.model_validate_json(file.read()).keys
    except OSError as error:
        advice = "`python -m app.keys add` makes one"
        raise KeysError(f"the file of keys cannot be read: {error.strerror}; {advice}") from None
    except ValidationError as error:
        raise KeysError(
            f"the file of keys is broken: {_reason(error)}; `python -m app.keys` writes it"
        ) from None


def _reason(error: ValidationError) -> str:
    """The first fault, without the value, which may be a secret."""
    fault = error.errors(include_input=False, include_url=False)[0]
    message = fault["msg"].removeprefix("Value error, ")
    place = ".".join(map(str, fault["loc"]))
    return f"{place}: {message}" if place else message


def change_keys(path: Path, change: Callable[[Keys], Keys]) -> None:
    """Replace the keys of a file, atomically and one change at a time; a missing file has none.

    Raises:
        KeysError: it is broken, or its folder cannot be written.
    """
    path = path.resolve()
    try:
        with _alone_in(path.parent):
            _replace(path, change(read_keys(path) if path.exists() else ()))
    except OSError as error:
        raise KeysError(f"the file of keys cannot be written: {error.strerror}") from None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, keys: Keys) -> None:
    text = _File(keys=keys).model_dump_json(indent=1, exclude_none=True)
    descriptor, draft = mkstemp(dir=path.parent, prefix=f".{path.name}.")  # of mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink()
        raise
    sync_folder(path.parent)
