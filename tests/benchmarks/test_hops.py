"""What `make hops` records, and that it follows every way."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.hops.__main__ import main, rooms
from tests.benchmarks.hops.record import Recorder

# A process that starts another, as the service does for files.
PARENT = """\
import subprocess, sys
from model.task import LogTask
from model.times import format_instant
format_instant(0)
child = "from model.times import to_datetime; to_datetime(0)"
subprocess.run([sys.executable, "-c", child], check=True)
"""


def test_calls_of_a_process_and_its_children_are_recorded_but_not_its_imports(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "log")
    command = [sys.executable, "-c", PARENT]
    hops = recorder.hops(lambda: subprocess.run(command, env=recorder.environment(), check=True))
    assert hops.files == ("model/times.py",)  # importing model.task runs code of its own
    assert hops.functions > 2
    assert hops.moves == 0


def test_the_lines_of_all_rooms_are_added_up() -> None:
    *each, (_, n_files, n_lines) = rooms()
    assert (n_files, n_lines) == (sum(files for _, files, _ in each), sum(lines for *_, lines in each))
    assert {name: files > 0 for name, files, _ in each} == dict.fromkeys([name for name, *_ in each], True)


@pytest.mark.heavy
def test_the_command_follows_every_way(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--files"])
    printed = capsys.readouterr().out
    ways = re.findall(r"^(POST|/score|train).* +(\d+) +(\d+) +([\d,]+)$", printed, re.MULTILINE)
    assert [name for name, *_ in ways] == ["POST", "POST", "/score", "train"]
    assert all(int(files) > 5 for _, files, *_ in ways)
    assert "  training/publish/publish.py\n" in printed
