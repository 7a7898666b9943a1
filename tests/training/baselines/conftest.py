from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small fits are quicker so, and leave the machine to others."""
    with threadpool_limits(limits=1):
        yield
