"""The models of the registry: for each request the champion, or the version that its path pins."""

import logging
import re
from collections import OrderedDict
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from typing import Final

import anyio
from anyio.to_thread import run_sync

from app.errors import Problem
from app.limits import RequestLimits, queue_full
from app.observe.metrics import Metrics
from app.request.batcher import ScoringThread, Threads
from app.request.scorer import Record
from app.settings import Settings
from app.versions.champions import GONE, STILL_LOADING, Champion, Champions
from app.versions.loader import Loader, Refused
from app.versions.served import Served, collect_soon, serve
from app.versions.shadow import Shadow
from model.predictor import Predictor
from model.store.manifest import Manifest
from model.store.registry import NAME_PATTERN, Registry

_log: Final = logging.getLogger(__name__)
_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}")
_PINNED: Final = 8  # versions beside the champions that stay loaded


class Models:
    """The registry as the service sees it.

    Args:
        metrics: count what is scored and what is in service.
        recorded: as `serve` has it.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        recorded: Callable[[Manifest], Record] | None = None,
    ) -> None:
        self._settings = settings
        self._registry = Registry(settings.registry)
        self._loader = Loader(self._registry, settings.device, settings.threads, metrics)
        self._shadows = {
            name: Shadow(name, version, self._loader, metrics) for name, version in settings.shadow.items()
        }
        self._scoring = ScoringThread("scoring"), ScoringThread("large bodies")
        self._hung_seconds = settings.hung_seconds
        self._serve = partial(
            serve,
            limits=RequestLimits(settings.max_rows, settings.max_waiting, settings.deadline_seconds),
            threads=Threads(*self._scoring),
            metrics=metrics,
            recorded=recorded,
        )
        self._champions = Champions(
            self._loader, self._serve_champion, metrics, needs_all=settings.ready == "all"
        )
        self._pinned: OrderedDict[tuple[str, int], Served] = OrderedDict()  # the latest used comes last
        self._loading = anyio.Lock()

    async def run(self) -> None:
        """Load the champions, while the service already answers, then follow the registry for ever."""
        await self._look()
        while self._settings.watch_seconds:
            await anyio.sleep(self._settings.watch_seconds)
            await self._look()

    async def reload(self, name: str) -> Champion:
        """Load the champion of a model now, even if that has failed before.

        Raises:
            Problem: no such model, or its champion could not be loaded.
            CheckpointError: the registry cannot be read.
        """
        if NAME_PATTERN.fullmatch(name):
            await self._champions.reload(name)
        champion = self.champion(name)
        if champion.reason is None:
            return champion
        called = f"{name} version {champion.version}" if champion.version else name
        served = champion.served
        kept = f" (version {served.manifest.version} stays in service)" if served else ""
        detail = f"{called} was not loaded{kept}: {champion.reason}"
        raise Problem(409, "not-reloaded", detail)

    @property
    def hung(self) -> bool:
        """Whether a thread has been at one batch for too long, so that only a restart helps."""
        return max(thread.busy_seconds() for thread in self._scoring) >= self._hung_seconds

    @property
    def unready(self) -> str | None:
        """Why no prediction can be answered; None if one can."""
        return self._champions.unready

    def served(self) -> list[Served]:
        """Return the champions in service, by name."""
        return self._champions.served()

    def champions(self) -> dict[str, Champion]:
        """Return the champions of all models by name, in service or not."""
        return dict(sorted(self._champions.all.items()))

    def champion(self, name: str) -> Champion:
        """Return the champion of a model, in service or not.

        Raises:
            Problem: there is no such model.
        """
        known = self._champions.all
        if name in known:
            return known[name]
        if self.unready and (self.unready == STILL_LOADING or not known):
            raise Problem(503, "not-ready", self.unready, headers={"Retry-After": "1"})
        nearest = get_close_matches(name[:64], known, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else "GET /v1/models lists the models"
        raise Problem(404, "unknown-model", f"there is no model {name[:64]!r}; {hint}")

    def waiting(self) -> int:
        """Return the number of requests that wait for a score."""
        return sum(served.batcher.waiting for served in [*self.served(), *self._pinned.values()])

    async def versions(self, name: str) -> list[int]:
        """Return the versions of a model that the registry has now."""
        return await run_sync(self._registry.versions, name)

    async def find(self, name: str, version: int | None = None) -> Served:
        """Return the champion, or a pinned version, which its first request loads.

        Raises:
            Problem: there is no such model or version, or it is not in service.
        """
        champion = self.champion(name)
        served = champion.served
        if served and (version is None or version == served.manifest.version):
            return served
        if version is None or version == champion.version or champion.reason == GONE:
            raise _not_in_service(name, f"GET /v1/models/{name}")
        if loaded := self._loaded(name, version):
            return loaded
        if self._loading.statistics().tasks_waiting >= self._settings.max_waiting:
            raise queue_full(self._settings.max_waiting)
        async with self._loading:  # one at a time: another request may have loaded it meanwhile
            return self._loaded(name, version) or await self._load_pinned(name, version)

    async def _look(self) -> None:
        try:
            await self._champions.look()
            for shadow in self._shadows.values():
                await shadow.look()
        except Exception:  # the next look may succeed
            _log.exception("the registry could not be looked at")

    def _serve_champion(self, predictor: Predictor) -> Served:
        return self._serve(predictor, shadow=self._shadows.get(predictor.manifest.name))

    def _loaded(self, name: str, version: int) -> Served | None:
        if served := self._pinned.get((name, version)):
            self._pinned.move_to_end((name, version))
        return served

    async def _load_pinned(self, name: str, version: int) -> Served:
        """Load a version and drop the least recently used one of too many; a refusal is not kept."""
        await self._check_version(name, version)
        loaded = await self._loader.load(name, version, self._serve)
        if isinstance(loaded, Refused):
            raise _not_in_service(f"{name} version {version}", "the log of the service")
        self._pinned[name, version] = loaded
        if len(self._pinned) > _PINNED:
            self._pinned.popitem(last=False)
            collect_soon()
        return loaded

    async def _check_version(self, name: str, version: int) -> None:
        versions = await self.versions(name)
        if version not in versions:
            listed = ", ".join(map(str, versions)) or "none now"
            raise Problem(404, "unknown-version", f"{name} has no version {version}; it has {listed}")


def _not_in_service(called: str, where: str) -> Problem:
    return Problem(503, "model-not-in-service", f"{called} is not in service; {where} says why")


def version_number(version: str) -> int:
    """Return the version that a path names.

    Raises:
        Problem: it is not a whole number from 1.
    """
    if not _VERSION.fullmatch(version):
        raise Problem(404, "not-found", "version must be a whole number from 1")
    return int(version)
