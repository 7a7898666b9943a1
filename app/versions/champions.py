"""The champion of every name, swapped when the registry names another that proves itself."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio
from anyio.to_thread import run_sync

from app.observe.metrics import Metrics
from app.versions.loader import Loader, Refused
from app.versions.served import Served, collect_soon
from app.versions.snapshot import Sight, View, sight, view
from model.errors import CheckpointError, PropenseError
from model.predictor import Predictor

_log: Final = logging.getLogger(__name__)
STILL_LOADING: Final = "the models are still being loaded"
GONE: Final = "the registry holds it no longer"


@dataclass(frozen=True)
class Champion:
    """A name: what the registry wants in service, and what is.

    Attributes:
        version: the version that the registry names; None: it names none.
        served: what answers: that version, or the one before while that cannot be had.
        reason: why the registry's wish is not fulfilled; None if it is.
    """

    version: int | None
    served: Served | None
    reason: str | None


class Champions:
    """All names. One that fails leaves the others alone, and what answered before goes on answering.

    Args:
        build: puts a proven version in service.

    Attributes:
        all: of every name its champion.
        unready: why no prediction can be answered yet, or at all; None if one can.
    """

    def __init__(self, loader: Loader, build: Callable[[Predictor], Served], metrics: Metrics) -> None:
        self.all: dict[str, Champion] = {}
        self.unready: str | None = STILL_LOADING
        self._loader = loader
        self._registry = loader.registry
        self._build = build
        self._metrics = metrics
        self._seen: dict[str, Sight] = {}  # what the present state of a name came from
        self._folder: tuple[int, int] | None = None  # of the registry, when it held something
        self._changing = anyio.Lock()
        self._told: list[str] = []
        self._trouble: str | None = None

    def served(self) -> list[Served]:
        """What is in service, by name."""
        return [c.served for _, c in sorted(self.all.items()) if c.served]

    async def look(self) -> None:
        """Look at the registry and follow it, one name after another."""
        trouble = None
        try:
            found = await run_sync(view, self._registry, abandon_on_cancel=True)
            self._check_mounted(found)
            changed = {n for n in {*self._seen, *found.names} if self._seen.get(n) != found.names.get(n)}
            if changed and not self.served():
                self.unready = STILL_LOADING
            for name in sorted(changed):
                await self._follow(name)
        except (PropenseError, OSError) as error:
            trouble = str(error)
        self._conclude(trouble)

    async def reload(self, name: str) -> None:
        """Look at one name now, and load its champion whether or not a file has changed.

        Raises:
            CheckpointError: its folder cannot be read.
        """
        await self._follow(name, again=True)
        if self.unready != STILL_LOADING:
            self._conclude(None)

    async def _follow(self, name: str, *, again: bool = False) -> None:
        """Do with one name as the registry says now; it may have changed while others were loaded."""
        async with self._changing:
            seen = await run_sync(sight, self._registry, name, abandon_on_cancel=True)
            if seen == self._seen.get(name) and not again:
                return
            if seen is None:
                self._drop(name)
                return
            self._seen[name] = seen
            before = self.all.get(name, Champion(None, None, None)).served
            self.all[name] = champion = await self._attempt(name, seen, before)
            self._note_change(name, before, champion.served)

    async def _attempt(self, name: str, seen: Sight, before: Served | None) -> Champion:
        if seen.champion is None:
            kept = f"stays in service as version {before.manifest.version}" if before else "is not in service"
            _log.error("%s %s: %s", name, kept, seen.fault)
            return Champion(None, before, self._loader.without_paths(seen.fault or ""))
        loaded = await self._loader.load(name, seen.champion, self._build, present=before)
        if isinstance(loaded, Refused):
            return Champion(seen.champion, before, loaded.reason)
        return Champion(seen.champion, loaded, None)

    def _drop(self, name: str) -> None:
        self._seen.pop(name, None)
        gone = self.all.get(name)
        if gone and gone.reason != GONE:
            _log.error("%s is not in service: %s", name, GONE)
            self.all[name] = Champion(None, None, GONE)
            self._note_change(name, gone.served, None)

    def _note_change(self, name: str, before: Served | None, now: Served | None) -> None:
        if now is before:
            return
        if before:
            self._metrics.note_version(name, before.manifest.version, in_service=False)
            collect_soon()
        if now:
            self._metrics.note_version(name, now.manifest.version, in_service=True)

    def _check_mounted(self, found: View) -> None:
        """A registry that is another folder than before, and empty, is one whose disk has gone."""
        if found.names:
            self._folder = found.folder
        elif self._folder not in (None, found.folder):
            raise CheckpointError(f"the registry {self._registry.root} is empty, as if it were not mounted")

    def _conclude(self, trouble: str | None) -> None:
        """Say what is in service, and what is wrong with the registry, where it has changed."""
        names = [f"{s.manifest.name} {s.manifest.version}" for s in self.served()]
        if names != self._told:
            _log.info("models in service: %s", ", ".join(names) or "none")
        if trouble is None and not self._seen:
            trouble = (
                f"the registry {self._registry.root} holds no model; `propense train STUDY.yaml` makes one"
            )
        if trouble and trouble != self._trouble:
            now = "what is in service stays" if names else "nothing to serve yet"
            _log.error("%s: %s", now, trouble)
        why = self._loader.without_paths(trouble or self._why_none_serves())
        self.unready = None if names else why
        self._told, self._trouble = names, trouble

    def _why_none_serves(self) -> str:
        names = ", ".join(sorted(self.all))
        return f"none of the models ({names}) is in service; GET /v1/models/NAME says why"
