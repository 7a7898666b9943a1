"""The settings of the service, from PROPENSE_* environment variables."""

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.access.admit import kind_of
from app.access.key_file import KeysError, Rate, read_keys
from model.device import DeviceName
from model.store.champions import VERSION_PATTERN
from model.store.registry import NAME_PATTERN

PREFIX: Final = "PROPENSE_"
_HOST: Final = re.compile(r"\*|[a-z0-9]([a-z0-9._-]*[a-z0-9])?|[0-9a-f:]+")
_NOBODY_KNOWN: Final = (
    "other machines can reach this address, so requests need keys: set PROPENSE_KEYS to a file of keys "
    "(`python -m app.keys add` makes one), or allow requests without a key with PROPENSE_AUTH=off"
)


def _readable(keys: Path) -> Path:
    try:
        read_keys(keys)
    except KeysError as error:
        raise ValueError(str(error)) from None
    return keys


def _challengers(value: object) -> object:
    """Parse `churn:3,purchase:2` into versions by name."""
    if not isinstance(value, str):
        return value
    found: dict[str, int] = {}
    for part in filter(None, map(str.strip, value.split(","))):
        name, _, version = part.partition(":")
        if not NAME_PATTERN.fullmatch(name) or not VERSION_PATTERN.fullmatch(version) or name in found:
            raise ValueError(f"must be NAME:VERSION with commas between, each NAME once, got {part!r:.80}")
        found[name] = int(version)
    return found


def _hosts(value: object) -> object:
    """Parse `a.example,b.example` into names."""
    if not isinstance(value, str):
        return value
    names = {name.lower() for name in map(str.strip, value.split(",")) if name}
    if bad := sorted(name for name in names if not _HOST.fullmatch(name)):
        raise ValueError(
            f"must be names of hosts, without a port, with commas between, or *, got {bad[0]!r:.80}"
        )
    return frozenset(names)


Seconds = Annotated[float, Field(gt=0, le=3600)]


