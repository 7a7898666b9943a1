"""A version brought to life: what answers, and what may be asked."""

import asyncio
import gc
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from app.models.shadow import Shadow
from app.observe.metrics import Metrics
from app.observe.tally import Tally
from app.predict.batcher import Batcher, Bounds, quick_rows
from app.predict.decoder import Decoder
from app.predict.keys import Keys
from app.predict.warnings import Warn
from app.schemas import RequestModel, request_model
from app.settings import Settings
from model.manifest import Manifest
from model.predictor import Predictor
from model.rows import rows_of
from model.times import parse_time


@dataclass(frozen=True)
class Served:
    """A loaded version. A request holds it from beginning to end, so that it names one version only.

    Attributes:
        request: explains a bad body.
        decoder: reads a good one.
        keys: finds what a large one should not have.
        batcher: scores it.
        warn: says what is odd about a customer.
        shadow: scores it once more, aside; None where nobody wants that.
        tally: counts what was scored.
    """

    predictor: Predictor
    request: RequestModel
    decoder: Decoder
    keys: Keys
    batcher: Batcher
    warn: Warn
    shadow: Shadow | None
    tally: Tally

    @property
    def manifest(self) -> Manifest:
        """What the model says about itself."""
        return self.predictor.manifest

    def example(self) -> dict[str, Any]:
        """A request that works: the typical one of the made-up customers that proved the checkpoint."""
        golden = self.manifest.golden
        return {"as_of": golden.as_of, "customers": list(golden.customers[:1])}


def serve(
    predictor: Predictor,
    settings: Settings,
    *,
    threads: Executor,
    metrics: Metrics,
    shadow: Shadow | None = None,
) -> Served:
    """Put all that answers around a version that was proven; its network is warm afterwards.

    Args:
        threads: where long scorings run.
        metrics: are told what was scored together.
    """
    schema = predictor.manifest.schema_
    warn = Warn.of(schema)
    tally = metrics.tally(predictor.manifest.name, predictor.manifest.version, warn)
    bounds = Bounds(_quick_rows(predictor), settings.max_waiting, settings.deadline_seconds)
    request = request_model(schema, max_rows=settings.max_rows)
    return Served(
        predictor,
        request,
        Decoder.build(schema, max_rows=settings.max_rows),
        Keys.build(request),
        Batcher(lambda rows: tally(predictor.predict_rows(rows)), bounds, threads),
        warn,
        shadow,
        tally,
    )


def collect_soon() -> None:
    """Have the collector free what was compiled for a version that went out of service: it holds itself.

    In a second, when its last requests are answered. That is quick where the start was frozen (`gc.freeze`).
    """
    asyncio.get_running_loop().call_later(1.0, gc.collect)


def _quick_rows(predictor: Predictor) -> int:
    if predictor.encoder is None:
        return 0
    golden, schema = predictor.manifest.golden, predictor.manifest.schema_
    as_of = parse_time(golden.as_of, zone=schema.time_zone)
    return quick_rows(predictor.predict_rows, rows_of(golden.customers, schema, as_of))
