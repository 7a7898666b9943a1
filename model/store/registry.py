"""Where checkpoints live: `<root>/<name>/<version>/`, with the champion's number in `<root>/<name>/champion`.

Readers take no lock and see whole versions only, for a version appears by one rename. Writers of one
name queue at `<root>/<name>/.lock`; kill -9 at any instant leaves the old state or the new.
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
)
from model.store.disk import sync_folder

NAME_PATTERN: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
_DRAFT: Final = ".tmp-"


@dataclass(frozen=True)
class Registry:
    """The models of one folder. Every method checks a name and a version before they become a path.

    Attributes:
        root: the folder; `publish` makes it.
    """

    root: Path

    def names(self) -> list[str]:
        """The models that have a version, sorted.

        Raises:
            CheckpointError: there is no such registry.
        """
        found = _folders(self.root)
        if found is None:
            raise CheckpointError(
                f"there is no registry at {self.root}; `propense train STUDY.yaml` makes one"
            )
        return [name for name in sorted(found) if NAME_PATTERN.fullmatch(name) and self.versions(name)]

    def versions(self, name: str) -> list[int]:
        """The versions of a model, ascending; none for a model not yet trained."""
        home = self._home(name)
        found = [] if home.is_symlink() else _folders(home) or []  # as `names` has it
        return sorted(int(entry) for entry in found if VERSION_PATTERN.fullmatch(entry))

    def champion(self, name: str) -> int | None:
        """The version in service; None for a model not yet trained or with none promoted.

        Raises:
            CheckpointError: the champion file does not name a version of the model.
        """
        # Read before the versions are listed, so that a version published and promoted meanwhile is seen.
        champion = read_champion(self._home(name))
        versions = self.versions(name)
        if champion is None or not versions:
            return None
        if champion not in versions:
            raise CheckpointError(
                f"the champion of {name} must be one of its versions {versions}, however it is {champion}; "
                f"run `propense promote {name} VERSION`"
            )
        return champion

    def resolve(self, name: str, version: int | None) -> int:
        """The version meant: the given one if it exists, the champion for None.

        Raises:
            CheckpointError: no such registry, model or version; the text lists what there is.
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
        """The checkpoint folder of an existing version.

        Raises:
            CheckpointError: no such registry, model or version.
        """
        return self._home(name) / str(self.resolve(name, version))

    def publish(self, name: str, write: Callable[[Path, int], None], *, promote_first: bool = True) -> int:
        """Add the next version of a model.

        Args:
            name: the model.
            write: called once with an empty folder and the version to fill it with; it puts its files
                on the disk, and must not change the same model's registry entry itself.
            promote_first: whether the first version of a model becomes its champion.

        Returns:
            The new version.

        Raises:
            CheckpointError: the registry cannot be written. What else `write` raises comes through.
                Either way nothing is left behind.
        """
        with self._changing(name) as home:
            _sweep(home)
            version = max(self.versions(name), default=0) + 1
            draft = home / f"{_DRAFT}{uuid.uuid4().hex}"
            try:
                draft.mkdir()
                write(draft, version)
                sync_folder(draft)
                if version == 1:
                    # Not seen before the rename, which so shows the version and its service at once.
                    forget_champions(home)
                    if promote_first:
                        add_champion(home, [], version)
                draft.rename(home / str(version))
                sync_folder(home)
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
            add_champion(home, past_champions(home, self.versions(name)), version)

    def rollback(self, name: str) -> int:
        """Put the champion before the present one back in service, and forget the present one.

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
                    f"{name} had no champion before version {present}; to change it "
                    f"run `propense promote {name} VERSION` with one of {self.versions(name)}"
                )
            drop_champion(home, past)
        return past[-2]

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
                f"{name} has no champion; run `propense promote {name} VERSION` with one of {versions}"
            )
        return champion

    def _unknown(self, name: str) -> str:
        known = self.names()
        if not known:
            return f"the registry {self.root} holds no model yet; `propense train STUDY.yaml` adds one"
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"the registry {self.root} has no model {name}, it has {', '.join(known)}{hint}"

    @contextmanager
    def _changing(self, name: str) -> Iterator[Path]:
        """One writer of this name at a time; the lock falls with its process."""
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
    """Names of the real sub-folders, links left out; None where there is no such parent."""
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
    """Remove what dead publishers left; a living one would hold the lock."""
    for entry in _folders(home) or []:
        if entry.startswith(_DRAFT):
            shutil.rmtree(home / entry, ignore_errors=True)
