"""`python -m app`: the service under uvicorn, with the settings of the environment."""

import signal
import sys
from copy import deepcopy
from typing import Any, Final

import uvicorn
from pydantic import ValidationError
from uvicorn.config import LOGGING_CONFIG

from app.settings import Settings, explain

_GRACE_SECONDS: Final = 1  # for requests in flight when told to stop
_KEEP_ALIVE_SECONDS: Final = 75  # longer than the usual 60 s of a proxy, which must be the one to hang up


def main() -> None:
    """Serve until SIGTERM or SIGINT, then exit with 0; exit with 1 and the reason where that cannot be."""
    # uvicorn sends itself the signal again once it has stopped: these handlers make that a clean end.
    # They also hold while imports still run, when a container's first process would ignore the signal.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(explain(error))
    uvicorn.run(
        "app.main:app",
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=_logging(settings.log_level),
        log_level=settings.log_level,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _logging(level: str) -> dict[str, Any]:
    """uvicorn's logging, with the service's own messages beside uvicorn's."""
    config = deepcopy(LOGGING_CONFIG)
    config["loggers"]["app"] = {"handlers": ["default"], "level": level.upper(), "propagate": False}
    return config


def _stop(*_: object) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
