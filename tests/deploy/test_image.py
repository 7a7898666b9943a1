"""The Dockerfile: what it installs, copies and runs."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from app.access.key_file import change_keys, new_key
from tests.app.process import ask, port_of, service, wait_until_ready
from tests.app.toys import TABLE_SCHEMA, TABLE_TASK, publish
from tests.deploy.files import DOCKERFILE, README, ROOT, instructions, settings_in, shutdown_seconds
from tests.deploy.test_kubernetes import CONTAINER


def test_probes_and_the_health_check_need_no_key(tmp_path: Path) -> None:
    publish(tmp_path / "registry", "churn", TABLE_SCHEMA, TABLE_TASK)
    keys = tmp_path / "keys.json"
    change_keys(keys, lambda _: (new_key("web", ("predict",))[0],))
    paths = {CONTAINER[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "readiness", "liveness")}
    settings = {"registry": str(tmp_path / "registry"), "port": "0", "keys": str(keys), "drain_seconds": "0"}
    with service(**settings) as process:
        port = port_of(process)
        wait_until_ready(port)
        assert {path: ask(port, path).status for path in paths} == dict.fromkeys(paths, 200)
        assert ask(port, "/v1/models").status == 401
        assert _health_check(port) == 0
        process.terminate()
        process.wait(10)
    assert _health_check(port) != 0


def _health_check(port: int) -> int:
    (instruction,) = instructions("HEALTHCHECK")
    python, *words = json.loads(instruction.partition(" CMD ")[2])
    assert python == "python"
    environment = {**os.environ, "PROPENSE_PORT": str(port)}
    return subprocess.run([sys.executable, *words], env=environment, capture_output=True).returncode


def test_the_image_installs_the_dependencies_and_the_extras_that_are_named() -> None:
    (command,) = re.findall(r'python -c ("import sys, tomllib.*?") \$\{EXTRAS\}', DOCKERFILE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    words = [sys.executable, "-c", *shlex.split(command), "otel"]
    printed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert printed == project["dependencies"] + project["optional-dependencies"]["otel"]


def test_what_the_image_copies_is_sent_to_its_builder() -> None:
    sent = (ROOT / ".dockerignore").read_text().split()
    for source in [line.split()[0] for line in instructions("COPY") if not line.startswith("--from")]:
        assert f"!{source}" in sent


def test_docker_run_waits_for_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings, _ = settings_in({"PROPENSE_KEYS": "/keys/keys.json"}, monkeypatch, tmp_path)
    (seconds,) = re.findall(r"--stop-timeout (\d+)", README)
    assert int(seconds) >= shutdown_seconds(settings)
