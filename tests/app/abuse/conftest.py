import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.app.process import port_of, service, wait_until_ready
from tests.app.toys import LOG_SCHEMA, LOG_TASK, TABLE_SCHEMA, TABLE_TASK, publish


@dataclass(frozen=True)
class Target:
    """A running service. `log` grows while it runs."""

    port: int
    pid: int
    log: list[str]


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry in which everything is in order."""
    root = tmp_path_factory.mktemp("sound")
    publish(root, "churn", TABLE_SCHEMA, TABLE_TASK)
    publish(root, "churn", TABLE_SCHEMA, TABLE_TASK, seed=1)
    publish(root, "purchase", LOG_SCHEMA, LOG_TASK)
    return root


@pytest.fixture(scope="session")
def target(sound: Path) -> Iterator[Target]:
    """The service over `sound`, which must outlive all that is done to it."""
    patience = {"body_seconds": "1", "header_seconds": "1", "drain_seconds": "0", "watch_seconds": "0"}
    with service(registry=str(sound), port="0", log_format="json", **patience) as process:
        target = Target(port_of(process), process.pid, [])
        assert process.stderr
        reading = threading.Thread(target=target.log.extend, args=(process.stderr,))
        reading.start()  # a full pipe would stop the service
        wait_until_ready(target.port)
        yield target
        assert process.poll() is None
        process.terminate()
        assert process.wait(10) == 0
        reading.join()
