"""The README's own commands, study and code, run in order as its reader would."""

import argparse
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from app.routes.score import ANY_FORM, SUFFIXES
from app.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(sh|yaml|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
URL = "http://127.0.0.1:8123"


def blocks() -> list[tuple[str, str]]:
    return BLOCK.findall(README)


@pytest.mark.long
def test_every_block_of_the_readme_works_in_order(tmp_path: Path) -> None:
    """Long-running commands (`&`) are ended by their pid, where the README says `kill %1`."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path}
    services: list[subprocess.Popen[bytes]] = []
    try:
        for language, text in blocks():
            if language == "yaml":
                (tmp_path / text.split("\n", 1)[0].removeprefix("# ")).write_text(text)
            elif language == "python":
                asks = "urllib" in text
                if asks:
                    _wait_until_ready()
                answer = subprocess.run(
                    [sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=True
                )
                assert (
                    "'model': 'cancel', 'version': 2" in answer.stdout or not asks
                )  # of an equal, retrained
                assert ("'horizons': {'30': 0." if asks else "reason_1") in answer.stdout
            elif text.startswith("curl "):
                scored, refused = map(json.loads, _curl(text, tmp_path).splitlines())
                assert (scored["error"], refused["probability"]) == (None, None)
                assert f'"error":"{refused["error"]}"' in README
            elif text.strip() == "kill %1":
                services[0].send_signal(signal.SIGTERM)
                assert services[0].wait(timeout=60) == 0
            elif text.strip().endswith("&"):
                command = text.strip().removesuffix("&").split()
                services.append(subprocess.Popen(command, cwd=tmp_path, env=environment))
            else:
                ran = subprocess.run(
                    ["bash", "-ec", text], cwd=tmp_path, env=environment, capture_output=True, text=True
                )
                assert ran.returncode == 0, f"{text}\n{ran.stderr}"
    finally:
        for service in services:
            service.kill()
            service.wait()
    header = (tmp_path / "scores.csv").read_text().split("\n", 1)[0]
    assert (
        header
        == "customer_id,probability,probability_30d,probability_90d,eligible,not_eligible_because,error"
    )
    assert (tmp_path / "registry/cancel/1/report.html").exists()


def test_no_placeholder_is_left() -> None:
    assert not re.findall(r"^[A-Z]{3,}$", README, re.MULTILINE)


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md"])
def test_the_make_targets_of_a_document_exist(file: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make ([\w-]+)|`make ([\w-]+)", (ROOT / file).read_text(), re.MULTILINE):
        assert re.search(rf"^{''.join(target)}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md"])
def test_every_path_of_a_document_exists(file: str) -> None:
    text = (ROOT / file).read_text()
    links = re.findall(r"\]\((?!http|#)([^)]+)\)", text)
    paths = re.findall(r"`((?:app|model|training|configs|deploy|tests|\.ci)/[\w./-]*)`", text)
    missing = [path for path in (*links, *paths) if not (ROOT / path).exists()]
    assert not missing, missing


def test_every_folder_is_on_the_map_of_contributing() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    folders = {file.parent for room in ("app", "model", "training") for file in (ROOT / room).glob("*/*.py")}
    assert not [folder for folder in folders if f"`{folder.relative_to(ROOT)}/`" not in text]


def test_every_file_of_the_readmes_rooms_exists() -> None:
    for room, files in re.findall(r"^\| `(\w+)/` \|[^|]*\|([^|]*)\|$", README, re.MULTILINE):
        for file in re.findall(r"`([\w./]+)`", files):
            assert (ROOT / room / file).exists(), f"{room}/{file}"


def test_the_settings_of_the_readme_have_their_defaults() -> None:
    listed: dict[str, str] = {}
    for names, defaults in re.findall(rf"^\| (`{PREFIX}[^|]*) \| ([^|]*) \|", README, re.MULTILINE):
        listed.update(zip(names.split(", "), defaults.split(", "), strict=True))
    expected = {f"`{PREFIX}{n.upper()}`": _spelt(field.default) for n, field in Settings.model_fields.items()}
    assert listed == expected


def _spelt(default: Any) -> str:
    if default in (None, {}, frozenset()):
        return "-"
    if isinstance(default, bool):
        return "`on`" if default else "`off`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def test_the_readme_lists_the_forms_of_a_file() -> None:
    assert re.findall(r"^\| [\w ]+ \| `(\w+/[\w.-]+)` \|", README, re.MULTILINE) == [*SUFFIXES, ANY_FORM]


def _curl(command: str, folder: Path) -> bytes:
    """What curl receives, which not every machine has."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    for option in ("--request", "--upload-file"):
        parser.add_argument(option)
    parser.add_argument("--header", type=lambda header: header.split(": ", 1))
    given = parser.parse_args(shlex.split(command.replace("\\\n", " "))[1:])
    body, headers = (folder / given.upload_file).read_bytes(), dict([given.header])
    request = urllib.request.Request(given.url, body, headers, method=given.request)
    with urllib.request.urlopen(request, timeout=60) as answer:
        received: bytes = answer.read()
    return received


def _wait_until_ready() -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{URL}/health/ready", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the service was not ready within 60 s")
