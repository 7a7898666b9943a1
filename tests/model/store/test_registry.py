"""The registry shows complete versions only, and names those that exist."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from model.errors import CheckpointError
from model.store.checkpoint import read_checkpoint, write_checkpoint
from model.store.registry import Registry
from tests.model.build import tiny_manifest
from tests.model.stored import fill, is_whole, refusal, with_versions

# --- publish


def test_versions_count_up_and_the_first_is_champion(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "deep" / "registry")
    assert [registry.publish("churn", fill) for _ in range(3)] == [1, 2, 3]
    assert registry.publish("purchase", fill) == 1
    assert registry.names() == ["churn", "purchase"]
    assert registry.versions("churn") == [1, 2, 3]
    assert registry.champion("churn") == 1
    assert (registry.root / "churn" / "champion").read_text() == "1\n"
    assert registry.folder("churn", 2) == registry.root / "churn" / "2"
    assert all(is_whole(registry.folder("churn", version)) for version in (1, 2, 3))


def test_versions_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    assert with_versions(tmp_path, 11).versions("churn") == list(range(1, 12))


def test_a_first_version_may_be_kept_out_of_service(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.publish("churn", fill, promote=False)
    registry.publish("churn", fill, promote=False)
    assert registry.champion("churn") is None
    assert refusal(lambda: registry.resolve("churn", None)) == (
        "churn has no champion. Run `propense promote churn VERSION` with one of [1, 2]."
    )
    assert registry.resolve("churn", 1) == 1
    assert [registry.publish("churn", fill, promote=promote) for promote in (None, None, True)] == [3, 4, 5]
    assert registry.champion("churn") == 5
    assert registry.rollback("churn") == 3


def test_a_real_checkpoint_is_published_and_read(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.publish("churn", lambda folder, v: write_checkpoint(folder, tiny_manifest("churn", v), {}, {}))
    folder = registry.folder("churn", registry.resolve("churn", None))
    assert read_checkpoint(folder, name="churn", version=1).manifest.version == 1


def test_nothing_shows_before_the_version_is_whole(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 1)

    def look(folder: Path, version: int) -> None:
        fill(folder, version)
        assert registry.versions("churn") == [1]
        assert folder.parent == tmp_path / "churn"

    assert registry.publish("churn", look) == 2


def test_a_version_and_the_way_to_it_are_put_on_the_disk(tmp_path: Path) -> None:
    synced: set[int] = set()
    with patch("os.fsync", lambda descriptor: synced.add(os.fstat(descriptor).st_ino)):
        with_versions(tmp_path, 1)
    home = tmp_path / "churn"
    for path in (tmp_path, home, home / "1", home / "champion", home / "champions.log"):
        assert path.stat().st_ino in synced


@pytest.mark.parametrize("fault", [RuntimeError("no"), KeyboardInterrupt(), CheckpointError("no")])
@pytest.mark.parametrize("before", [0, 2])
def test_a_publish_that_fails_leaves_nothing(tmp_path: Path, fault: BaseException, before: int) -> None:
    registry = with_versions(tmp_path, before)

    def fail(folder: Path, version: int) -> None:
        fill(folder, version)
        raise fault

    (tmp_path / "churn").mkdir(exist_ok=True)
    listed = set(os.listdir(tmp_path / "churn")) | {".lock"}  # noqa: PTH208
    with pytest.raises(type(fault)):
        registry.publish("churn", fail)
    assert set(os.listdir(tmp_path / "churn")) == listed  # noqa: PTH208
    assert registry.names() == (["churn"] if before else [])
    assert registry.publish("churn", fill) == before + 1


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    def fail(folder: Path, version: int) -> None:
        fill(folder, version)
        raise OSError(errno.ENOSPC, "No space left on device")

    text = refusal(lambda: Registry(tmp_path).publish("churn", fail))
    assert text == f"{tmp_path / 'churn'} cannot be changed: [Errno 28] No space left on device"
    assert [path.name for path in (tmp_path / "churn").iterdir()] == [".lock"]


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    text = refusal(lambda: Registry(tmp_path / "file").publish("churn", fill))
    assert text.startswith(f"{tmp_path / 'file' / 'churn'} cannot be changed: ")


def test_what_a_dead_publisher_left_is_passed_over_then_swept(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 1)
    leftovers = [tmp_path / "churn" / ".tmp-dead", tmp_path / "purchase" / ".tmp-dead"]
    for folder in leftovers:
        folder.mkdir(parents=True)
        fill(folder, 2)
    (tmp_path / "purchase" / "champion").write_text("1\n")  # killed just before its first version showed
    assert registry.names() == ["churn"]
    assert registry.versions("churn") == [1]
    assert registry.champion("purchase") is None
    assert registry.publish("churn", fill) == 2
    assert registry.publish("purchase", fill, promote=False) == 1
    assert not any(folder.exists() for folder in leftovers)
    assert registry.champion("purchase") is None


def test_foreign_entries_are_neither_models_nor_versions(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 1)
    (tmp_path / "notes").write_text("a file")
    (tmp_path / "alias").symlink_to(tmp_path / "churn")
    (tmp_path / "Upper" / "1").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    for entry in ("0", "01", "1a", "-1", "1.0", "9999999999", "\uff12"):
        (tmp_path / "churn" / entry).mkdir()
    (tmp_path / "churn" / "7").write_text("a file")
    (tmp_path / "churn" / "8").symlink_to(tmp_path / "churn" / "1")
    assert registry.names() == ["churn"]
    assert registry.versions("churn") == [1]
    assert "has no version 8; it has [1]" in refusal(lambda: registry.folder("churn", 8))


# --- names and versions


def every_method(registry: Registry, name: Any) -> list[Callable[[], object]]:
    return [
        lambda: registry.versions(name),
        lambda: registry.champion(name),
        lambda: registry.resolve(name, None),
        lambda: registry.folder(name, 1),
        lambda: registry.publish(name, fill),
        lambda: registry.promote(name, 1),
        lambda: registry.rollback(name),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../churn",
        "churn/1",
        "/churn",
        "%2e%2e",
        "churn\0",
        "churn\n",
        " churn",
        "Churn",
        "1churn",
    ]
    + ["-churn", "chürn", "churn_2", "c" * 64, None, 1, b"churn"],
)
def test_a_name_out_of_the_pattern_never_becomes_a_path(tmp_path: Path, name: Any) -> None:
    registry = with_versions(tmp_path / "registry", 1)
    for act in every_method(registry, name):
        assert refusal(act) == (
            f"a model's name must be a letter a-z, then up to 62 of a-z, 0-9 and -, got {name!r}"
        )
    assert [path.name for path in tmp_path.iterdir()] == ["registry"]
    assert [path.name for path in registry.root.iterdir()] == ["churn"]


@pytest.mark.parametrize("name", ["c", "churn-2", "c" * 63])
def test_a_name_in_the_pattern_is_taken(tmp_path: Path, name: str) -> None:
    assert with_versions(tmp_path, 1, name).names() == [name]


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", "1 ", "../1", "champion", 10**9, b"1"])
def test_a_version_that_is_not_a_whole_number_never_becomes_a_path(tmp_path: Path, version: Any) -> None:
    registry = with_versions(tmp_path, 1)
    acts = (registry.resolve, registry.folder, registry.promote)
    for act in acts:
        text = refusal(lambda act=act: act("churn", version))  # type: ignore[misc]
        assert text == f"a version must be a whole number from 1 on, got {version!r}"


def test_an_unknown_model_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 1)
    with_versions(tmp_path, 1, "purchase")
    for act in (registry.resolve, registry.folder):
        assert refusal(lambda act=act: act("chrun", 1)) == (  # type: ignore[misc]
            f"the registry {tmp_path} has no model chrun; it has churn, purchase; did you mean churn?"
        )
    assert refusal(lambda: registry.promote("zzz", 1)) == (
        f"the registry {tmp_path} has no model zzz; it has churn, purchase"
    )
    assert refusal(lambda: registry.rollback("zzz")).endswith("it has churn, purchase")
    assert not (tmp_path / "zzz").exists()
    assert (registry.versions("zzz"), registry.champion("zzz")) == ([], None)


def test_an_unknown_version_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 2)
    for act in (registry.resolve, registry.folder, registry.promote):
        assert refusal(lambda act=act: act("churn", 3)) == "churn has no version 3; it has [1, 2]"  # type: ignore[misc]


def test_no_registry_and_an_empty_one_say_how_to_fill_them(tmp_path: Path) -> None:
    missing = f"there is no registry at {tmp_path / 'none'}. `propense train STUDY.yaml` makes one."
    assert refusal(Registry(tmp_path / "none").names) == missing
    assert refusal(lambda: Registry(tmp_path / "none").resolve("churn", None)) == missing
    assert Registry(tmp_path).names() == []
    assert refusal(lambda: Registry(tmp_path).resolve("churn", None)) == (
        f"the registry {tmp_path} has no model yet. `propense train STUDY.yaml` adds one."
    )


# --- delete, prune


def test_a_deleted_version_is_gone_and_its_number_is_not_given_again(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 3)
    registry.delete("churn", 3)
    registry.delete("churn", 2)
    assert registry.versions("churn") == [1]
    assert sorted(path.name for path in (tmp_path / "churn").iterdir() if path.is_dir()) == ["1"]
    assert registry.publish("churn", fill) == 4
    assert "has no version 3" in refusal(lambda: registry.delete("churn", 3))


def test_the_champion_and_the_one_that_a_rollback_needs_stay(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 6)
    registry.promote("churn", 3)
    assert "must not be the champion or the one before it" in refusal(lambda: registry.delete("churn", 1))
    assert "must not be the champion or the one before it" in refusal(lambda: registry.delete("churn", 3))
    assert registry.prune("churn", 2) == [2, 4]
    assert registry.versions("churn") == [1, 3, 5, 6]
    assert registry.prune("churn", 9) == []
    assert registry.rollback("churn") == 1


def test_a_removal_that_is_killed_leaves_no_half_version(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 3)
    with patch("shutil.rmtree", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        registry.delete("churn", 2)
    assert registry.versions("churn") == [1, 3]
    assert all(is_whole(registry.folder("churn", version)) for version in (1, 3))
    registry.publish("churn", fill)
    assert not list((tmp_path / "churn").glob(".tmp-*"))


def test_a_version_that_goes_while_its_promotion_waits_is_not_promoted(tmp_path: Path) -> None:
    registry = with_versions(tmp_path, 2)
    with patch.object(Registry, "folder", side_effect=[tmp_path, CheckpointError("gone")]):
        assert refusal(lambda: registry.promote("churn", 2)) == "gone"
    assert registry.champion("churn") == 1
