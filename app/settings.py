"""What the service is told from outside: PROPENSE_* environment variables, nothing else."""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from model.device_name import DeviceName

PREFIX: Final = "PROPENSE_"


class Settings(BaseSettings):
    """The service's settings, each from the environment variable of its name with PROPENSE_ in front.

    Attributes:
        registry: folder of the checkpoints.
        host: address to listen on.
        port: TCP port; 0 takes a free one.
        device: where networks run; auto takes a GPU if there is one.
        threads: CPU threads of one prediction. More replicas serve more requests than more threads do.
        max_rows: customers in one request.
        max_body_bytes: size of a request body.
        max_waiting: requests to one model that wait for their score; a further one is refused.
        deadline_seconds: from a request's being read to its score; what takes longer is answered by 504.
        log_level: of the service's own log and the server's.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    registry: Path = Path("registry")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    device: DeviceName = "cpu"
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    max_rows: Annotated[int, Field(ge=1)] = 10_000
    max_body_bytes: Annotated[int, Field(ge=1024)] = 16 * 2**20
    max_waiting: Annotated[int, Field(ge=1)] = 1024
    deadline_seconds: Annotated[float, Field(gt=0)] = 30.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _environment_is_known(self) -> Self:
        known = {PREFIX + name.upper() for name in type(self).model_fields}
        for name in sorted(os.environ):
            if name.upper().startswith(PREFIX) and name.upper() not in known:
                nearest = get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.0)[0]
                raise ValueError(f"{name} is not a setting; did you mean {nearest}?")
        return self


def explain(error: ValidationError) -> str:
    """One line for each fault of the settings, with the variable's name."""
    return "\n".join(_line(e["loc"], e["msg"].removeprefix("Value error, ")) for e in error.errors())


def _line(loc: tuple[int | str, ...], message: str) -> str:
    return f"{PREFIX}{str(loc[0]).upper()}: {message}" if loc else message
