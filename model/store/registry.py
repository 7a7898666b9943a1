"""The registry: checkpoints in `<root>/<name>/<version>/`, the champion's number in `<root>/<name>/champion`.

Readers need no lock: a version appears complete, by one rename. Writers of one name wait for the lock
`<root>/<name>/.lock`. kill -9 at any moment leaves the old state or the new.
"""

import difflib
import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.errors import CheckpointError
from model.store.champions import (
    VERSION_PATTERN,
    add_champion,
    drop_champion,
    forget_champions,
    past_champions,
    read_champion,
    read_deleted,
    write_deleted,
)
from model.store.disk import sync_folder

NAME_PATTERN: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
_DRAFT: Final = ".tmp-"


@dataclass(frozen=True)
class Registry:
    """The models in the folder `root`. Each method checks names and versions before they become paths."""

    root: Path

    def names(self) -> list[str]:
        """Return the models with a version, sorted.

        Raises:
            CheckpointError: the registry does not exist.
        """
        found = _folders(self.root)
        if found is None:
            raise CheckpointError(
                f"there is no registry at {self.root}. `propense train STUDY.yaml` makes one."
            )
        return [name for name in sorted(found) if NAME_PATTERN.fullmatch(name) and self.versions(name)]

    def versions(self, name: str) -> list[int]:
        """Return the versions of a model, ascending; none for an untrained model."""
        home = self._home(name)
        found = [] if home.is_symlink() else _folders(home) or []  # as `names` has it
        return sorted(int(entry) for entry in found if VERSION_PATTERN.fullmatch(entry))

    def champion(self, name: str) -> int | None:
        """Return the version in service; None for an untrained model or without a promoted version.

        Raises:
            CheckpointError: the champion file does not name a version of the model.
        """
        # Read before the versions, so that a version that is published and promoted meanwhile is listed.
        champion = read_champion(self._home(name))
        versions = self.versions(name)
        if champion is None or not versions:
            return None
        if champion not in versions:
            raise CheckpointError(
                f"the champion of {name} must be one of its versions {versions}, got {champion}. "
                f"Run `propense promote {name} VERSION`."
            )
        return champion

    def resolve(self, name: str, version: int | None) -> int:
        """Return the given version if it exists, and the champion for None.

        Raises:
            CheckpointError: no such registry, model or version; the text lists those that exist.
        """
        _check_version(version)
        versions = self.versions(name)
        if not versions:
            raise CheckpointError(self._unknown(name))
        if version is None:
            return self._champion_of(name, versions)
        if version not in versions:
            raise CheckpointError(f"{name} has no version {version}; it has {versions}")
        return version

    def folder(self, name: str, version: int) -> Path:
        """Return the checkpoint folder of an existing version.

        Raises:
            CheckpointError: no such registry, model or version.
        """
        return self._home(name) / str(self.resolve(name, version))

    def publish(self, name: str, write: Callable[[Path, int], None], *, promote: bool | None = None) -> int:
        """Add the next version of a model.

        Args:
            name: the model.
            write: called once with an empty folder and the new version; it writes and syncs the files.
            promote: whether the version goes into service; None: only if the model has no champion.

        Returns:
            The new version.

        Raises:
            CheckpointError: the registry cannot be written, or its champion cannot be read. Errors of
                `write` are raised too. The registry is then unchanged.
        """
        with self._changing(name) as home:
            _sweep(home)
            version = max([*self.versions(name), read_deleted(home)]) + 1  # a number is never given twice
            draft = home / f"{_DRAFT}{uuid.uuid4().hex}"
            try:
                draft.mkdir()
                write(draft, version)
                sync_folder(draft)
                if version == 1:
                    forget_champions(home)
                serves = self.champion(name) is None if promote is None else promote
                past = past_champions(home, self.versions(name))
                if serves and version == 1:
                    # Not read before the rename, which thus shows the version and the champion at once.
                    add_champion(home, past, version)
                draft.rename(home / str(version))
                sync_folder(home)
                if serves and version > 1:
                    add_champion(home, past, version)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return version

    def promote(self, name: str, version: int) -> None:
        """Put a version in service.

        Raises:
            CheckpointError: no such version, or the registry cannot be written.
        """
        self.folder(name, version)
        with self._changing(name) as home:
            self.folder(name, version)  # another process may have removed it while this one waited
            add_champion(home, past_champions(home, self.versions(name)), version)

    def rollback(self, name: str) -> int:
        """Put the champion before the present one back in service.

        Returns:
            The version now in service.

        Raises:
            CheckpointError: there was no champion before, or the registry cannot be written.
        """
        present = self.resolve(name, None)
        with self._changing(name) as home:
            past = past_champions(home, self.versions(name))
            if len(past) < 2:
                raise CheckpointError(
                    f"{name} had no champion before version {present}. To change it, "
                    f"run `propense promote {name} VERSION` with one of {self.versions(name)}."
                )
            drop_champion(home, past)
        return past[-2]

    def delete(self, name: str, version: int) -> None:
        """Remove a version; a service that has loaded it goes on.

        Raises:
            CheckpointError: no such version, it is in service or `rollback` needs it, or the registry cannot
                be written.
        """
        self.folder(name, version)
        with self._changing(name) as home:
            _sweep(home)
            if version in self._needed(name, home):
                raise CheckpointError(
                    f"{name} version {version} must not be the champion or the one before it, to which "
                    f"`propense rollback {name}` returns. Promote another version first."
                )
            self._remove(name, home, version)

    def prune(self, name: str, keep: int) -> list[int]:
        """Remove all versions but the latest, the champion and the one before it, and return them.

        Raises:
            CheckpointError: no such model, or the registry cannot be written.
        """
        if not self.versions(name):
            raise CheckpointError(self._unknown(name))
        with self._changing(name) as home:
            _sweep(home)
            versions = self.versions(name)
            kept = {*versions[len(versions) - keep :], *self._needed(name, home)}
            removed = [version for version in versions if version not in kept]
            for version in removed:
                self._remove(name, home, version)
        return removed

    def _needed(self, name: str, home: Path) -> list[int]:
        """The champion and the one before it."""
        return past_champions(home, self.versions(name))[-2:]

    def _remove(self, name: str, home: Path, version: int) -> None:
        """Remove a version: from the list by one rename, then for good; the next change sweeps the rest."""
        if version in self.versions(name):  # another process may have removed it
            write_deleted(home, max(version, read_deleted(home)))
            gone = home / f"{_DRAFT}{uuid.uuid4().hex}"
            (home / str(version)).rename(gone)
            sync_folder(home)
            shutil.rmtree(gone, ignore_errors=True)

    def _home(self, name: str) -> Path:
        if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
            raise CheckpointError(
                f"a model's name must be a letter a-z, then up to 62 of a-z, 0-9 and -, got {name!r:.80}"
            )
        return self.root / name

    def _champion_of(self, name: str, versions: list[int]) -> int:
        champion = self.champion(name)
        if champion is None:
            raise CheckpointError(
                f"{name} has no champion. Run `propense promote {name} VERSION` with one of {versions}."
            )
        return champion

    def _unknown(self, name: str) -> str:
        known = self.names()
        if not known:
            return f"the registry {self.root} has no model yet. `propense train STUDY.yaml` adds one."
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"the registry {self.root} has no model {name}; it has {', '.join(known)}{hint}"

    @contextmanager
    def _changing(self, name: str) -> Iterator[Path]:
        """Hold the lock of a name; it is released with its process too."""
        home = self._home(name)
        try:
            home.mkdir(parents=True, exist_ok=True)
            sync_folder(self.root)
            with (home / ".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield home
        except OSError as error:
            raise CheckpointError(f"{home} cannot be changed: {error}") from error


def _folders(parent: Path) -> list[str] | None:
    """Return the names of the sub-folders without links; None if the parent does not exist."""
    try:
        with os.scandir(parent) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CheckpointError(f"{parent} cannot be read: {error.strerror}") from error


def _check_version(version: int | None) -> None:
    if version is not None and (type(version) is not int or not VERSION_PATTERN.fullmatch(str(version))):
        raise CheckpointError(f"a version must be a whole number from 1 on, got {version!r:.80}")


def _sweep(home: Path) -> None:
    """Remove the drafts and the half removed versions of killed processes; a running one holds the lock."""
    for entry in _folders(home) or []:
        if entry.startswith(_DRAFT):
            shutil.rmtree(home / entry, ignore_errors=True)
