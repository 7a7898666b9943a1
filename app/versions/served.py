"""A version brought to life: what answers, and what may be asked."""

import asyncio
import gc
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from app.observe.metrics import Metrics
from app.observe.tally import Tally
from app.request.batcher import Batcher, Bounds, Threads
from app.request.decoder import Decoder
from app.request.keys import Keys
from app.request.schemas import RequestModel, request_model
from app.request.scorer import LARGE, Ask, Desk, Told, most_rows, quick_rows
from app.request.warnings import Warn
from app.server.memory import give_back
from app.settings import Settings
from app.versions.shadow import Shadow
from model.predictor import Predictor
from model.store.manifest import Manifest


@dataclass(frozen=True)
class Served:
    """A loaded version. A request holds it from beginning to end, so that it names one version only.

    Attributes:
        request: explains a bad body.
        decoder: reads a good one.
        batcher: answers it.
        shadow: scores it once more, aside; None where nobody wants that.
        tally: counts what was scored.
    """

    predictor: Predictor
    request: RequestModel
    decoder: Decoder
    batcher: Batcher[Ask, Told]
    shadow: Shadow | None
    tally: Tally

    @property
    def manifest(self) -> Manifest:
        """What the model says about itself."""
        return self.predictor.manifest

    async def answer(self, ask: Ask, *, alone: bool = False) -> Told:
        """The answer to a predict request.

        Args:
            alone: whether no other request is in the house.

        Raises:
            Problem: what is wrong with it, or with the load.
        """
        large = len(ask.body) >= LARGE
        # A large body is alone in its batch, and to count in it would be a long search.
        n_rows = len(ask.body) if large else most_rows(ask)
        return await self.batcher.ask(ask, n_rows, alone=alone, large=large)

    def example(self) -> dict[str, Any]:
        """A request that works: the typical one of the made-up customers that proved the checkpoint."""
        golden = self.manifest.golden
        return {"as_of": golden.as_of, "customers": list(golden.customers[:1])}


def serve(
    predictor: Predictor,
    settings: Settings,
    *,
    threads: Threads,
    metrics: Metrics,
    shadow: Shadow | None = None,
) -> Served:
    """Put all that answers around a version that was proven; its network is warm afterwards.

    Args:
        metrics: are told what was scored together.
    """
    manifest = predictor.manifest
    warn = Warn.of(manifest.schema_)
    tally = metrics.tally(manifest.name, manifest.version, warn)
    request = request_model(manifest.schema_, max_rows=settings.max_rows)
    decoder = Decoder.build(manifest.schema_, max_rows=settings.max_rows)
    keys = Keys.build(request)
    desk = Desk(predictor, request, decoder, keys, tally, warn, keeps=shadow is not None)
    bounds = Bounds(_quick_rows(predictor, desk), settings.max_waiting, settings.deadline_seconds)
    batcher = Batcher(desk, bounds, threads)
    return Served(predictor, request, decoder, batcher, shadow, tally)


def collect_soon() -> None:
    """Have the collector free what was compiled for a version that went out of service: it holds itself.

    In a second, when its last requests are answered. That is quick where the start was frozen (`gc.freeze`).
    """
    asyncio.get_running_loop().call_later(1.0, _collect)


def _collect() -> None:
    gc.collect()
    asyncio.get_running_loop().run_in_executor(None, give_back)


def _quick_rows(predictor: Predictor, desk: Desk) -> int:
    """How many customers can be answered in the loop. Measuring also warms the network up."""
    if predictor.encoder is None:
        return 0
    golden = predictor.manifest.golden
    customers = list(golden.customers * 64)[: min(64, desk.decoder.max_rows)]
    body = msgspec.json.encode({"as_of": golden.as_of, "customers": customers})
    return quick_rows(replace(desk, tally=lambda _: None), Ask(body))
