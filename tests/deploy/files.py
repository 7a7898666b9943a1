"""The files that deploy the service, and the settings that it gets from them."""

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from app.access.key_file import change_keys, new_key
from app.settings import PREFIX, Settings

ROOT: Final = Path(__file__).resolve().parents[2]
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text()
README: Final = (ROOT / "README.md").read_text()
NGINX: Final = (ROOT / "configs" / "deploy" / "nginx.conf").read_text()
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())
MANIFESTS: Final[list[Any]] = list(
    yaml.safe_load_all((ROOT / "configs" / "deploy" / "kubernetes.yaml").read_text())
)
SPARE_SECONDS: Final = 4  # that the service takes beyond its drain and grace


def instructions(name: str) -> list[str]:
    """Return the arguments of the Dockerfile's instructions of a name."""
    return re.findall(rf"^{name} (.*)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)


def image_environment() -> dict[str, str]:
    """Return the environment variables that the image sets."""
    return dict(word.split("=", 1) for line in instructions("ENV") for word in shlex.split(line))


def settings_in(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> tuple[Settings, Path]:
    """Return the settings of the image in an environment, and the path of its keys there."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    keys = tmp_path / "keys.json"
    change_keys(keys, lambda _: (new_key("web", ("predict",))[0],))
    variables = {**image_environment(), **environment}
    for name, value in variables.items():
        if name.startswith(PREFIX):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("PROPENSE_KEYS", str(keys))
    return Settings(), Path(variables["PROPENSE_KEYS"])


def shutdown_seconds(settings: Settings) -> float:
    """Return the longest time from SIGTERM to the end of the process."""
    return settings.drain_seconds + settings.grace_seconds + SPARE_SECONDS
