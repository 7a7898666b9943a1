"""A checkpoint folder: weights, reports, and a manifest that holds the SHA-256 of each. Never pickle."""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from model.errors import CheckpointError
from model.store.disk import open_no_follow, sync_folder, write_file
from model.store.manifest import Manifest
from model.store.seal import REPAIR, seal, unseal

MANIFEST: Final = "manifest.json"
WEIGHTS: Final = "weights.safetensors"

_MANIFEST_CAP: Final = 16 * 2**20  # bytes
_PART_CAP: Final = 2**30
_HEADER_CAP: Final = 2**20  # the safetensors library alone would parse 100 MB of header
_PART_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}\.(json|html|safetensors)")


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint.

    Attributes:
        manifest: everything but the weights.
        weights: tensors by name, on the CPU, all finite.
        kept: the bytes of the further files that the reader asked for.
    """

    manifest: Manifest
    weights: dict[str, Tensor]
    kept: dict[str, bytes] = field(default_factory=dict)


def write_checkpoint(
    folder: Path, manifest: Manifest, weights: Mapping[str, Tensor], extras: Mapping[str, bytes]
) -> None:
    """Fill an empty or new folder and put it on the disk; the manifest comes last.

    Args:
        folder: where; its parent exists.
        manifest: its `files` is filled in here.
        weights: tensors by name, on any device.
        extras: further files by name: report.json, report.html.

    Raises:
        CheckpointError: `read_checkpoint` would refuse the result, or the disk does.
    """
    if WEIGHTS in extras:
        raise CheckpointError(f"{WEIGHTS} is written from the tensors; leave it out of the extras")
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
            raise CheckpointError(f"{folder} must be empty: a checkpoint is written once; name a new folder")
        for name, data in (*parts.items(), (MANIFEST, sealed)):
            write_file(folder / name, data)
        sync_folder(folder)
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be written: {error}") from error


def read_checkpoint(
    folder: Path, *, name: str | None = None, version: int | None = None, keep: Collection[str] = ()
) -> Checkpoint:
    """Read and verify a checkpoint folder.

    It holds the manifest and exactly the files that the manifest lists, each a regular file: a
    missing file, a further file (whatever it is) and a symbolic link are refused.

    Args:
        folder: where.
        name: the model that must be in it; None takes any.
        version: the version that must be in it; None takes any.
        keep: further files to hand over, where the checkpoint has them; others are hashed and let go.

    Raises:
        CheckpointError: anything is missing, damaged, foreign or of a newer format; the text names
            the file and the reason.
    """
    path = folder / MANIFEST
    manifest = unseal(_read(path, _MANIFEST_CAP), path=path)
    _check_place(manifest, name, version, path)
    _check_part_names(manifest.files, path)
    _check_file_set(folder, manifest.files)
    weights: dict[str, Tensor] = {}
    kept: dict[str, bytes] = {}
    for part, digest in manifest.files.items():
        data = _read(folder / part, _PART_CAP)
        if _sha256(data) != digest:
            raise CheckpointError(
                f"{folder / part} is damaged or exchanged: its SHA-256 is not that in {MANIFEST}; {REPAIR}"
            )
        if part == WEIGHTS:  # the very bytes that were hashed
            weights = unpack(data, folder / part)
        elif part in keep:
            kept[part] = data
    return Checkpoint(manifest, weights, kept)


def pack(weights: Mapping[str, Tensor]) -> bytes:
    """Tensors by name, on any device, as the bytes of a safetensors file."""
    # Copies, because safetensors refuses tensors that share memory.
    return safetensors.torch.save({n: t.detach().cpu().clone().contiguous() for n, t in weights.items()})


def unpack(data: bytes, path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, on the CPU.

    Args:
        path: where it lies, for the error text.

    Raises:
        CheckpointError: it is not such a file, or a weight is not finite.
    """
    header = int.from_bytes(data[:8], "little")
    if header > _HEADER_CAP:
        raise CheckpointError(
            f"{path} may have a header of {_HEADER_CAP} bytes, however it claims {header}; {REPAIR}"
        )
    try:
        weights = safetensors.torch.load(data)
    except (SafetensorError, KeyError, RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"{path} must be a safetensors file of plain tensors: {error}; {REPAIR}"
        ) from error
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor.double()).all():
            raise CheckpointError(
                f"{path} must hold finite weights, however {name!r} has others; train again"
            )
    return weights


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _check_place(manifest: Manifest, name: str | None, version: int | None, path: Path) -> None:
    name = manifest.name if name is None else name
    version = manifest.version if version is None else version
    if (name, version) != (manifest.name, manifest.version):
        raise CheckpointError(
            f"{path} must be of {name} version {version}, however it is of {manifest.name} version "
            f"{manifest.version}; put the folders back in their places"
        )


def _check_part_names(names: Iterable[str], path: Path) -> None:
    listed = sorted(names)
    if WEIGHTS not in listed:
        raise CheckpointError(f"{path} must list {WEIGHTS}, however it lists {listed}; {REPAIR}")
    for name in listed:
        if name == MANIFEST or not _PART_NAME.fullmatch(name):
            raise CheckpointError(
                f"{path} must list plain lower-case names ending in .json, .html or .safetensors, "
                f"however it lists {name!r:.80}; {REPAIR}"
            )


def _check_file_set(folder: Path, names: Iterable[str]) -> None:
    try:
        wanted, present = {MANIFEST, *names}, set(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be listed: {error.strerror}") from error
    for name in sorted(wanted - present):
        raise CheckpointError(f"{folder / name} is missing, however {MANIFEST} lists it; {REPAIR}")
    for name in sorted(present - wanted):
        raise CheckpointError(f"{folder / name} does not belong here: {MANIFEST} does not list it; remove it")


def _read(path: Path, cap: int) -> bytes:
    """A regular file's bytes. A link is not followed and a pipe is not waited for."""
    try:
        with open(path, "rb", opener=open_no_follow) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise CheckpointError(f"{path} must be a regular file; put the file itself there")
            _check_size(path, status.st_size, cap)
            return file.read(cap + 1)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise CheckpointError(f"{path} must not be a symbolic link; put the file itself there") from None
        raise CheckpointError(f"{path} cannot be read: {error.strerror}; {REPAIR}") from error


def _check_size(path: Path, size: int, cap: int) -> None:
    if size > cap:
        raise CheckpointError(f"{path} may hold {cap} bytes, however it holds {size}; {REPAIR}")
