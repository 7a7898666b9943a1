"""A folder with right hashes that Propense did not write is refused."""

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.store.checkpoint import read_checkpoint
from tests.model.stored import REPAIR, seal_again, unreadable, written


def safetensors_file(header: bytes, data: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + data


# --- the set of files


@pytest.mark.parametrize("name", ["weights.safetensors", "report.json", "report.html"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "1") / name
    path.unlink()
    assert unreadable(tmp_path / "1") == f"{path} is missing: manifest.json lists it. {REPAIR}"


def test_a_missing_manifest_or_folder_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "1") / "manifest.json"
    path.unlink()
    assert unreadable(tmp_path / "1") == f"{path} cannot be read: No such file or directory. {REPAIR}"
    assert "cannot be read: No such file or directory" in unreadable(tmp_path / "2")


@pytest.mark.parametrize("name", ["weights.pkl", "model.pt", ".DS_Store", "notes.json"])
def test_a_further_file_is_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "1") / name
    path.write_bytes(b"")
    assert unreadable(tmp_path / "1") == (f"{path} is not a part: manifest.json does not list it. Remove it.")


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors", "report.html"])
def test_a_symbolic_link_is_refused_wherever_it_leads(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "1") / name
    outside = tmp_path / name
    path.rename(outside)
    path.symlink_to(outside)
    assert unreadable(tmp_path / "1") == (f"{path} must not be a symbolic link. Put the file itself there.")


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    path = written(tmp_path / "1") / "weights.safetensors"
    path.unlink()
    os.mkfifo(path)
    assert unreadable(tmp_path / "1") == f"{path} must be a regular file. Put the file itself there."


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "1") / "report.json"
    path.unlink()
    path.mkdir()
    assert unreadable(tmp_path / "1") == f"{path} cannot be read: Is a directory. {REPAIR}"


@pytest.mark.parametrize(
    "name",
    [
        "../outside.json",
        "/outside.json",
        "a/b.json",
        "..",
        "",
        "x.pkl",
        "x.json\n",
        "manifest.json",
        "x\0.json",
    ],
)
def test_a_name_that_is_not_plain_is_refused(tmp_path: Path, name: str) -> None:
    written(tmp_path / "1")
    (tmp_path / "outside.json").write_bytes(b"{}")
    digest = hashlib.sha256(b"{}").hexdigest()
    seal_again(tmp_path / "1", lambda fields: fields["files"].update({name: digest}))
    assert unreadable(tmp_path / "1") == (
        f"{tmp_path / '1' / 'manifest.json'} must list plain lower-case names ending in .json, .html, .md "
        f"or .safetensors, got {name!r}. {REPAIR}"
    )


def test_a_manifest_without_weights_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "1")
    (folder / "weights.safetensors").unlink()
    path = folder / "manifest.json"
    fields = json.loads(path.read_bytes())
    del fields["files"]["weights.safetensors"]
    path.write_text(json.dumps(fields))
    seal_again(folder)
    assert unreadable(folder) == (
        f"{path} must list weights.safetensors, got ['report.html', 'report.json']. {REPAIR}"
    )


# --- hostile weights


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.target,)


def test_the_bomb_works_where_pickle_is_trusted(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "boom")))
    assert (tmp_path / "boom").exists()


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("save", [lambda bomb, path: path.write_bytes(pickle.dumps(bomb)), torch.save])
@pytest.mark.parametrize("name", ["weights.safetensors", "report.json"])
def test_a_pickle_bomb_never_goes_off(
    tmp_path: Path, sealed: bool, save: Callable[[object, Path], object], name: str
) -> None:
    folder = written(tmp_path / "1")
    save(Bomb(tmp_path / "boom"), folder / name)
    if sealed:
        seal_again(folder)
    if sealed and name == "report.json":
        read_checkpoint(folder)  # a report is hashed, never parsed
    else:
        assert name in unreadable(folder)
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("claim", [2**20 + 1, 2**40, 2**63, 2**64 - 1])
def test_a_huge_safetensors_header_is_refused(tmp_path: Path, claim: int) -> None:
    folder = written(tmp_path / "1")
    path = folder / "weights.safetensors"
    path.write_bytes(claim.to_bytes(8, "little") + b"{}" + b" " * 2**20)
    seal_again(folder)
    assert unreadable(folder) == (
        f"{path} must have a header of at most 1048576 bytes, got {claim}. {REPAIR}"
    )


def tensor_header(**changes: Any) -> bytes:
    return json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\1\0\0\0",
        safetensors_file(b"{"),
        safetensors_file(b"[" * 100_000),
        safetensors_file(tensor_header(shape=[2**62, 8]), bytes(8)),
        safetensors_file(tensor_header(shape=[-2]), bytes(8)),
        safetensors_file(tensor_header(data_offsets=[0, 2**40]), bytes(8)),
        safetensors_file(tensor_header(dtype="F4", shape=[16]), bytes(8)),
        safetensors_file(tensor_header(dtype="BF16", shape=[4]), bytes(8)),
        safetensors_file(tensor_header(), bytes(12)),
        safetensors_file(
            tensor_header()[:-1] + b", " + tensor_header().replace(b'"w"', b'"x"')[1:], bytes(8)
        ),
    ],
)
def test_a_malformed_weights_file_is_refused(tmp_path: Path, data: bytes) -> None:
    folder = written(tmp_path / "1")
    path = folder / "weights.safetensors"
    path.write_bytes(data)
    seal_again(folder)
    assert unreadable(folder).startswith(f"{path} must be a safetensors file of plain tensors: ")


@pytest.mark.parametrize("dtype", ["F16", "F32", "F64"])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, dtype: str) -> None:
    folder = written(tmp_path / "1")
    path = folder / "weights.safetensors"
    header = json.dumps({"head.bias": {"dtype": dtype, "shape": [1], "data_offsets": [0, 0]}})
    width = 8 if dtype == "F64" else 4 if dtype == "F32" else 2
    path.write_bytes(safetensors_file(header.replace("[0, 0]", f"[0, {width}]").encode(), b"\xff" * width))
    seal_again(folder)
    assert unreadable(folder) == f"{path} must have finite weights, got others in 'head.bias'. Train again."


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = written(tmp_path_factory.mktemp("any") / "1")
    (folder / "weights.safetensors").write_bytes(data)
    seal_again(folder)
    assert "weights.safetensors" in unreadable(folder)
