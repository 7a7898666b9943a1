"""The models in service: each name's champion, loaded at the start, and other versions once asked for."""

import logging
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

import anyio
from anyio.to_thread import run_sync

from app.errors import Problem
from app.limits import refuse_if_full
from app.metrics import Metrics
from app.predict.batcher import Batcher, Bounds, quick_rows
from app.predict.decoder import Decoder
from app.predict.warnings import Warn
from app.schemas import RequestModel, request_model
from app.settings import Settings
from model.checkpoint import Checkpoint, read_checkpoint
from model.errors import PropenseError
from model.manifest import Manifest
from model.predictor import Predictor
from model.registry import Registry
from model.rows import rows_of
from model.times import parse_time

_log: Final = logging.getLogger(__name__)
_STILL_LOADING: Final = "the models are still being loaded"
_RETRY_SECONDS: Final = 2.0  # until the registry is looked at again, where it held nothing to load
_PINNED: Final = 8  # versions beside the champions that stay loaded


@dataclass(frozen=True)
class Served:
    """A loaded version: what answers, and what may be asked.

    Attributes:
        request: explains a bad body.
        decoder: reads a good one.
        batcher: scores it.
        warn: says what is odd about a customer.
    """

    predictor: Predictor
    request: RequestModel
    decoder: Decoder
    batcher: Batcher
    warn: Warn

    @property
    def manifest(self) -> Manifest:
        """What the model says about itself."""
        return self.predictor.manifest

    def example(self) -> dict[str, Any]:
        """A request that works: the typical one of the made-up customers that proved the checkpoint."""
        golden = self.manifest.golden
        return {"as_of": golden.as_of, "customers": list(golden.customers[:1])}


@dataclass(frozen=True)
class Refused:
    """Why a version, or a whole name, is not in service."""

    reason: str


@dataclass(frozen=True)
class Champion:
    """The version of a name that the registry puts in service (None: it names none), and what came of it."""

    version: int | None
    state: Served | Refused


