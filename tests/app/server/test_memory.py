import gc
import weakref
from collections.abc import Iterator

import pytest

from app.server.memory import settle


@pytest.fixture(autouse=True)
def _own_collector() -> Iterator[None]:
    """Leaves the collector as it was."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    gc.unfreeze()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class Model:
    """Refers to itself, as classes do that are made for a model."""

    def __init__(self) -> None:
        self.self = self


def test_what_lives_from_the_start_is_set_aside() -> None:
    started = Model()
    settle()
    assert gc.get_freeze_count() > 1000
    assert not any(each is started for each in gc.get_objects())
    assert gc.get_threshold() == (20_000, 50, 100)


def test_a_model_that_was_loaded_later_goes_once_it_is_replaced() -> None:
    settle()
    model = Model()
    gone = weakref.ref(model)
    settle()  # as by a second app in the same process
    del model
    gc.collect()
    assert gone() is None
