"""`propense serve`: the service of the installed package, in the process of the command."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import app.__main__ as service
from tests.app.process import ask, port_of, wait_until_ready
from tests.training.cli.commands import Run


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The service's settings at the moment it would start."""
    seen: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", {k: v for k, v in os.environ.items() if not k.startswith("PROPENSE_")})
    monkeypatch.setattr(service, "main", lambda: seen.update(os.environ))
    return seen


def test_options_become_the_service_s_settings(run: Run, registry: Path, environment: dict[str, str]) -> None:
    ran = run("serve", "--registry", registry, "--host", "0.0.0.0", "--port", 1234, "--json")
    assert (ran.status, ran.told) == (0, {"url": "http://0.0.0.0:1234", "models": ["log", "table"]})
    settings = {"HOST": "0.0.0.0", "PORT": "1234", "REGISTRY": str(registry)}
    assert environment.items() >= {f"PROPENSE_{name}": value for name, value in settings.items()}.items()


def test_environment_variables_hold_where_no_option_is_given(
    run: Run, registry: Path, environment: dict[str, str]
) -> None:
    os.environ |= {"PROPENSE_HOST": "0.0.0.0", "PROPENSE_PORT": "9000"}
    assert run("serve", "--registry", registry, "--json").told["url"] == "http://0.0.0.0:9000"
    assert run("serve", "--registry", registry, "--port", 1, "--json").told["url"] == "http://0.0.0.0:1"
    assert environment["PROPENSE_PORT"] == "1"


def test_python_files_in_the_current_folder_are_not_the_service(registry: Path, tmp_path: Path) -> None:
    for name in ("app.py", "model.py", "training.py", "propense.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong file ran')\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(Path(sys.executable).with_name("propense"))
    command = [program, "serve", "--registry", str(registry), "--port", str(port)]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PROPENSE_")}
    with subprocess.Popen(command, cwd=tmp_path, env=inherited, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert port_of(process) == port
            wait_until_ready(port)
            assert ask(port, "/v1/models").status == 200
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()
