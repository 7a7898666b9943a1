import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from model.store.registry import Registry
from tests.training.cli.commands import Run, runner
from tests.training.shops import (
    CONTRACT,
    CONTRACT_LOG,
    LOG,
    TABLE,
    Published,
    contract_shop,
    log_shop,
    publish,
    table_shop,
)
from training.fit import distill

torch.set_num_threads(1)  # small networks are quicker so, and a run leaves the machine to others


@pytest.fixture(scope="session", autouse=True)
def real_steps() -> Iterator[int]:
    """Students learn in a tenth of their steps, but in `test_distill`: these are the real ones."""
    with pytest.MonkeyPatch.context() as patch:
        steps = distill.STEPS
        patch.setattr(distill, "STEPS", steps // 10)
        yield steps


@pytest.fixture(scope="session")
def table_model(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A model of a table, not fitted again: the published network is the measured one."""
    return publish(table_shop(tmp_path_factory.mktemp("table")), TABLE, "fit.refit=false")


@pytest.fixture(scope="session")
def log_model(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Likewise of a log with a table beside it."""
    return publish(log_shop(tmp_path_factory.mktemp("log")), LOG, "fit.refit=false")


@pytest.fixture(scope="session")
def contract_model(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Likewise of contracts alone."""
    return publish(contract_shop(tmp_path_factory.mktemp("contract")), CONTRACT, "fit.refit=false")


@pytest.fixture(scope="session")
def contract_log_model(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Likewise of contracts with a log."""
    return publish(contract_shop(tmp_path_factory.mktemp("contract-log")), CONTRACT_LOG, "fit.refit=false")


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
