"""Sections of RESULTS.md come and go one by one."""

import re
from pathlib import Path

import pytest

from tests.benchmarks.results import HEADER, machine, write_section


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "RESULTS.md"


def _write(path: Path, name: str, line: str) -> None:
    write_section(name, name.title(), [line], ["numpy", "no-such-package"], command=f"make {name}", path=path)


def test_a_first_section_says_what_when_and_where(path: Path) -> None:
    _write(path, "speed", "| 1 |")
    text = path.read_text()
    assert text.startswith(HEADER)
    assert re.search(r"## Speed\n\n`make speed`\n\n\d{4}-\d\d-\d\d on ", text)
    assert machine() in text
    assert re.search(r"Python 3\.\d+\.\d+, numpy \d\S+, no-such-package not installed\.\n\n\| 1 \|\n", text)


def test_a_section_is_replaced_where_it_stands(path: Path) -> None:
    _write(path, "speed", "| 1 |")
    _write(path, "quality", "| 2 |")
    _write(path, "speed", "| 3 |")
    text = path.read_text()
    assert "| 1 |" not in text
    assert text.index("| 3 |") < text.index("## Quality") < text.index("| 2 |")
    assert text.count("## Speed") == text.count("## Quality") == 1


def test_writing_again_changes_nothing(path: Path) -> None:
    _write(path, "speed", "| 1 |")
    _write(path, "quality", "| 2 |")
    before = path.read_text()
    _write(path, "quality", "| 2 |")
    _write(path, "speed", "| 1 |")
    assert path.read_text() == before


def test_the_machine_has_cores_and_memory() -> None:
    assert re.fullmatch(r"[1-9]\d* cores of .+, [1-9]\d* GB", machine())
