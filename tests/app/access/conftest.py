from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.access.key_file import Key, change_keys, new_key
from app.main import create_app
from app.settings import Settings
from tests.app.client import Client, running


@dataclass(frozen=True)
class KeyTexts:
    """The texts of the keys in a file, and the file."""

    file: Path
    predict: str
    admin: str
    expired: str
    wrong: str


def put(file: Path, *keys: Key) -> None:
    change_keys(file, lambda _: keys)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyTexts:
    """A key of each scope, one that has expired, and one that is not in the file."""
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    predict, predict_text = new_key("web", ("predict",))
    admin, admin_text = new_key("ops", ("admin",))
    expired, expired_text = new_key("old", ("predict", "admin"), expires=datetime(2020, 1, 1, tzinfo=UTC))
    put(file, predict, admin, expired)
    wrong = predict_text[:-1] + ("A" if predict_text[-1] != "A" else "B")
    return KeyTexts(file, predict_text, admin_text, expired_text, wrong)


@pytest.fixture(scope="session")
def keyed(registry: Path, keys: KeyTexts) -> Iterator[Client]:
    """A client of a service with keys, open to other machines."""
    settings = Settings(registry=registry, keys=keys.file, host="0.0.0.0", watch_seconds=0)
    with running(create_app(settings)) as client:
        yield client.wait_until_loaded()
