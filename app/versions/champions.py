"""The champions in service: replaced when the registry names others that can be loaded and verified."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio
from anyio.to_thread import run_sync

from app.observe.metrics import Metrics
from app.versions.loader import Loader, Refused
from app.versions.served import Served, collect_soon
from app.versions.snapshot import ModelSnapshot, RegistrySnapshot, model_snapshot, take_snapshot
from model.errors import CheckpointError, PropenseError
from model.predictor import Predictor

_log: Final = logging.getLogger(__name__)
STILL_LOADING: Final = "the models are still being loaded"
GONE: Final = "the registry holds it no longer"


@dataclass(frozen=True)
class Champion:
    """The champion of one model.

    Attributes:
        version: the version that the registry names, if it names one.
        served: the version in service: that one, or the one before if that one cannot be loaded.
        reason: why the registry's version is not in service; None if it is.
    """

    version: int | None
    served: Served | None
    reason: str | None


class Champions:
    """The champions of all models. If one fails, the version before stays in service, and so do all others.

    Args:
        build: builds what answers for a verified version.
        needs_all: whether the start is complete only when all models are in service.

    Attributes:
        all: the champions by name.
        unready: why no prediction can be answered; None if one can.
    """

    def __init__(
        self,
        loader: Loader,
        build: Callable[[Predictor], Served],
        metrics: Metrics,
        *,
        needs_all: bool = False,
    ) -> None:
        self.all: dict[str, Champion] = {}
        self.unready: str | None = STILL_LOADING
        self._loader = loader
        self._registry = loader.registry
        self._build = build
        self._metrics = metrics
        self._needs_all = needs_all  # until that was so once: a later broken model must not end the others
        self._seen: dict[str, ModelSnapshot] = {}  # of which the champions are the result
        self._folder: tuple[int, int] | None = None  # of the registry when it had models
        self._changing = anyio.Lock()
        self._logged: list[str] = []
        self._trouble: str | None = None

    def served(self) -> list[Served]:
        """Return the versions in service, by name."""
        return [c.served for _, c in sorted(self.all.items()) if c.served]

    async def look(self) -> None:
        """Follow the registry, one model after another."""
        trouble = None
        try:
            found = await run_sync(take_snapshot, self._registry, abandon_on_cancel=True)
            self._check_mounted(found)
            changed = {n for n in {*self._seen, *found.models} if self._seen.get(n) != found.models.get(n)}
            if changed and not self.served():
                self.unready = STILL_LOADING
            for name in sorted(changed):
                await self._follow(name)
        except (PropenseError, OSError) as error:
            trouble = str(error)
        self._conclude(trouble)

    async def reload(self, name: str) -> None:
        """Load the champion of one model, whether or not a file has changed.

        Raises:
            CheckpointError: the model's folder cannot be read.
        """
        await self._follow(name, again=True)
        if self.unready != STILL_LOADING:
            self._conclude(None)

    async def _follow(self, name: str, *, again: bool = False) -> None:
        """Follow the registry for one model, as it is now: it may have changed while others were loaded."""
        async with self._changing:
            seen = await run_sync(model_snapshot, self._registry, name, abandon_on_cancel=True)
            if seen == self._seen.get(name) and not again:
                return
            if seen is None:
                self._drop(name)
                return
            self._seen[name] = seen
            before = self.all.get(name, Champion(None, None, None)).served
            self.all[name] = champion = await self._attempt(name, seen, before)
            self._note_change(name, before, champion.served)

    async def _attempt(self, name: str, seen: ModelSnapshot, before: Served | None) -> Champion:
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

    def _check_mounted(self, found: RegistrySnapshot) -> None:
        """Check that an empty registry is the same folder as before: else its disk is no longer mounted."""
        if found.models:
            self._folder = found.folder
        elif self._folder not in (None, found.folder):
            raise CheckpointError(f"the registry {self._registry.root} is empty, as if it were not mounted")

    def _conclude(self, trouble: str | None) -> None:
        """Log what is in service, and what is wrong with the registry, if that has changed."""
        names = [f"{s.manifest.name} {s.manifest.version}" for s in self.served()]
        if names != self._logged:
            _log.info("models in service: %s", ", ".join(names) or "none")
        if trouble is None and not self._seen:
            trouble = (
                f"the registry {self._registry.root} holds no model; `propense train STUDY.yaml` makes one"
            )
        if trouble and trouble != self._trouble:
            now = "what is in service stays" if names else "nothing to serve yet"
            _log.error("%s: %s", now, trouble)
        why = self._loader.without_paths(trouble or self._why_none_serves())
        broken = [name for name, champion in self.all.items() if champion.served is None]
        if names and not broken:
            self._needs_all = False
        if names and self._needs_all:
            why = f"not in service: {', '.join(sorted(broken))}; GET /v1/models/NAME says why"
        self.unready = why if self._needs_all or not names else None
        self._logged, self._trouble = names, trouble

    def _why_none_serves(self) -> str:
        names = ", ".join(sorted(self.all))
        return f"none of the models ({names}) is in service; GET /v1/models/NAME says why"
