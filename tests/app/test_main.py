import os

import pytest

from app.__main__ import limit_threads


def test_threads_are_limited_for_each_library(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    for name in names:
        monkeypatch.setenv(name, "64")
    limit_threads(2)
    assert [os.environ[name] for name in names] == ["2"] * 3
