"""A loaded version with all that answers requests to it."""

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from app.limits import RequestLimits
from app.observe.metrics import Metrics
from app.observe.tally import Tally
from app.request.batcher import Batcher, Threads
from app.request.decoder import Decoder
from app.request.scorer import Answer, Record, Request, RequestScorer, quick_rows
from app.request.structs import RequestTypes
from app.request.unknown import UnknownFields
from app.request.warnings import Warnings
from app.server.memory import trim
from app.versions.shadow import Shadow
from model.predictor import Predictor
from model.store.manifest import Manifest

_MANY: Final = 64  # customers by which the time of one is measured
_FEW: Final = 8  # where they have events: the first one takes as long as many more


@dataclass(frozen=True)
class Served:
    """A loaded version. A request holds it from beginning to end, so that all of it meets one version.

    Attributes:
        types: what a request may hold.
        batcher: answers requests.
        shadow: scores answered requests again; None: the model has no shadow.
        tally: counts what was scored.
    """

    predictor: Predictor
    types: RequestTypes
    batcher: Batcher[Request, Answer]
    shadow: Shadow | None
    tally: Tally

    @property
    def manifest(self) -> Manifest:
        """The manifest of the version."""
        return self.predictor.manifest

    def example(self) -> dict[str, Any]:
        """Return a request that works: with the typical one of the checkpoint's golden customers."""
        golden = self.manifest.golden
        return {"as_of": golden.as_of, "customers": list(golden.customers[:1])}


def serve(
    predictor: Predictor,
    limits: RequestLimits,
    *,
    threads: Threads,
    metrics: Metrics,
    shadow: Shadow | None = None,
    recorded: Callable[[Manifest], Record] | None = None,
) -> Served:
    """Build what answers requests to a verified version; its network is warm afterwards.

    Args:
        recorded: returns what records the answers of a version; None: nothing does.
    """
    manifest = predictor.manifest
    types = RequestTypes.build(manifest.schema_, max_rows=limits.max_rows, contract=manifest.task.dates)
    warnings = Warnings.of(manifest.schema_)
    tally = metrics.tally(manifest.name, manifest.version, warnings.ranges)
    scorer = RequestScorer(
        predictor,
        types,
        Decoder.build(manifest.schema_, types),
        UnknownFields.build(types),
        tally,
        warnings,
        keeps=shadow is not None,
        record=recorded(manifest) if recorded else None,
    )
    batcher = Batcher(scorer, _quick_rows(scorer), limits, threads)
    return Served(predictor, types, batcher, shadow, tally)


def collect_soon() -> None:
    """Free what was compiled for a version that went out of service, which refers to itself.

    In a second, when its last requests are answered. This is quick where the start was frozen (`gc.freeze`).
    """
    asyncio.get_running_loop().call_later(1.0, _collect)


def _collect() -> None:
    gc.collect()
    asyncio.get_running_loop().run_in_executor(None, trim)


def _quick_rows(scorer: RequestScorer) -> int:
    """The number of customers that the event loop can score at once. Measuring also warms the network up."""
    if not scorer.predictor.scorer.quick:
        return 0
    golden = scorer.predictor.manifest.golden
    n = min(_FEW if scorer.types.event else _MANY, scorer.types.max_rows)
    customers = list(golden.customers * n)[:n]
    request = Request(msgspec.json.encode({"as_of": golden.as_of, "customers": customers}))
    return 0 if request.is_large else quick_rows(replace(scorer, tally=lambda _: None, record=None), request)
