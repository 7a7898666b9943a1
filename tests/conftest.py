"""Rules for all tests."""

import os

# Tiny arrays gain nothing from threads, and lose a lot beside other work. Child processes inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The width of a terminal, which pytest-xdist passes on: without it sentences are a line each.
os.environ.pop("COLUMNS", None)

from collections import Counter

import pytest
import torch
from hypothesis import settings

pytest_plugins = ["tests.published"]

# A slow machine is no fault of the code. `make test-heavy` loads the second.
settings.register_profile("some", deadline=None, max_examples=25)
settings.register_profile("many", deadline=None, max_examples=500)
settings.load_profile("some")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort files: those of a test marked `long`, then those of many tests; so no core is idle at the end."""
    size = Counter(item.path for item in items)
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: (item.path not in long, -size[item.path]))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests marked `gpu` where there is no cuda device."""
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a cuda device, which torch does not find here")
