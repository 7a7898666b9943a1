"""Rules for all tests."""

from collections import Counter

import pytest
import torch
from hypothesis import settings

pytest_plugins = ["tests.published"]

# A slow machine is no fault of the code.
settings.register_profile("propense", deadline=None)
settings.load_profile("propense")

# Tiny tensors gain nothing from threads, and lose a lot beside other work.
torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort files: those of a test marked `long`, then those of many tests; so no core is idle at the end."""
    size = Counter(item.path for item in items)
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: (item.path not in long, -size[item.path]))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests marked `gpu` where there is no cuda device."""
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a cuda device, which torch does not find here")
