"""A service that looks at its registry all the time, for tests that change it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.settings import Settings
from model.store.checkpoint import Checkpoint, read_checkpoint
from tests.app.client import Client, running

ASK: dict[str, Any] = {"as_of": "1997-12-31", "customers": [{"Total Charges": 3}]}
SOON = 5.0  # seconds after which what should have come is taken not to come


@contextmanager
def service(registry: Path, **settings: Any) -> Iterator[Client]:
    """A client of the service, which looks at its registry all the time."""
    app = create_app(Settings(registry=registry, **{"watch_seconds": 0.01, **settings}))
    with running(app) as client:
        yield client.wait_until_loaded()


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that comes soon."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() < started + SOON, "it did not come"
        time.sleep(0.005)


def answers(client: Client, version: int) -> bool:
    return bool(client.predict("churn", ASK).json()["version"] == version)


def churn(client: Client) -> tuple[Any, Any, Any]:
    """What the registry wants, what answers, and why that differs."""
    told = client.get("/v1/models/churn").json()
    return told["champion"], told["serving"], told.get("reason")


def damage(registry: Path, version: int) -> bytes:
    """Cut off the end of a version's weights, which are returned."""
    path = registry / "churn" / str(version) / "weights.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    return whole


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions that are read from now on."""
    read: list[int] = []

    def note_and_read(folder: Path, *, name: str, version: int) -> Checkpoint:
        read.append(version)
        return read_checkpoint(folder, name=name, version=version)

    monkeypatch.setattr("app.versions.loader.read_checkpoint", note_and_read)
    return read
