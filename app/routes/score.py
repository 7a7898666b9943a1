"""POST a file, get its scores in the same form: a whole file, by the same code as `propense score`."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote

from fastapi import APIRouter
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.access.admit import CALLER
from app.errors import Problem
from app.files.scorer import FileScorer
from app.files.upload import receive_file, send_file, spool
from app.limits import Shares
from app.observe.requests import Pattern
from app.routes.media import media_type
from app.versions.models import Models, version_number
from model.errors import DataError
from model.values.iso_times import parse_iso_time

ROUTE: Final = Pattern("/v1/models/{name}/score")
PINNED: Final = Pattern("/v1/models/{name}/versions/{version}/score")
SUFFIXES: Final = {
    "text/csv": ".csv",
    "application/x-ndjson": ".ndjson",
    "application/vnd.apache.arrow.stream": ".arrows",
    "application/vnd.apache.parquet": ".parquet",
}
ANY_FORM: Final = "application/octet-stream"
_IGNORED: Final = b"x-propense-ignored-columns"
_NOTES: Final = b"x-propense-notes"
_MAX_IGNORED: Final = 1000  # bytes of that header; proxies take a few thousand of all headers
_MAX_NOTES: Final = 2000
_PLAIN: Final = " !#$&'()*+,/:;=?@[]"  # not encoded in notes


class Score:
    """Answers `/v1/models/{name}/score` and `/v1/models/{name}/versions/{version}/score`.

    Args:
        max_files: received, scored or sent at a time.
        upload_seconds: for all of a file to come in.
    """

    def __init__(self, models: Models, scorer: FileScorer, *, max_files: int, upload_seconds: float) -> None:
        self._models = models
        self._scorer = scorer
        self._max_files = max_files
        self._upload_seconds = upload_seconds
        self._n_files = 0
        self._shares = Shares(max_files, "files")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Problem: what is wrong with it, before any of the answer.
        """
        path = scope["path_params"]
        scope["route"] = PINNED if "version" in path else ROUTE  # for metrics and the log
        version = version_number(path["version"]) if "version" in path else None
        served = scope["propense.served"] = await self._models.find(path["name"], version)
        kind = media_type(dict(scope["headers"]), (*SUFFIXES, ANY_FORM), "file")
        as_of = _as_of(scope["query_string"], served.manifest.schema_.time_zone)
        with self._one_more(scope.get(CALLER)), spool() as folder:
            upload = folder / "upload"
            await receive_file(receive, upload, seconds=self._upload_seconds)
            suffix = SUFFIXES[_recognised(upload) if kind == ANY_FORM else kind]
            file, out = upload.rename(folder / f"file{suffix}"), folder / f"scores{suffix}"
            scores = await self._scorer.score(served.manifest, file, out, as_of)
            file.unlink()
            served.tally.add(scores.counts)
            scope["propense.rows"] = scores.rows
            headers = [(b"content-type", kind.encode())]
            headers += [(_IGNORED, _listed(scores.ignored))] if scores.ignored else []
            headers += [(_NOTES, notes_header(scores.notes))] if scores.notes else []
            await send_file(send, out, headers)

    @contextmanager
    def _one_more(self, caller: str | None) -> Iterator[None]:
        if self._n_files >= self._max_files:
            detail = f"the service takes {self._max_files} files at a time; send it again shortly"
            raise Problem(503, "too-many-files", detail, headers={"Retry-After": "10"})
        self._shares.take(caller, 1)
        self._n_files += 1
        try:
            yield
        finally:
            self._n_files -= 1
            self._shares.give(caller, 1)


def score_routes(score: Score) -> APIRouter:
    """The routes that score files."""
    routes = APIRouter()
    routes.routes += [Route(route.path, score, methods=["POST"]) for route in (ROUTE, PINNED)]
    return routes


def _recognised(file: Path) -> str:
    """The media type of a file, by its first bytes."""
    with file.open("rb") as opened:
        start = opened.read(1024)
    if start.startswith(b"PAR1"):
        return "application/vnd.apache.parquet"
    if start.startswith(b"\xff\xff\xff\xff"):
        return "application/vnd.apache.arrow.stream"
    is_json = start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    return "application/x-ndjson" if is_json else "text/csv"


def _as_of(query: bytes, zone: str) -> int:
    """The instant of the prediction: `?as_of=1997-12-31`, else now."""
    values = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    if [name for name, _ in values] not in ([], ["as_of"]):
        raise Problem(422, "invalid-request", "the query may have as_of=1997-12-31, nothing else")
    if not values:
        return time.time_ns() // 1000
    try:
        return parse_iso_time(values[0][1], zone)
    except DataError:
        detail = "as_of must be a time in ISO 8601 such as 1997-12-31, got a text that is no such time"
        raise Problem(422, "invalid-request", detail) from None


def _listed(names: list[str]) -> bytes:
    """Column names for a header, percent-encoded, with commas between; the first of them where many."""
    text = ",".join(quote(name, safe=" ") for name in names)
    if len(text) > _MAX_IGNORED:
        text = text[: text.rfind(",", 0, _MAX_IGNORED) + 1] + "..."
    return text.encode()


def notes_header(notes: Sequence[str]) -> bytes:
    """Notes for a header, percent-encoded, a line each; where they are long, those that fit and a count."""
    lines = [quote(note, safe=_PLAIN) for note in notes]
    kept = [
        line
        for line, end in zip(lines, accumulate(len(line) + 3 for line in lines), strict=True)
        if end <= _MAX_NOTES
    ]
    left_out = len(lines) - len(kept)
    return "%0A".join([*kept, *([f"and {left_out} more."] if left_out else [])]).encode()
