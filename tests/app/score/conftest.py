from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.observe.metrics import Metrics
from app.request.batcher import Threads
from app.score.block import Bounds, score
from app.score.forms import FORMS
from app.settings import Settings
from app.versions.served import Served, serve
from model.predictor import load_predictor
from model.store.registry import Registry
from model.times import parse_time
from tests.app.toys import AS_OF

ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
NDJSON = "application/x-ndjson"
CSV = "text/csv"

Serve = Callable[[str], Served]


@pytest.fixture(scope="session")
def served(registry: Path) -> Iterator[Serve]:
    """A model of the registry, put into service outside any app."""
    with ThreadPoolExecutor(1) as thread:

        def make(name: str) -> Served:
            predictor = load_predictor(Registry(registry).folder(name, 1))
            return serve(
                predictor, Settings(registry=registry), threads=Threads(thread, thread), metrics=Metrics()
            )

        yield make


def scored(
    model: Served, kind: str, pieces: list[bytes], *, batch_bytes: int = 1 << 22, spool_bytes: int = 1 << 26
) -> bytes:
    """The scores of a file that comes in pieces."""
    told = []
    with ExitStack() as stack:
        form = FORMS[kind]
        reader = form.reader(model, parse_time(AS_OF), Bounds(batch_bytes, spool_bytes), stack)
        writer = form.writer(model.manifest.task.output_names)
        for piece in pieces:
            told += [writer.write(score(model, block)) for block in reader.feed(piece)]
        told += [writer.write(score(model, block)) for block in reader.end()]
        told.append(writer.end())
    return b"".join(told)
