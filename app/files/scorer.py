"""The child process that scores files, as the service sees it: one file after another."""

import asyncio
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.errors import Fault, Problem
from app.files.upload import no_room
from app.observe.tally import Counts
from app.settings import Settings
from model.store.manifest import Manifest

_log: Final = logging.getLogger(__name__)
_LINE: Final = 1 << 22  # bytes of a result
_MEMORY: Final = (-signal.SIGKILL, -signal.SIGABRT)  # of a kernel, or of a library, that has no more


@dataclass(frozen=True)
class FileScores:
    """What was scored of a file.

    Attributes:
        ignored: columns that the model does not read.
        notes: what was read otherwise than it stands there, as sentences.
        counts: what metrics count.
    """

    rows: int
    ignored: list[str]
    notes: list[str]
    counts: Counts


CountRecords = Callable[[str, Mapping[str, int], str], None]
"""Takes a model, its customers by what the ledger has of them, and why some are lost."""


class FileScorer:
    """Scores files in a process of its own, which is started for the first and after it has died.

    Args:
        count: of records in the ledger; None: nothing is recorded.
    """

    def __init__(self, settings: Settings, count: CountRecords | None = None) -> None:
        self._settings = settings
        self._count = count
        self._turn = asyncio.Lock()
        self._process: Process | None = None

    async def score(self, manifest: Manifest, file: Path, out: Path, as_of: int) -> FileScores:
        """Score a file; where the caller is cancelled, so is the work.

        Args:
            manifest: of the version that scores.
            out: the result, in the form of its suffix.
            as_of: the instant of the prediction.

        Raises:
            Problem: the file cannot be scored, or takes more than it may.
        """
        job = {
            "folder": str(self._settings.registry / manifest.name / str(manifest.version)),
            "name": manifest.name,
            "version": manifest.version,
            "device": self._settings.device,
            "file": str(file),
            "out": str(out),
            "as_of": as_of,
            "out_bytes": self._settings.max_score_bytes,
            "memory_bytes": self._settings.file_memory_bytes,
            "cpu_seconds": self._settings.file_cpu_seconds,
            "ledger": str(self._settings.ledger) if self._count else None,
        }
        async with self._turn:
            result = await self._result_of(job)
        if "kind" in result:
            raise self._problem(result)
        if self._count:
            self._count(manifest.name, *result["records"])
        return FileScores(result["rows"], result["ignored"], result["notes"], Counts(**result["counts"]))

    async def close(self) -> None:
        """End the process."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._process = None

    async def _result_of(self, job: dict[str, Any]) -> dict[str, Any]:
        """The result of a job, or the kind of its failure."""
        process = await self._running()
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(json.dumps(job).encode() + b"\n")
            line = await self._line(process, process.stdout)
        except asyncio.CancelledError:
            await asyncio.shield(self.close())
            raise
        if line is None:
            await self.close()
            return {"kind": "hung", "detail": f"no work in {self._settings.hung_seconds:g} seconds"}
        if line:
            result: dict[str, Any] = json.loads(line)
            if result.get("kind") == "memory":
                await self.close()
            return result
        status = await process.wait()
        kind = "cpu" if status == -signal.SIGXCPU else "memory" if status in _MEMORY else "failed"
        return {"kind": kind, "detail": f"exit status {status}"}

    async def _line(self, process: Process, results: asyncio.StreamReader) -> bytes | None:
        """The line with a result; None once the process has not worked for too long, as on a dead disk."""
        reading, worked = asyncio.ensure_future(results.readline()), None
        try:
            while (now := _cpu_seconds(process.pid)) != worked or worked is None:
                worked = now
                done, _ = await asyncio.wait([reading], timeout=self._settings.hung_seconds)
                if done:
                    return reading.result()
            return None
        finally:
            reading.cancel()

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            paths = os.pathsep.join(path or os.getcwd() for path in sys.path)  # noqa: PTH109 - as Python has it
            environment = {
                **os.environ,
                "PYTHONPATH": paths,
                "OMP_NUM_THREADS": str(self._settings.threads),
                "MALLOC_ARENA_MAX": "2",  # arenas take address space, which is limited
                "ARROW_DEFAULT_MEMORY_POOL": "system",  # likewise
            }
            if key := self._settings.ledger_key:
                environment["PROPENSE_LEDGER_KEY"] = key.get_secret_value()
            command = (sys.executable, "-P", "-m", "app.files.child")
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, env=environment, limit=_LINE
            )
        return self._process

    def _problem(self, result: dict[str, Any]) -> Problem:
        kind, detail = result["kind"], result["detail"]
        if kind == "columns":
            return Problem(
                422, "invalid-columns", detail, errors=[_missing(*one) for one in result["missing"]]
            )
        if kind == "file":
            return Problem(422, "invalid-file", detail)
        if kind == "disk":
            return no_room()
        limits = {
            "cpu": f"a file may take {self._settings.file_cpu_seconds:g} seconds of CPU time",
            "memory": f"a file may take {self._settings.file_memory_bytes} bytes of memory",
            "size": f"the scores of a file may have {self._settings.max_score_bytes} bytes",
        }
        if kind == "hung":
            _log.error("scoring a file hung (%s); the next file has a new process", detail)
            detail = "scoring this file came to a halt; send it again"
            return Problem(503, "file-hung", detail, headers={"Retry-After": "1"})
        if kind in limits:
            return Problem(422, "file-too-costly", f"{limits[kind]}; send it in parts")
        _log.error("scoring a file failed: %s", detail)
        if kind == "model":
            return Problem(503, "unavailable", "the service cannot score files with this version now")
        return Problem(500, "file-failed", "the service failed on this file; its log has the reason")


def _cpu_seconds(pid: int) -> float | None:
    """The processor time of a process so far; None where the system does not say, which counts as work."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    return float(fields[11]) + float(fields[12])


def _missing(name: str, near: str | None) -> Fault:
    hint = f"did you mean {near}?" if near else None
    return Fault(field=name, got="nothing", allowed="a column of the file; its cells may be empty", hint=hint)
