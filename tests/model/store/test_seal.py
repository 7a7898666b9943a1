"""A sealed manifest that Propense did not write is refused."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from model.store.checkpoint import read_checkpoint
from tests.model.stored import REPAIR, seal_again, unreadable, written


def test_sealing_again_is_done_as_propense_does_it(tmp_path: Path) -> None:
    folder = written(tmp_path / "1")
    seal_again(folder)
    assert read_checkpoint(folder).manifest.name == "churn"


def test_foreign_json_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "1")
    for text in ("{}", "[]", "null", '{"model": "resnet"}', "", "not JSON"):
        (folder / "manifest.json").write_text(text)
        assert "damaged, edited or foreign" in unreadable(folder)


def test_a_newer_format_asks_for_a_newer_propense(tmp_path: Path) -> None:
    folder = written(tmp_path / "1")
    seal_again(folder, lambda fields: fields.update(format_version=2, invented={"by": "a later release"}))
    assert unreadable(folder) == (
        f"{folder / 'manifest.json'} must have a format version up to 1, got 2. Upgrade Propense."
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"format_version": 0}, "format_version: Input should be 1"),
        ({"format_version": "1"}, "format_version: Input should be 1"),
        ({"version": "1"}, "version: Input should be a valid integer"),
        ({"version": 0}, "version: Input should be greater than 0"),
        ({"name": None}, "name: Input should be a valid string"),
        ({"surprise": 1}, "surprise: Extra inputs are not permitted"),
        ({"network": {"head": "pickle"}}, "network.head: Input should be 'linear', 'mlp', 'cnn' or 'rnn'"),
    ],
)
def test_a_manifest_of_another_shape_is_refused(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    folder = written(tmp_path / "1")
    seal_again(folder, lambda fields: fields.update(change))
    text = unreadable(folder)
    assert text.startswith(f"{folder / 'manifest.json'} must describe a model: ")
    assert fault in text


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("0.81", "NaN", "NaN is not a finite number"),
        ("0.81", "-Infinity", "-Infinity is not a finite number"),
        ("0.81", "1e999", "1e999 is not a finite number"),
        ("0.81", "[" * 3000 + "]" * 3000, "recursion"),
        ("0.81", '{"a": 1, "a": 2}', "a key is given twice"),
        ("0.81", "9" * 5000, "Exceeds the limit"),
        ("0.81", "'x'", "Expecting value"),
        ("0.81", '"\\ud800"', "must describe a model"),
    ],
)
def test_json_that_is_not_strict_is_refused(tmp_path: Path, old: str, new: str, fault: str) -> None:
    path = written(tmp_path / "1") / "manifest.json"
    fields = json.loads(path.read_bytes())
    fields["digest"] = "0" * 64
    text = json.dumps(fields, indent=2).replace(old, new) + "\n"
    path.write_text(text.replace("0" * 64, hashlib.sha256(text.encode()).hexdigest()))
    assert fault in unreadable(tmp_path / "1")


def test_a_huge_manifest_is_refused_unread(tmp_path: Path) -> None:
    path = written(tmp_path / "1") / "manifest.json"
    os.truncate(path, 2**40)
    assert (
        unreadable(tmp_path / "1") == f"{path} must have at most 16777216 bytes, got 1099511627776. {REPAIR}"
    )
