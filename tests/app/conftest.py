from collections.abc import Iterator
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.client import Client, running
from tests.app.toys import LOG_SCHEMA, LOG_TASK, TABLE_SCHEMA, TABLE_TASK, publish


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`churn`, of a table, in two versions; `purchase`, of a log; `broken`, whose weights are damaged."""
    root = tmp_path_factory.mktemp("registry")
    publish(root, "churn", TABLE_SCHEMA, TABLE_TASK)
    publish(root, "churn", TABLE_SCHEMA, TABLE_TASK, seed=1)
    publish(root, "purchase", LOG_SCHEMA, LOG_TASK)
    publish(root, "broken", TABLE_SCHEMA, TABLE_TASK)
    weights = root / "broken" / "1" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    return root


@pytest.fixture
def three_versions(tmp_path: Path) -> Path:
    """A registry with three versions of `churn`, to be changed by the test; a thread scores them."""
    for seed in range(3):
        publish(tmp_path, "churn", TABLE_SCHEMA, TABLE_TASK, seed=seed, head="cnn")
    return tmp_path


@pytest.fixture(scope="session")
def client(registry: Path) -> Iterator[Client]:
    """A client of the service over `registry`, with small limits; what never changes is not watched."""
    settings = Settings(registry=registry, max_rows=2_000, max_body_bytes=200_000, watch_seconds=0)
    with running(create_app(settings)) as client:
        yield client.wait_until_loaded()
