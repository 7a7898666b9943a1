"""A checkpoint folder: weights, reports, and a manifest with the SHA-256 of each. Nothing is pickled."""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from model.errors import CheckpointError
from model.store.disk import open_no_follow, sync_folder, write_file
from model.store.manifest import Manifest
from model.store.seal import damaged, seal, unseal

MANIFEST: Final = "manifest.json"
WEIGHTS: Final = "weights.safetensors"

_MANIFEST_CAP: Final = 16 * 2**20  # bytes
_PART_CAP: Final = 2**30
_HEADER_CAP: Final = 2**20  # the safetensors library parses up to 100 MB
_PART_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}\.(json|html|md|safetensors)")

Weights = Mapping[str, NDArray[Any]]  # of a network, by name


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint.

    Attributes:
        weights: all finite.
        kept: the bytes of the files in `keep` of `read_checkpoint`, by name.
    """

    manifest: Manifest
    weights: Weights
    kept: dict[str, bytes] = field(default_factory=dict)


def write_checkpoint(folder: Path, manifest: Manifest, weights: Weights, extras: Mapping[str, bytes]) -> None:
    """Write a checkpoint into an empty or new folder and sync it; the manifest is the last file.

    Args:
        folder: its parent exists.
        manifest: its `files` is set here.
        extras: further files by name, such as report.json.

    Raises:
        CheckpointError: `read_checkpoint` would refuse the checkpoint, or it cannot be written.
    """
    if WEIGHTS in extras:
        raise CheckpointError(f"{WEIGHTS} is written from the tensors. Leave it out of the extras.")
    parts = {WEIGHTS: pack(weights), **extras}
    files = {name: _sha256(data) for name, data in parts.items()}
    sealed = seal(manifest.model_copy(update={"files": files}), path=folder / MANIFEST)
    _check_part_names(unseal(sealed, path=folder / MANIFEST).files, folder / MANIFEST)
    unpack(parts[WEIGHTS], folder / WEIGHTS)
    for name, data in parts.items():
        _check_size(folder / name, len(data), _PART_CAP)
    _check_size(folder / MANIFEST, len(sealed), _MANIFEST_CAP)
    try:
        folder.mkdir(exist_ok=True)
        if any(folder.iterdir()):
            raise CheckpointError(f"{folder} must be empty: a checkpoint is written once. Name a new folder.")
        for name, data in (*parts.items(), (MANIFEST, sealed)):
            write_file(folder / name, data)
        sync_folder(folder)
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be written: {error}") from error


def read_checkpoint(
    folder: Path, *, name: str | None = None, version: int | None = None, keep: Collection[str] = ()
) -> Checkpoint:
    """Read and verify a checkpoint folder.

    It has the manifest and exactly the files that the manifest lists, each a regular file. A missing file, a
    further file and a symbolic link are errors.

    Args:
        name, version: the model that the folder must have; None takes any.
        keep: files to return, where the checkpoint has them; the others are hashed only.

    Raises:
        CheckpointError: the checkpoint is incomplete, damaged, foreign or of a newer format.
    """
    path = folder / MANIFEST
    manifest = unseal(_read(path, _MANIFEST_CAP), path=path)
    _check_place(manifest, name, version, path)
    _check_part_names(manifest.files, path)
    _check_file_set(folder, manifest.files)
    weights: Weights = {}
    kept: dict[str, bytes] = {}
    for part, digest in manifest.files.items():
        data = _read(folder / part, _PART_CAP)
        if _sha256(data) != digest:
            raise damaged(f"{folder / part} is damaged or exchanged: its SHA-256 is not that in {MANIFEST}")
        if part == WEIGHTS:  # of the same bytes that were hashed
            weights = unpack(data, folder / part)
        elif part in keep:
            kept[part] = data
    return Checkpoint(manifest, weights, kept)


def pack(weights: Weights) -> bytes:
    """Return weights as the bytes of a safetensors file."""
    return safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in weights.items()})


def unpack(data: bytes, path: Path) -> Weights:
    """Return the weights of a safetensors file; errors name its path.

    Raises:
        CheckpointError: it is not such a file, or a weight is not finite.
    """
    header = int.from_bytes(data[:8], "little")
    if header > _HEADER_CAP:
        raise damaged(f"{path} must have a header of at most {_HEADER_CAP} bytes, got {header}")
    try:
        weights = safetensors.numpy.load(data)
    except (SafetensorError, KeyError, ValueError) as error:
        raise damaged(f"{path} must be a safetensors file of plain tensors: {error}") from error
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise CheckpointError(f"{path} must have finite weights, got others in {name!r}. Train again.")
    return weights


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _check_place(manifest: Manifest, name: str | None, version: int | None, path: Path) -> None:
    name = manifest.name if name is None else name
    version = manifest.version if version is None else version
    if (name, version) != (manifest.name, manifest.version):
        raise CheckpointError(
            f"{path} must be of {name} version {version}, got {manifest.name} version {manifest.version}. "
            "Put the folders back in their places."
        )


def _check_part_names(names: Iterable[str], path: Path) -> None:
    listed = sorted(names)
    if WEIGHTS not in listed:
        raise damaged(f"{path} must list {WEIGHTS}, got {listed}")
    for name in listed:
        if name == MANIFEST or not _PART_NAME.fullmatch(name):
            rule = "must list plain lower-case names ending in .json, .html, .md or .safetensors"
            raise damaged(f"{path} {rule}, got {name!r:.80}")


def _check_file_set(folder: Path, names: Iterable[str]) -> None:
    try:
        wanted, present = {MANIFEST, *names}, set(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be listed: {error.strerror}") from error
    for name in sorted(wanted - present):
        raise damaged(f"{folder / name} is missing: {MANIFEST} lists it")
    for name in sorted(present - wanted):
        raise CheckpointError(f"{folder / name} is not a part: {MANIFEST} does not list it. Remove it.")


def _read(path: Path, cap: int) -> bytes:
    """Return the bytes of a regular file. A link is not followed and a pipe is not waited for."""
    try:
        with open(path, "rb", opener=open_no_follow) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise CheckpointError(f"{path} must be a regular file. Put the file itself there.")
            _check_size(path, status.st_size, cap)
            return file.read(cap + 1)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise CheckpointError(f"{path} must not be a symbolic link. Put the file itself there.") from None
        raise damaged(f"{path} cannot be read: {error.strerror}") from error


def _check_size(path: Path, size: int, cap: int) -> None:
    if size > cap:
        raise damaged(f"{path} must have at most {cap} bytes, got {size}")