class Settings(BaseSettings):
    """The settings, each from the environment variable PROPENSE_ and its name.

    Attributes:
        registry: folder of the checkpoints.
        host: address to listen on.
        port: TCP port; 0 takes a free one.
        device: where networks run; auto takes a GPU if there is one.
        threads: CPU threads of one prediction. More replicas serve more requests than more threads do.
        max_rows: customers in one request.
        max_body_bytes: size of a request body.
        max_score_bytes: size of a file that is scored.
        max_files: files that are received, scored or sent back at a time.
        upload_seconds: for all of a file to arrive.
        file_memory_bytes: memory for scoring a file.
        file_cpu_seconds: CPU time for scoring a file.
        max_waiting: requests to one model that wait for their score; a further one is refused.
        deadline_seconds: from the last byte of a request to its response; beyond it 504.
        max_connections: beyond it, only probes are answered.
        max_buffered_bytes: of all bodies that arrive in pieces, until they are answered.
        header_seconds: for a request's head, from its connection's start or the head's first byte.
        body_seconds: from one piece of a body to the next; beyond it 408.
        whole_body_seconds: for all of a body that comes in pieces, files excepted; beyond it 408.
        send_seconds: for a client to read a piece of its response; beyond it the connection is cut.
        drain_seconds: from SIGTERM, of answering while not ready; then new connections are refused.
        grace_seconds: from then, for requests in flight; beyond it their connections are cut.
        hung_seconds: of one batch or file without an end, until the service is taken to hang.
        ready: whether the start waits for all models of the registry to be in service, or for any.
        saturated_seconds: of refusals because too many requests wait, until the service is not ready.
        keys: file of keys; without it, only this machine may send requests.
        auth: off allows requests of every machine without a key.
        rate: requests a second of a key without a rate of its own; None: no limit.
        admin_port: TCP port that alone has docs, metrics and reloads; None: `port` has them.
        admin_host: address of that port; from a loopback address no key is needed there.
        allowed_hosts: names in Host that are accepted without a key, beside this machine's own; * for all.
        watch_seconds: between two looks at the registry for new champions; 0: only reloads look.
        shadow: challengers that score again what the champion has answered, as NAME:VERSION,NAME:VERSION.
        ledger: folder of the ledgers, in which every prediction is recorded; None: none is.
        ledger_key: its key, 64 hexadecimal digits, or the path of a file with them; None: the file beside it.
        log_level: of the service and its server; debug logs every response.
        log_format: of each line; auto is text at a terminal, else JSON.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    registry: Path = Path("registry")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    device: DeviceName = "cpu"
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    max_rows: Annotated[int, Field(ge=1)] = 10_000
    max_body_bytes: Annotated[int, Field(ge=1024)] = 16 * 2**20
    max_score_bytes: Annotated[int, Field(ge=1024)] = 2**30
    max_files: Annotated[int, Field(ge=1)] = 8
    upload_seconds: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    file_memory_bytes: Annotated[int, Field(ge=64 * 2**20)] = 2**30
    file_cpu_seconds: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    max_waiting: Annotated[int, Field(ge=1)] = 1024
    deadline_seconds: Annotated[float, Field(gt=0)] = 30.0
    max_connections: Annotated[int, Field(ge=1)] = 4096
    max_buffered_bytes: Annotated[int, Field(ge=1024)] = 256 * 2**20
    header_seconds: Seconds = 10.0
    body_seconds: Seconds = 20.0
    whole_body_seconds: Seconds = 60.0
    send_seconds: Seconds = 30.0
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 2.0
    grace_seconds: Annotated[float, Field(ge=0, le=3600)] = 10.0
    saturated_seconds: Seconds = 5.0
    hung_seconds: Seconds = 120.0
    ready: Literal["any", "all"] = "any"
    keys: Annotated[Path, AfterValidator(_readable)] | None = None
    auth: bool = True
    rate: Rate | None = None
    admin_port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    admin_host: str = "127.0.0.1"
    allowed_hosts: Annotated[frozenset[str], NoDecode, BeforeValidator(_hosts)] = frozenset()
    watch_seconds: Annotated[float, Field(ge=0, le=3600)] = 0.5
    shadow: Annotated[dict[str, int], NoDecode, BeforeValidator(_challengers)] = {}
    ledger: Path | None = None
    ledger_key: SecretStr | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "text"] = "auto"

    @model_validator(mode="after")
    def _environment_is_known(self) -> Self:
        known = {PREFIX + name.upper() for name in type(self).model_fields}
        for name in sorted(os.environ):
            if name.upper().startswith(PREFIX) and name.upper() not in known:
                raise ValueError(f"{name} is not a setting; {_instead_of(name.upper(), known)}")
        return self

    @model_validator(mode="after")
    def _callers_are_known(self) -> Self:
        if self.keys and not self.auth:
            raise ValueError("PROPENSE_AUTH=off and PROPENSE_KEYS contradict each other; unset one of them")
        if self.rate and not self.keys:
            raise ValueError(
                "PROPENSE_RATE needs keys, and there are none; set PROPENSE_KEYS, or unset PROPENSE_RATE"
            )
        if self.admin_port == self.port:
            raise ValueError(f"PROPENSE_ADMIN_PORT must differ from PROPENSE_PORT, got {self.port} for both")
        for name in ("host", "admin_host") if self.admin_port else ("host",):
            host = getattr(self, name)
            if self.auth and not self.keys and kind_of(host) != "loopback":
                raise ValueError(f"{PREFIX}{name.upper()}={host}: {_NOBODY_KNOWN}")
        return self


def explain(error: ValidationError) -> str:
    """Return one line for each fault of the settings, with the variable's name."""
    return "\n".join(_line(e["loc"], e["msg"].removeprefix("Value error, ")) for e in error.errors())


def _instead_of(name: str, known: set[str]) -> str:
    """The next step for a variable that is no setting."""
    if name == f"{PREFIX}WORKERS":
        return "a service is one process: start more replicas instead"
    nearest = get_close_matches(name, sorted(known), n=1, cutoff=0.0)[0]
    return f"did you mean {nearest}?"


def _line(loc: tuple[int | str, ...], message: str) -> str:
    return f"{PREFIX}{str(loc[0]).upper()}: {message}" if loc else message
