"""Snapshots of a registry: the champion of each model, and a fingerprint that changes with its files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.errors import CheckpointError
from model.store.registry import Registry

Fingerprint = tuple[tuple[object, ...], ...]
NOT_PROMOTED: Final = "no version is promoted; run `propense promote {name} VERSION`"


@dataclass(frozen=True)
class ModelSnapshot:
    """One model. Two equal snapshots mean that nothing has changed.

    Attributes:
        champion: the version that the registry puts in service.
        fault: why there is none.
        fingerprint: changes with the champion file and with the files of the champion.
    """

    champion: int | None
    fault: str | None
    fingerprint: Fingerprint


@dataclass(frozen=True)
class RegistrySnapshot:
    """A registry.

    Attributes:
        folder: the device and inode of its folder; others once something else is mounted there.
        models: every model that has a version, by name.
    """

    folder: tuple[int, int]
    models: Mapping[str, ModelSnapshot]


def take_snapshot(registry: Registry) -> RegistrySnapshot:
    """Take a snapshot of all models.

    Raises:
        CheckpointError: the registry cannot be read.
        OSError: the same.
    """
    models = {name: model_snapshot(registry, name) for name in registry.names()}
    status = registry.root.stat()
    folder = (status.st_dev, status.st_ino)
    return RegistrySnapshot(folder, {name: model for name, model in models.items() if model})


def model_snapshot(registry: Registry, name: str) -> ModelSnapshot | None:
    """Take a snapshot of one model; None if the registry has no version of it.

    Raises:
        CheckpointError: the model's folder cannot be read.
    """
    if not registry.versions(name):
        return None
    home = registry.root / name
    file = (_stamp(home / "champion"),)
    try:
        champion = registry.champion(name)
    except CheckpointError as error:
        return ModelSnapshot(None, str(error), file)
    if champion is None:
        return ModelSnapshot(None, NOT_PROMOTED.format(name=name), file)
    return ModelSnapshot(champion, None, file + fingerprint(home / str(champion)))


def fingerprint(folder: Path) -> Fingerprint:
    """Return what changes when a file of a folder does. Take it before reading, to miss no change."""
    try:
        entries = sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except OSError as error:
        return (_stamp(folder), (error.errno,))
    return (_stamp(folder), *(_stamp(folder / entry) for entry in entries))


def _stamp(path: Path) -> tuple[object, ...]:
    try:
        status = path.lstat()
    except OSError as error:
        return (path.name, error.errno)
    return (path.name, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
