"""What the image, compose.yaml and the README's Kubernetes manifest promise the service, and it them."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from app.access.key_file import change_keys, new_key
from app.score.forms import FORMS
from app.settings import PREFIX, Settings
from tests.app.process import ask, port_of, service, wait_until_ready
from tests.app.toys import TABLE_SCHEMA, TABLE_TASK, publish

ROOT: Final = Path(__file__).resolve().parent.parent
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text()
README: Final = (ROOT / "README.md").read_text()
COMPOSE: Final = yaml.safe_load((ROOT / "compose.yaml").read_text())
SPARE_SECONDS: Final = 4  # that the service takes beyond what its settings grant


def _manifests() -> list[Any]:
    (text,) = re.findall(r"^```yaml\n(# kubernetes\.yaml\n.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return list(yaml.safe_load_all(text))


DEPLOYMENT, SERVICE = _manifests()
POD: Final = DEPLOYMENT["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
OURS: Final = [COMPOSE["services"][name] for name in ("propense", "keys")]


def _instructions(name: str) -> list[str]:
    """The arguments of the Dockerfile's instructions of a name."""
    return re.findall(rf"^{name} (.*)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)


def _image_environment() -> dict[str, str]:
    return dict(word.split("=", 1) for line in _instructions("ENV") for word in shlex.split(line))


def _container_environment() -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in CONTAINER["env"]}


def _settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: Mapping[str, str]
) -> tuple[Settings, Path]:
    """The settings of the image in an environment, and where it has the keys."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    keys = tmp_path / "keys.json"
    change_keys(keys, lambda _: (new_key("web", ("predict",))[0],))
    told = {**_image_environment(), **environment}
    for name, value in told.items():
        if name.startswith(PREFIX):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("PROPENSE_KEYS", str(keys))
    return Settings(), Path(told["PROPENSE_KEYS"])


def _shutdown_seconds(settings: Settings) -> float:
    return settings.drain_seconds + settings.grace_seconds + SPARE_SECONDS


def test_the_service_of_compose_can_start_and_has_time_to_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    composed = COMPOSE["services"]["propense"]
    settings, keys = _settings(monkeypatch, tmp_path, composed["environment"])
    assert float(composed["stop_grace_period"].removesuffix("s")) >= _shutdown_seconds(settings)
    assert composed["ports"][0].endswith(f":{settings.port}")
    registry, key_folder = composed["volumes"]
    assert (registry["target"], registry["read_only"]) == (str(settings.registry), True)
    assert key_folder == f"keys:{keys.parent}:ro"


def test_the_keys_of_compose_are_those_of_its_service() -> None:
    served, tool = OURS
    assert tool["environment"]["PROPENSE_KEYS"] == served["environment"]["PROPENSE_KEYS"]
    assert tool["volumes"] == [served["volumes"][1].removesuffix(":ro")]
    assert tool["entrypoint"] == ["python", "-m", "app.keys"]
    assert tool["image"] == served["image"]


def test_no_container_of_compose_can_write_or_gain_rights() -> None:
    for container in COMPOSE["services"].values():
        assert container["read_only"]
        assert container["cap_drop"] == ["ALL"]
        assert container["security_opt"] == ["no-new-privileges:true"]
    assert OURS[0]["tmpfs"][0].startswith("/tmp:")
    assert set(OURS[0]["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}


def test_prometheus_asks_the_service_with_the_key_that_it_was_given() -> None:
    prometheus = COMPOSE["services"]["prometheus"]
    assert prometheus["profiles"] == ["metrics"]
    (job,) = yaml.safe_load(COMPOSE["configs"][prometheus["configs"][0]["source"]]["content"])[
        "scrape_configs"
    ]
    assert job["static_configs"] == [{"targets": [f"propense:{_image_environment()['PROPENSE_PORT']}"]}]
    (secret,) = prometheus["secrets"]
    assert job["authorization"] == {"credentials_file": f"/run/secrets/{secret}"}
    assert COMPOSE["secrets"][secret]["file"].removeprefix(".") in (ROOT / ".gitignore").read_text().split()


def test_the_pod_can_start_and_has_time_to_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings, keys = _settings(monkeypatch, tmp_path, _container_environment())
    assert POD["terminationGracePeriodSeconds"] >= _shutdown_seconds(settings)
    assert CONTAINER["ports"] == [{"name": "http", "containerPort": settings.port}]
    assert POD["enableServiceLinks"] is False  # a Service of this name would set PROPENSE_PORT to a URL
    mounted = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert mounted == {"registry": str(settings.registry), "keys": str(keys.parent), "tmp": "/tmp"}
    assert [volume["name"] for volume in POD["volumes"]] == list(mounted)


def test_the_pod_runs_as_the_user_of_the_image_and_cannot_write() -> None:
    (user,) = _instructions("USER")
    context, inner = POD["securityContext"], CONTAINER["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == user
    assert context["runAsNonRoot"]
    assert context["fsGroup"] == context["runAsGroup"]  # may read the keys
    assert inner["readOnlyRootFilesystem"]
    assert inner["allowPrivilegeEscalation"] is False
    assert inner["capabilities"] == {"drop": ["ALL"]}


def test_the_service_of_kubernetes_finds_the_pods() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert DEPLOYMENT["spec"]["selector"]["matchLabels"] == labels == SERVICE["spec"]["selector"]
    assert SERVICE["spec"]["ports"][0]["targetPort"] == CONTAINER["ports"][0]["name"]


def test_probes_and_the_images_health_check_are_answered_without_a_key(
    tmp_path: Path,
) -> None:
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
    (instruction,) = _instructions("HEALTHCHECK")
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
    for source in [line.split()[0] for line in _instructions("COPY") if not line.startswith("--from")]:
        assert f"!{source}" in sent


def test_the_settings_in_the_readme_have_their_defaults() -> None:
    told: dict[str, str] = {}
    for names, defaults in re.findall(rf"^\| (`{PREFIX}[^|]*) \| ([^|]*) \|", README, re.MULTILINE):
        told.update(zip(names.split(", "), defaults.split(", "), strict=True))
    expected = {
        f"`{PREFIX}{name.upper()}`": _spelt(field.default) for name, field in Settings.model_fields.items()
    }
    assert told == expected


def _spelt(default: Any) -> str:
    if default is None or default == {}:
        return "-"
    if isinstance(default, bool):
        return "`on`" if default else "`off`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def test_the_readme_tells_the_forms_of_a_file() -> None:
    assert re.findall(r"^\| [\w ]+ \| `(\w+/[\w.-]+)` \|", README, re.MULTILINE) == list(FORMS)


def test_docker_run_waits_for_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings, _ = _settings(monkeypatch, tmp_path, {"PROPENSE_KEYS": "/keys/keys.json"})
    (seconds,) = re.findall(r"--stop-timeout (\d+)", README)
    assert int(seconds) >= _shutdown_seconds(settings)
