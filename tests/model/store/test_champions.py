"""Promotion and rollback follow a stack, even if writers are killed at any step."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from model.store.champions import read_champion
from model.store.registry import Registry
from tests.model.stored import fill, refusal, with_versions

NEVER = 10_000


class Killed(BaseException):
    """Stands for kill -9."""


@contextmanager
def killed_at(step: int) -> Iterator[None]:
    """Die at the given call of fsync, which every step on the disk makes; later steps do not happen."""
    calls = iter(range(step))

    def fsync(_: int) -> None:
        if next(calls, None) is None:
            raise Killed

    with patch("os.fsync", fsync), suppress(Killed):
        yield


# --- promote and rollback


def test_rollback_goes_back_step_by_step(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 3)
    for version in (3, 1, 1, 2):
        registry.promote("churn", version)
    assert registry.resolve("churn", None) == 2
    assert [Registry(tmp_path).rollback("churn") for _ in range(3)] == [1, 3, 1]
    assert refusal(lambda: registry.rollback("churn")) == (
        "churn had no champion before version 1. To change it, run `propense promote churn VERSION` "
        "with one of [1, 2, 3]."
    )
    assert registry.champion("churn") == 1


def test_publishing_leaves_the_champion_alone(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 2)
    registry.promote("churn", 2)
    registry.publish("churn", fill)
    assert registry.champion("churn") == 2
    assert registry.rollback("churn") == 1


def test_rollback_passes_over_removed_versions(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 3)
    for version in (2, 1, 3):
        registry.promote("churn", version)
    (tmp_path / "churn" / "2").rename(tmp_path / "elsewhere")
    assert registry.rollback("churn") == 1
    assert "had no champion before version 1" in refusal(lambda: registry.rollback("churn"))


def test_a_version_promoted_while_a_reader_looks_is_no_fault(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 1)

    def read_champion_late(home: Path) -> int | None:
        registry.publish("churn", fill, promote=True)
        return read_champion(home)

    with patch("model.store.registry.read_champion", read_champion_late):
        assert registry.champion("churn") == 2


def test_a_champion_may_be_set_by_hand(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 3)
    registry.promote("churn", 2)
    (tmp_path / "churn" / "champion").write_text("3")
    assert registry.champion("churn") == 3
    assert [registry.rollback("churn") for _ in range(2)] == [2, 1]


@pytest.mark.parametrize("text", ["", "latest", "../2", "1 2", "0", "-1", "1.0", "\udcff", "1\0"])
def test_a_champion_that_is_no_number_is_refused_and_mended(tmp_path: Path, text: str) -> None:
    registry = with_versions(tmp_path, 2)
    path = tmp_path / "churn" / "champion"
    path.write_bytes(text.encode(errors="surrogateescape"))
    for act in (lambda: registry.champion("churn"), lambda: registry.rollback("churn")):
        assert refusal(act).startswith(f"{path} must be a version number, got ")
    assert registry.resolve("churn", 2) == 2
    registry.promote("churn", 2)
    assert registry.champion("churn") == 2


def test_a_champion_that_was_removed_is_refused_and_mended(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 3)
    registry.promote("churn", 2)
    (tmp_path / "churn" / "2").rename(tmp_path / "elsewhere")
    assert refusal(lambda: registry.resolve("churn", None)) == (
        "the champion of churn must be one of its versions [1, 3], got 2. "
        "Run `propense promote churn VERSION`."
    )
    registry.promote("churn", 3)
    assert registry.rollback("churn") == 1


def test_the_log_of_champions_stays_short(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 2)
    with killed_at(NEVER):
        for turn in range(120):
            registry.promote("churn", 2 - turn % 2)
    assert len((tmp_path / "churn" / "champions.log").read_text().split()) == 100


# --- kill -9 in theory


def champions_after(
    registry: Registry, name: str, version: int | None, stack: list[int], *, killed: int
) -> list[int]:
    """Promote a version (None: roll back) and die at a step.

    The registry must be in the old state or the new, and the champion tells in which.
    """
    new = stack[:-1] if version is None else stack if version == stack[-1] else [*stack, version]
    with killed_at(killed):
        if version is None:
            assert registry.rollback(name) == new[-1]
        else:
            registry.promote(name, version)
    champion = registry.champion(name)
    assert champion == new[-1] or (champion == stack[-1] and killed < NEVER)
    return new if champion == new[-1] else stack


@pytest.mark.parametrize("second", [1, 3, None])
@pytest.mark.parametrize("first", [1, 3, None])
def test_two_writers_may_die_one_after_the_other(
    tmp_path: Path, first: int | None, second: int | None
) -> None:
    registry, home = Registry(tmp_path), tmp_path / "churn"
    for version in (1, 2, 3):
        (home / str(version)).mkdir(parents=True)
    for one, other in itertools.product(range(8), repeat=2):
        (home / "champion").write_text("2\n")
        (home / "champions.log").write_text("3\n1\n2\n")
        stack = champions_after(registry, "churn", first, [3, 1, 2], killed=one)
        stack = champions_after(registry, "churn", second, stack, killed=other)
        while len(stack) > 1:
            stack = champions_after(registry, "churn", None, stack, killed=NEVER)
        assert "had no champion before" in refusal(lambda: registry.rollback("churn"))


class RegistryMachine(RuleBasedStateMachine):
    """A registry beside the simplest model of it: a count of versions and a stack of champions."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.registry = Registry(Path(self.folder.name))
        self.n_versions = 0
        self.stack: list[int] = []

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(step=st.integers(0, 12))
    def publish(self, step: int) -> None:
        with killed_at(step):
            self.registry.publish("churn", fill)
        n_versions = len(self.registry.versions("churn"))
        assert n_versions in (self.n_versions, self.n_versions + 1)
        if n_versions == 1:
            self.stack = self.stack or [1]
        self.n_versions = n_versions

    @precondition(lambda self: self.n_versions)
    @rule(data=st.data(), step=st.integers(0, 8))
    def promote(self, data: st.DataObject, step: int) -> None:
        version = data.draw(st.integers(1, self.n_versions))
        self.stack = champions_after(self.registry, "churn", version, self.stack, killed=step)

    @precondition(lambda self: len(self.stack) > 1)
    @rule(step=st.integers(0, 8))
    def rollback(self, step: int) -> None:
        self.stack = champions_after(self.registry, "churn", None, self.stack, killed=step)

    @precondition(lambda self: len(self.stack) == 1)
    @rule()
    def rollback_refused(self) -> None:
        assert "had no champion before" in refusal(lambda: self.registry.rollback("churn"))

    @invariant()
    def reads_as_the_model_does(self) -> None:
        assert self.registry.versions("churn") == list(range(1, self.n_versions + 1))
        assert self.registry.champion("churn") == (self.stack[-1] if self.stack else None)


TestRegistryBesideItsModel = RegistryMachine.TestCase
TestRegistryBesideItsModel.settings = settings(stateful_step_count=20)
