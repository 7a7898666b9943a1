"""A checkpoint is read as it was written; a damaged one is refused."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import CheckpointError
from model.store.checkpoint import Weights, read_checkpoint, write_checkpoint
from tests.model.build import tiny_manifest
from tests.model.stored import REPAIR, REPORTS, tiny_weights, unreadable, written

# --- what comes back


def test_a_checkpoint_comes_back_as_it_was_written(tmp_path: Path) -> None:
    folder = written(tmp_path / "1")
    checkpoint = read_checkpoint(folder, name="churn", version=1)
    files = checkpoint.manifest.files
    assert checkpoint.manifest == tiny_manifest(files=files)
    assert set(files) == {"weights.safetensors", "report.json", "report.html"}
    assert checkpoint.weights.keys() == tiny_weights().keys()
    for name, array in tiny_weights().items():
        assert checkpoint.weights[name].dtype == array.dtype
        np.testing.assert_array_equal(checkpoint.weights[name], array)


def test_the_manifest_is_readable_and_proves_itself_by_the_documented_rule(tmp_path: Path) -> None:
    text = (written(tmp_path / "1") / "manifest.json").read_text(encoding="utf-8")
    fields = json.loads(text)
    assert list(fields)[-1] == "digest"
    assert text == json.dumps(fields, indent=2, ensure_ascii=False) + "\n"
    assert '"größer"' in text
    blank = text.replace(fields["digest"], "0" * 64)
    assert hashlib.sha256(blank.encode()).hexdigest() == fields["digest"]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bool"])
def test_weights_of_every_kind_come_back(tmp_path: Path, dtype: str) -> None:
    shapes = [(), (0,), (3,), (2, 0, 3), (2, 3, 4)]
    weights = {str(s): np.linspace(-2, 2, int(np.prod(s))).reshape(s).astype(dtype) for s in shapes}
    write_checkpoint(tmp_path / "1", tiny_manifest(), weights, {})
    back = read_checkpoint(tmp_path / "1").weights
    for name, array in weights.items():
        assert back[name].dtype == dtype
        np.testing.assert_array_equal(back[name], array)


def test_tied_and_transposed_weights_come_back(tmp_path: Path) -> None:
    base = np.arange(6.0).reshape(2, 3)
    write_checkpoint(tmp_path / "1", tiny_manifest(), {"a": base, "b": base, "c": base.T}, {})
    back = read_checkpoint(tmp_path / "1").weights
    for name, array in {"a": base, "b": base, "c": base.T}.items():
        np.testing.assert_array_equal(back[name], array)


# --- damage


def test_every_truncation_of_the_manifest_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "1") / "manifest.json"
    for length in reversed(range(path.stat().st_size)):
        os.truncate(path, length)
        assert "manifest.json is damaged, edited or foreign" in unreadable(tmp_path / "1")


def test_every_truncation_of_the_weights_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "1") / "weights.safetensors"
    for length in reversed(range(path.stat().st_size)):
        os.truncate(path, length)
        assert "weights.safetensors is damaged or exchanged" in unreadable(tmp_path / "1")


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors"])
def test_every_single_bit_flip_tried_is_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "1") / name
    good = path.read_bytes()
    for bit in np.random.default_rng(0).choice(8 * len(good), size=300, replace=False).tolist():
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        assert f"{name} is damaged" in unreadable(tmp_path / "1")
    path.write_bytes(good)
    read_checkpoint(tmp_path / "1")


@pytest.mark.parametrize("tail", [b"\n", b" ", b"\0", b"{}"])
def test_bytes_after_the_manifest_are_refused(tmp_path: Path, tail: bytes) -> None:
    path = written(tmp_path / "1") / "manifest.json"
    path.write_bytes(path.read_bytes() + tail)
    assert unreadable(tmp_path / "1") == (
        f"{path} is damaged, edited or foreign: its digest does not match. {REPAIR}"
    )


def test_a_change_of_white_space_alone_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "1") / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"name": ', b'"name":\t', 1))
    assert "its digest does not match" in unreadable(tmp_path / "1")


# --- exchange


@pytest.mark.parametrize("name", ["weights.safetensors", "report.json", "report.html"])
def test_a_file_of_another_checkpoint_is_refused(tmp_path: Path, name: str) -> None:
    written(tmp_path / "1")
    other = {part: data + b" " for part, data in REPORTS.items()}
    write_checkpoint(tmp_path / "2", tiny_manifest(version=2), {"w": np.ones(3)}, other)
    shutil.copy(tmp_path / "2" / name, tmp_path / "1" / name)
    assert unreadable(tmp_path / "1") == (
        f"{tmp_path / '1' / name} is damaged or exchanged: its SHA-256 is not that in manifest.json. {REPAIR}"
    )


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ({"name": "churn", "version": 2}, "of churn version 2"),
        ({"name": "purchase", "version": 1}, "of purchase version 1"),
        ({"version": 2}, "of churn version 2"),
        ({"name": "purchase"}, "of purchase version 1"),
        ({"name": "", "version": None}, "of  version 1"),
    ],
)
def test_a_folder_in_the_place_of_another_is_refused(
    tmp_path: Path, place: dict[str, Any], wanted: str
) -> None:
    folder = written(tmp_path / "1")
    assert unreadable(folder, **place) == (
        f"{folder / 'manifest.json'} must be {wanted}, got churn version 1. "
        "Put the folders back in their places."
    )


# --- writing


@pytest.mark.parametrize(
    ("changes", "weights", "extras", "text"),
    [
        ({}, {"w": np.array([np.nan])}, {}, "must have finite weights, got others in 'w'"),
        ({"metrics": {"auc": float("nan")}}, {}, {}, "must have finite numbers and text only"),
        ({"provenance": {"study": "\ud800"}}, {}, {}, "must have finite numbers and text only"),
        ({"metrics": {"auc": np.float32(0.5)}}, {}, {}, "must have finite numbers and text only"),
        ({}, {}, {"../report.json": b""}, "must list plain lower-case names"),
        ({}, {}, {"model.pkl": b""}, "must list plain lower-case names"),
        ({}, {}, {"manifest.json": b""}, "must list plain lower-case names"),
        ({}, {}, {"weights.safetensors": b""}, "Leave it out of the extras"),
    ],
)
def test_nothing_is_written_that_would_be_refused(
    tmp_path: Path,
    changes: dict[str, Any],
    weights: Weights,
    extras: Mapping[str, bytes],
    text: str,
) -> None:
    with pytest.raises(CheckpointError, match=text):
        write_checkpoint(tmp_path / "1", tiny_manifest(**changes), weights, extras)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_is_written_once(tmp_path: Path) -> None:
    folder = written(tmp_path / "1")
    with pytest.raises(CheckpointError) as caught:
        written(folder)
    assert str(caught.value) == f"{folder} must be empty: a checkpoint is written once. Name a new folder."


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "1").write_text("a file where the folder should be")
    with pytest.raises(CheckpointError, match=r"1 cannot be written: .*File exists"):
        written(tmp_path / "1")


def test_the_manifest_is_the_last_file_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr("model.store.checkpoint.write_file", lambda path, _: order.append(path.name))
    written(tmp_path / "1")
    assert order == ["weights.safetensors", "report.json", "report.html", "manifest.json"]


def test_every_file_and_the_folder_are_put_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[int] = set()
    monkeypatch.setattr("os.fsync", lambda descriptor: synced.add(os.fstat(descriptor).st_ino))
    folder = written(tmp_path / "1")
    assert {path.stat().st_ino for path in (folder, *folder.iterdir())} == synced


@pytest.mark.parametrize(("cap", "name"), [("_MANIFEST_CAP", "manifest.json"), ("_PART_CAP", "report.json")])
def test_a_file_too_large_to_read_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cap: str, name: str
) -> None:
    monkeypatch.setattr(f"model.store.checkpoint.{cap}", 1000)
    with pytest.raises(CheckpointError, match=rf"{name} must have at most 1000 bytes, got \d+"):
        write_checkpoint(tmp_path / "1", tiny_manifest(), tiny_weights(), {"report.json": b" " * 1001})
    assert list(tmp_path.iterdir()) == []
