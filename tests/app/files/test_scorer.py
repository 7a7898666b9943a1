"""The child process: its limits, its death, and what others notice of it."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from app.errors import Problem
from app.files.scorer import FileScorer
from app.main import create_app
from app.settings import Settings
from model.predictor import load_predictor
from model.store.manifest import Manifest
from model.store.registry import Registry
from tests.app.client import Client, running
from tests.app.files.forms import ARROW, CSV, HEAD, post, scores, stream, table

ROW = "1,3,contract 1,,,,,\n"
LARGE = HEAD + ROW * 400_000


@pytest.fixture(scope="module")
def limited(registry: Path) -> Iterator[Client]:
    """The service with little memory and CPU time for a file."""
    settings = Settings(
        registry=registry, watch_seconds=0, file_memory_bytes=300_000_000, file_cpu_seconds=1.0
    )
    with running(create_app(settings)) as client:
        client.wait_until_loaded()
        scores(client, HEAD + ROW, CSV)  # loading the model does not count
        yield client


def test_a_file_that_takes_too_much_memory_is_refused_and_the_next_is_scored(limited: Client) -> None:
    bomb = stream(table(contract=pa.array(["x" * 100_000] * 8_000)), rows=8_000, compression="zstd")
    assert len(bomb) < 200_000
    response = post(limited, bomb, ARROW)
    assert (response.status_code, response.json()["type"]) == (422, "urn:propense:file-too-costly")
    assert response.json()["detail"] == "a file may take 300000000 bytes of memory; send it in parts"
    assert len(scores(limited, HEAD + ROW, CSV)) == 1


def test_a_file_that_takes_too_much_cpu_time_is_refused_and_the_next_is_scored(limited: Client) -> None:
    rows = table(bill_1=pa.nulls(1 << 20))
    bomb = stream(pa.concat_tables([rows] * 8), rows=1 << 20)
    assert len(bomb) < 10_000
    response = post(limited, bomb, ARROW)
    assert (response.status_code, response.json()["type"]) == (422, "urn:propense:file-too-costly")
    assert response.json()["detail"] == "a file may take 1 seconds of CPU time; send it in parts"
    assert len(scores(limited, HEAD + ROW, CSV)) == 1


Use = Callable[[FileScorer, Manifest, Path], Awaitable[None]]


def run(registry: Path, folder: Path, use: Use) -> None:
    """Use a scorer outside any service, on a small file and one of 400,000 rows; no test waits for that."""
    (folder / "file.csv").write_text(LARGE)
    (folder / "small.csv").write_text(HEAD + ROW)

    async def main() -> None:
        scorer = FileScorer(Settings(registry=registry))
        manifest = load_predictor(Registry(registry).folder("churn", 1)).manifest
        try:
            await use(scorer, manifest, folder)
        finally:
            await scorer.close()

    asyncio.run(main())


async def scoring(scorer: FileScorer, out: Path) -> int:
    """The id of the process, once it has begun to write scores."""
    async with asyncio.timeout(60):
        while not out.with_name(f".{out.name}.part").exists():
            await asyncio.sleep(0.01)
    assert scorer._process
    return scorer._process.pid


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_child_that_dies_costs_its_file_and_no_other(registry: Path, tmp_path: Path) -> None:
    async def use(scorer: FileScorer, manifest: Manifest, folder: Path) -> None:
        for number, status in ((signal.SIGKILL, 422), (signal.SIGSEGV, 500), (signal.SIGXCPU, 422)):
            out = folder / f"{number.name}.csv"
            first = asyncio.ensure_future(scorer.score(manifest, folder / "file.csv", out, 0))
            second = asyncio.ensure_future(
                scorer.score(manifest, folder / "small.csv", folder / "other.csv", 0)
            )
            os.kill(await scoring(scorer, out), number)
            with pytest.raises(Problem) as refused:
                await first
            assert refused.value.status == status
            assert (await second).rows == 1

    run(registry, tmp_path, use)


def test_a_caller_that_leaves_ends_the_work_on_its_file_alone(registry: Path, tmp_path: Path) -> None:
    async def use(scorer: FileScorer, manifest: Manifest, folder: Path) -> None:
        out, file = folder / "scores.csv", folder / "file.csv"
        first = asyncio.ensure_future(scorer.score(manifest, file, out, 0))
        waiting = asyncio.ensure_future(scorer.score(manifest, file, folder / "never.csv", 0))
        last = asyncio.ensure_future(scorer.score(manifest, folder / "small.csv", folder / "last.csv", 0))
        process = await scoring(scorer, out)
        waiting.cancel()
        first.cancel()
        await asyncio.gather(first, waiting, return_exceptions=True)
        assert not is_there(process)
        assert (await last).rows == 1
        assert {path.name for path in folder.glob("*.csv")} == {"file.csv", "small.csv", "last.csv"}

    run(registry, tmp_path, use)


def test_a_child_ends_with_the_service(registry: Path, tmp_path: Path) -> None:
    """When its input ends, which is what it sees of a service that was killed."""

    async def use(scorer: FileScorer, manifest: Manifest, folder: Path) -> None:
        out, file = folder / "scores.csv", folder / "file.csv"
        work = asyncio.ensure_future(scorer.score(manifest, file, out, 0))
        await scoring(scorer, out)
        assert scorer._process
        assert scorer._process.stdin
        scorer._process.stdin.close()
        assert await asyncio.wait_for(scorer._process.wait(), 10) == 0
        await asyncio.gather(work, return_exceptions=True)
        await scorer.score(manifest, folder / "small.csv", out, 0)
        process = scorer._process.pid
        await scorer.close()
        assert not is_there(process)

    run(registry, tmp_path, use)


def test_a_version_that_cannot_be_loaded_is_unavailable(registry: Path, tmp_path: Path) -> None:
    async def use(scorer: FileScorer, manifest: Manifest, folder: Path) -> None:
        broken = manifest.model_copy(update={"name": "broken"})
        with pytest.raises(Problem) as refused:
            await scorer.score(broken, folder / "file.csv", folder / "scores.csv", 0)
        assert refused.value.status == 503

    run(registry, tmp_path, use)