class Models:
    """What the registry holds, as far as it could be loaded. One broken model leaves the others alone.

    Args:
        settings: the service's.
        metrics: are told what was scored together.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._threads = ThreadPoolExecutor(1, "scoring")
        self._registry = Registry(settings.registry)
        self._champions: dict[str, Champion] = {}
        self._pinned: OrderedDict[tuple[str, int], Served] = OrderedDict()  # the latest used comes last
        self._loading = anyio.Lock()
        self._unready: str | None = _STILL_LOADING

    async def load(self) -> None:
        """Load every champion, one after another, while the service already answers."""
        for name in await self._names():
            self._champions[name] = await self._load_champion(name)
        in_service = [f"{s.manifest.name} {s.manifest.version}" for s in self.served()]
        _log.info("models in service: %s", ", ".join(in_service) or "none")
        self._unready = None if in_service else self._why_none_serves()

    async def _names(self) -> list[str]:
        """The names of the registry, once it can be read and holds any: it may be mounted or filled later."""
        while True:
            try:
                names, reason = await run_sync(self._registry.names), self._why_empty()
            except (PropenseError, OSError) as error:
                names, reason = [], str(error)
            if names:
                self._unready = _STILL_LOADING
                return names
            if reason != self._unready:
                _log.error("nothing to serve yet: %s", reason)
                self._unready = reason
            await anyio.sleep(_RETRY_SECONDS)

    @property
    def unready(self) -> str | None:
        """Why no prediction can be answered yet, or at all; None if one can."""
        return self._unready

    def served(self) -> list[Served]:
        """The champions in service, by name."""
        return [c.state for _, c in sorted(self._champions.items()) if isinstance(c.state, Served)]

    def champions(self) -> dict[str, Champion]:
        """Every name of the registry with its champion, in service or not."""
        return dict(sorted(self._champions.items()))

    def champion(self, name: str) -> Champion:
        """A name's champion, in service or not.

        Raises:
            Problem: no such name.
        """
        if name in self._champions:
            return self._champions[name]
        if self._unready and (self._unready == _STILL_LOADING or not self._champions):
            raise Problem(503, "not-ready", self._unready, headers={"Retry-After": "1"})
        nearest = get_close_matches(name[:64], self._champions, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else "GET /v1/models lists the models"
        raise Problem(404, "unknown-model", f"there is no model {name[:64]!r}; {hint}")

    async def versions(self, name: str) -> list[int]:
        """The versions of a name that the registry holds now."""
        return await run_sync(self._registry.versions, name)

    async def find(self, name: str, version: int | None = None) -> Served:
        """The model that answers: the champion, or a pinned version, which its first call loads.

        Raises:
            Problem: no such model, or it is not in service.
        """
        champion = self.champion(name)
        if version is None or version == champion.version:
            return _in_service(champion.state, name)
        if loaded := self._loaded(name, version):
            return loaded
        refuse_if_full(self._loading.statistics().tasks_waiting, self._settings.max_waiting)
        async with self._loading:  # one at a time; who waited may find it loaded
            return self._loaded(name, version) or await self._load_pinned(name, version)

    def _loaded(self, name: str, version: int) -> Served | None:
        if served := self._pinned.get((name, version)):
            self._pinned.move_to_end((name, version))
        return served

    async def _load_pinned(self, name: str, version: int) -> Served:
        """Load a version and keep it in place of the one not used for longest; a refusal is not kept."""
        await self._check_version(name, version)
        served = _in_service(await self._load(name, version), name, version)
        self._pinned[name, version] = served
        if len(self._pinned) > _PINNED:
            self._pinned.popitem(last=False)
        return served

    async def _check_version(self, name: str, version: int) -> None:
        versions = await self.versions(name)
        if version not in versions:
            listed = ", ".join(map(str, versions))
            raise Problem(404, "unknown-version", f"{name} has no version {version}; it has {listed}")

    async def _load_champion(self, name: str) -> Champion:
        try:
            version = await run_sync(self._registry.champion, name)
        except PropenseError as error:
            _log.error("%s is not in service: %s", name, error)
            return Champion(None, self._refused(error))
        if version is None:
            _log.warning("%s is not in service: it has no champion", name)
            return Champion(None, Refused(f"no version is promoted; run `propense promote {name} VERSION`"))
        return Champion(version, await self._load(name, version))

    async def _load(self, name: str, version: int) -> Served | Refused:
        try:
            return await run_sync(self._build, await run_sync(self._read, name, version))
        except PropenseError as error:
            _log.error("%s %d is not in service: %s", name, version, error)
            return self._refused(error)
        except Exception:  # whatever one model does, the others go into service
            _log.exception("%s %d is not in service", name, version)
            return Refused("loading failed in an unexpected way; the log of the service has the reason")

    def _refused(self, error: PropenseError) -> Refused:
        return Refused(str(error).replace(f"{self._settings.registry}/", ""))  # clients need no paths

    def _read(self, name: str, version: int) -> Checkpoint:
        return read_checkpoint(self._registry.folder(name, version), name=name, version=version)

    def _build(self, checkpoint: Checkpoint) -> Served:
        manifest, settings = checkpoint.manifest, self._settings
        schema, max_rows = manifest.schema_, settings.max_rows
        predictor = Predictor.build(checkpoint, device=settings.device)
        golden = rows_of(
            manifest.golden.customers, schema, parse_time(manifest.golden.as_of, zone=schema.time_zone)
        )
        bounds = Bounds(
            quick_rows(predictor.predict_rows, golden) if predictor.encoder else 0,
            settings.max_waiting,
            settings.deadline_seconds,
        )
        return Served(
            predictor,
            request_model(schema, max_rows=max_rows),
            Decoder.build(schema, max_rows=max_rows),
            Batcher(
                lambda rows: predictor.predict_rows(rows), bounds, self._threads, self._metrics.note_batch
            ),
            Warn.of(schema),
        )

    def _why_none_serves(self) -> str:
        names = ", ".join(self._champions)
        return f"none of the models ({names}) is in service; GET /v1/models/NAME says why"

    def _why_empty(self) -> str:
        return f"the registry {self._settings.registry} holds no model; `propense train STUDY.yaml` makes one"


def _in_service(state: Served | Refused, name: str, version: int | None = None) -> Served:
    if isinstance(state, Served):
        return state
    if version is None:
        called, where = name, f"GET /v1/models/{name}"
    else:
        called, where = f"{name} version {version}", "the log of the service"
    raise Problem(503, "model-not-in-service", f"{called} is not in service; {where} says why")
