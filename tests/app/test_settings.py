import os
from pathlib import Path

import pytest
from pydantic import ValidationError

import app.main
import app.settings
from app.settings import Settings, explain


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PROPENSE_")]:
        monkeypatch.delenv(name)


def reasons(**given: object) -> str:
    with pytest.raises(ValidationError) as error:
        Settings(**given)  # type: ignore[arg-type]
    return explain(error.value)


def test_defaults_need_no_environment() -> None:
    settings = Settings()
    assert (settings.registry, settings.host, settings.port) == (Path("registry"), "127.0.0.1", 8000)
    assert (settings.device, settings.threads, settings.log_level) == ("cpu", 1, "info")
    assert (settings.max_rows, settings.max_body_bytes, settings.max_waiting) == (10_000, 16 * 2**20, 1024)


def test_the_environment_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"REGISTRY": "/models", "PORT": "0", "DEVICE": "auto", "THREADS": "2"}.items():
        monkeypatch.setenv(f"PROPENSE_{name}", value)
    settings = Settings()
    assert (settings.registry, settings.port, settings.device, settings.threads) == (
        Path("/models"),
        0,
        "auto",
        2,
    )


def test_workers_are_refused_with_what_to_do_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROPENSE_WORKERS", "2")
    assert reasons() == (
        "PROPENSE_WORKERS is not a setting; a service is one process: start more replicas instead"
    )


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("PROPENSE_REGISTY", "PROPENSE_REGISTRY"), ("propense_max_row", "PROPENSE_MAX_ROWS")],
)
def test_an_unknown_variable_is_refused_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, name: str, nearest: str
) -> None:
    monkeypatch.setenv(name, "x")
    assert reasons() == f"{name} is not a setting; did you mean {nearest}?"


def test_a_bad_value_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROPENSE_PORT", "eighty")
    monkeypatch.setenv("PROPENSE_DEVICE", "tpu")
    port, device = reasons().splitlines()
    assert port.startswith("PROPENSE_PORT: Input should be a valid integer")
    assert device == 'PROPENSE_DEVICE: must be auto, cpu, mps, cuda or cuda:N, got "tpu"'


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]


def test_the_app_is_made_from_the_environment_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROPENSE_REGISTRY", "/no/such/folder")
    assert app.main.app.title == "Propense"
    with pytest.raises(AttributeError, match=r"module 'app\.main' has no attribute 'nothing'"):
        _ = app.main.nothing


def test_allowed_hosts_are_names_with_commas_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROPENSE_ALLOWED_HOSTS", "Models.example, 10.1.2.3,")
    assert Settings().allowed_hosts == {"models.example", "10.1.2.3"}
    monkeypatch.setenv("PROPENSE_ALLOWED_HOSTS", "http://models.example")
    assert reasons() == (
        "PROPENSE_ALLOWED_HOSTS: must be names of hosts, without a port, with commas between, or *, "
        "got 'http://models.example'"
    )
