"""The process that scores files: a job a line on standard input, its result a line on standard output.

It keeps the models of the last jobs loaded. Each file has a limit of memory and of CPU time; a file that
exceeds one ends this process and no other request.
"""

import errno
import hashlib
import json
import os
import resource
import signal
import sys
import threading
import traceback
from collections import OrderedDict
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

import pyarrow as pa

from app.observe.tally import Counts, count
from model.errors import CheckpointError, PropenseError
from model.features.scaling import Ranges
from model.files.names import MissingColumnsError
from model.ledger.recorder import Recorder
from model.predictor import Predictor, load_predictor
from model.scoring.as_of import AsOf
from model.scoring.score_file import score_file

_KEPT: Final = 4  # models
_FAULTS: Final = 100

_loaded: OrderedDict[tuple[str, str], tuple[Predictor, Ranges]] = OrderedDict()  # the last used comes last
_recorders: dict[str, Recorder] = {}


def main() -> None:
    """Work on jobs until standard input ends."""
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no result
    jobs: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_read, args=(jobs,), daemon=True).start()
    while True:
        results.write(json.dumps(_run(json.loads(jobs.get()))) + "\n")
        results.flush()


def _read(jobs: SimpleQueue[str]) -> None:
    """Read jobs. At the end of the input the service has gone, and so does this, whatever it is doing."""
    for line in sys.stdin:
        jobs.put(line)
    os._exit(0)


def _run(job: dict[str, Any]) -> dict[str, Any]:
    """The result of a job, or the kind of its failure with a sentence."""
    try:
        (predictor, ranges), counts, recorder = _load(job), Counts(), _recorder(job)
        _limit(job)
        summary = score_file(
            predictor,
            Path(job["out"]),
            customers=Path(job["file"]),
            as_of=AsOf(job["as_of"], "the request"),
            reject=True,
            on_scored=lambda scored: counts.add(count(ranges, [scored])),
            record=recorder.record if recorder else None,
        )
        said = {"ignored": summary.ignored, "notes": summary.notes}
        return {"rows": summary.rows, **said, "counts": asdict(counts), "records": _records(recorder)}
    except MissingColumnsError as error:
        return {"kind": "columns", "detail": str(error), "missing": error.missing[:_FAULTS]}
    except CheckpointError as error:
        return {"kind": "model", "detail": str(error)}
    except PropenseError as error:
        cause = error.__cause__
        kinds = {errno.EFBIG: "size", errno.ENOSPC: "disk"}
        return {"kind": kinds.get(getattr(cause, "errno", 0), "file"), "detail": str(error)}
    except (MemoryError, pa.ArrowMemoryError):
        return {"kind": "memory", "detail": "an allocation failed"}
    except Exception as error:  # whatever it is, the next file is scored
        trace = "".join(traceback.format_tb(error.__traceback__))  # without the text, which may have a cell
        return {"kind": "failed", "detail": f"{type(error).__name__}\n{trace}"}
    finally:
        _unlimit()


def _recorder(job: dict[str, Any]) -> Recorder | None:
    """What records the scores of a job; it stays from one job to the next."""
    if job["ledger"] is None:
        return None
    root, name = Path(job["ledger"]), job["name"]
    return _recorders.setdefault(name, Recorder(root, name, os.environ))


def _records(recorder: Recorder | None) -> tuple[dict[str, int], str] | None:
    """The customers of a job by what the ledger has of them, and why some are lost."""
    if recorder is None:
        return None
    counts = dict(recorder.counts)
    recorder.counts.clear()
    return counts, recorder.failure


def _load(job: dict[str, Any]) -> tuple[Predictor, Ranges]:
    """The model of a checkpoint folder, loaded again where its manifest has changed, and its ranges."""
    folder = Path(job["folder"])
    try:
        digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be read: {error}") from None
    key = (job["folder"], digest)
    if key not in _loaded:
        predictor = load_predictor(folder, name=job["name"], version=job["version"], device=job["device"])
        _loaded[key] = predictor, Ranges.of(predictor.manifest.schema_)
        if len(_loaded) > _KEPT:
            _loaded.popitem(last=False)
    _loaded.move_to_end(key)
    return _loaded[key]


def _limit(job: dict[str, Any]) -> None:
    """Limit what the file may take beyond what this process has taken so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime + job["cpu_seconds"]) + 1
    pages = Path("/proc/self/statm")
    size = int(pages.read_text().split()[0]) * resource.getpagesize() if pages.exists() else None
    _set(resource.RLIMIT_CPU, seconds)
    _set(resource.RLIMIT_FSIZE, job["out_bytes"])
    _set(resource.RLIMIT_AS, resource.RLIM_INFINITY if size is None else size + job["memory_bytes"])


def _unlimit() -> None:
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE):
        _set(limit, resource.RLIM_INFINITY)


def _set(limit: int, value: int) -> None:
    """Set a soft limit, within the hard one."""
    _, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the service stops this itself
    main()
