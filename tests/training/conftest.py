import shutil
from pathlib import Path

import pytest

from model.store.registry import Registry
from tests.training.cli.commands import Run, runner
from tests.training.shops import Published


@pytest.fixture(scope="session", autouse=True)
def fewer_steps(real_steps: int) -> int:
    """Students of every test here learn in a few steps, but in `test_distill`."""
    return real_steps


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `propense` in this process."""
    return runner(monkeypatch, capsys)


@pytest.fixture
def registry(table_model: Published, log_model: Published, tmp_path: Path) -> Path:
    """`table` in two versions, the first in service, and `log` in one; a copy that may be written to."""
    root = tmp_path / "registry"
    shutil.copytree(log_model.registry, root)
    shutil.copytree(table_model.registry / "table", root / "table")
    Registry(root).publish("table", lambda folder, _: (folder / "as-if").touch())
    return root
