"""`python -m app`: the service, with the settings of the environment."""

import os
import signal
import sys

from pydantic import ValidationError

from app.observe.logs import logging_config
from app.observe.shared import shared_metrics
from app.server.cpus import limit_threads
from app.settings import Settings, explain
from model.errors import PropenseError


def main() -> None:
    """Serve until SIGTERM or SIGINT, then exit with 0; exit with 1 and the reason where that cannot be."""
    # While imports still run: the first process of a container would ignore the signals otherwise.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(explain(error))
    limit_threads(settings.threads)
    try:
        with shared_metrics(settings.workers):
            from app.server.run import run  # what it imports looks for the two lines above

            run(settings, logging_config(settings.log_level, settings.log_format))
    except (PropenseError, OSError) as error:
        sys.exit(str(error))


def _stop(*_: object) -> None:
    os._exit(0)  # SystemExit can be lost in a library that is just being imported


if __name__ == "__main__":
    main()
