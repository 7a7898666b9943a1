"""`python -m app`: the service, with the settings of the environment."""

import os
import signal
import sys
from typing import Final

from pydantic import ValidationError

from app.observe.logs import logging_config
from app.settings import Settings, explain
from model.errors import PropenseError, redacted

# Each is read once, when the library is first imported.
_THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    """Serve until SIGTERM or SIGINT. Exit with 0 then, or with 1 and the reason if the start fails."""
    # Handled from here on: the first process of a container would ignore these signals while it imports.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(redacted(explain(error)))
    limit_threads(settings.threads)
    try:
        serve(settings)
    except (PropenseError, OSError) as error:
        sys.exit(redacted(str(error)))


def serve(settings: Settings, app: str = "app.main:app") -> None:
    """Serve an ASGI application, named by module and name, as the settings say. See `app.server.run`."""
    from app.server.run import run  # imports uvicorn, and later torch: after `limit_threads`
    from app.server.state import Timeouts

    addresses = [(settings.host, settings.port)]
    if settings.admin_port is not None:
        addresses.append((settings.admin_host, settings.admin_port))
    run(
        app,
        addresses,
        timeouts=Timeouts(settings.header_seconds, settings.body_seconds, settings.send_seconds),
        max_connections=settings.max_connections,
        drain_s=settings.drain_seconds,
        grace_s=settings.grace_seconds,
        log_config=logging_config(settings.log_level, settings.log_format),
    )


def limit_threads(n: int) -> None:
    """Have BLAS and OpenMP start N threads. Call it before numpy or torch is imported."""
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(n)))


def _stop(*_: object) -> None:
    os._exit(0)  # a library that is being imported could swallow SystemExit


if __name__ == "__main__":
    main()
