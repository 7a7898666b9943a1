"""The `propense` command as tests run it, in this process or in one of its own."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.training.shops import SMALL
from training.cli import main as cli

SETTINGS: Final = [word for setting in SMALL for word in ("--set", setting)]


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def told(self) -> dict[str, Any]:
        """Standard output as the one JSON object that it must be."""
        told = json.loads(self.out)
        assert isinstance(told, dict)
        return told

    @property
    def cells(self) -> list[list[str]]:
        """The rows of the tables on standard output, but those of the columns."""
        return _cells(self.out.partition("\nColumns\n")[0])

    @property
    def columns(self) -> list[list[str]]:
        """The rows of the table of columns."""
        return _cells(self.out.partition("\nColumns\n")[2])


def _cells(text: str) -> list[list[str]]:
    lines = [line.split("│")[1:-1] for line in text.splitlines() if "│" in line]
    return [[cell.strip() for cell in line] for line in lines]


Run = Callable[..., Ran]


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs commands in this process."""

    def run(*words: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["propense", *map(str, words)])
        status: Any = 0
        try:
            cli.command()
        except SystemExit as left:
            status = left.code
        return Ran(status, *capsys.readouterr())

    return run


def in_a_process(folder: Path, *words: object) -> Ran:
    """A run of the installed command in a process of its own."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("propense"), *map(str, words)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)
