import multiprocessing
import os
from pathlib import Path

import pytest

import app.main
from app.__main__ import limit_threads


def test_threads_are_limited_for_each_library(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    for name in names:
        monkeypatch.setenv(name, "64")
    limit_threads(2)
    assert [os.environ[name] for name in names] == ["2"] * 3


@pytest.mark.parametrize("parent", [object(), None])
def test_one_of_several_workers_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path, parent: object
) -> None:
    monkeypatch.setenv("PROPENSE_REGISTRY", str(tmp_path))
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: parent)
    assert app.main.app
    assert ("start more replicas instead" in caplog.text) == bool(parent)
