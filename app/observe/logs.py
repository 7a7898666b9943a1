"""The log on standard error: a JSON object a line, or a line of text at a terminal.

A line may have fields: `_log.info("...", extra={"fields": {"model": name}})`. None is a customer's.
"""

import json
import logging
import os
import select
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, Literal

from model.errors import redacted
from model.files.names import counted

REQUEST_ID: Final[ContextVar[bytes | None]] = ContextVar("request_id", default=None)
TRACE_ID: Final[ContextVar[str | None]] = ContextVar("trace_id", default=None)
_PIPE_MS: Final = 100  # for the reader of a full pipe, in the middle of a line
_ESCAPED: Final = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (*range(32), *range(127, 160), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}  # what could end a line, hide it or reverse it


def logging_config(level: str, form: Literal["auto", "json", "text"]) -> dict[str, Any]:
    """Return the configuration of all logs, for `logging.config.dictConfig`.

    Args:
        level: of the service's and the server's lines; of others' it is warning.
        form: auto is text at a terminal, else JSON.
    """
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    formatter = TextFormatter if text else JsonFormatter
    own = {"level": level.upper()}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"{__name__}.{formatter.__name__}"}},
        "handlers": {"stderr": {"()": f"{__name__}.Lines", "formatter": "line"}},
        "loggers": {"app": own, "uvicorn": own},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
    }


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON in ASCII: nothing in it can start another line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = _fields(record)
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str)


class TextFormatter(logging.Formatter):
    """Formats a record as one line of text; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and those of a traceback."""
        fields = _fields(record)
        head = (fields.pop(name) for name in ("time", "level", "logger", "message"))
        line = "{} {:7} {}: {}".format(*head) + "".join(f" {name}={value}" for name, value in fields.items())
        traceback = self.formatException(record.exc_info).split("\n") if record.exc_info else ()
        return "\n".join([escaped(line), *(f"    {escaped(below)}" for below in traceback)])


class Lines(logging.Handler):
    """Writes lines to standard error, and drops lines that a full pipe does not take.

    To wait for the reader of the pipe could stop the whole service.
    """

    def __init__(self) -> None:
        super().__init__()
        self._file = sys.stderr.fileno()
        self._ready = select.poll()
        self._ready.register(self._file, select.POLLOUT)
        self._lost = 0
        self._broken = False  # the last line stopped half-way

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, after one with the number of lines that were lost before."""
        try:
            lines = [self.format(record)]
        except Exception:  # a bad call of the logger
            self.handleError(record)
            return
        if self._lost:
            lines.insert(0, self.format(_lost(self._lost)))
        text = "\n" * self._broken + "".join(f"{line}\n" for line in lines)
        if self._write(text.encode("utf-8", "backslashreplace")):
            self._lost, self._broken = 0, False
        else:
            self._lost += 1

    def _write(self, data: bytes) -> bool:
        """Write in pieces that a pipe takes whole or not at all."""
        for start in range(0, len(data), select.PIPE_BUF):
            if not self._ready.poll(_PIPE_MS if start else 0):
                self._broken = self._broken or start > 0
                return False
            try:
                os.write(self._file, data[start : start + select.PIPE_BUF])
            except OSError:  # closed, or the disk is full
                return False
        return True


def escaped(text: str) -> str:
    """Escape what could end a line, hide it or reverse it."""
    return text.translate(_ESCAPED)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    id_ = REQUEST_ID.get()
    return {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": redacted(record.getMessage()),
        **({"request_id": id_.decode()} if id_ else {}),
        **({"trace_id": trace} if (trace := TRACE_ID.get()) else {}),
        **getattr(record, "fields", {}),
    }


def _lost(n: int) -> logging.LogRecord:
    message = f"the log lost {counted(n, 'line')}, not read in time"
    return logging.makeLogRecord(
        {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING", "msg": message}
    )
