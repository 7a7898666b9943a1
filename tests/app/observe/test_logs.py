"""Lines of the log: whole, one for each record, and never in the way."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from typing import Any, TextIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.observe.logs import REQUEST_ID, TRACE_ID, JsonFormatter, Lines, TextFormatter, logging_config

TEXT = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["a\nb", "\x1b[2J", "\ud800", "\u2028", "\u202e"]
)


def record(message: str, **more: Any) -> logging.LogRecord:
    told = {"name": "app.x", "levelname": "INFO", "levelno": 20, "created": 0.25, "msg": message}
    return logging.makeLogRecord({**told, **more})


def failure() -> Any:
    try:
        raise ValueError("line one\nline two")
    except ValueError:
        return sys.exc_info()


def test_a_line_of_json_says_when_what_and_for_which_request() -> None:
    context = REQUEST_ID.set(b"abc"), TRACE_ID.set("f" * 32)
    try:
        line = JsonFormatter().format(record("%s failed", args=("it",), fields={"model": "churn"}))
    finally:
        REQUEST_ID.reset(context[0])
        TRACE_ID.reset(context[1])
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.250Z",
        "level": "info",
        "logger": "app.x",
        "message": "it failed",
        "request_id": "abc",
        "trace_id": "f" * 32,
        "model": "churn",
    }


def test_an_exception_is_a_field() -> None:
    told = json.loads(JsonFormatter().format(record("failed", exc_info=failure())))
    assert told["message"] == "failed"
    assert told["exception"].startswith("Traceback (most recent call last):")
    assert told["exception"].endswith("ValueError: line one\nline two")


def test_a_line_of_text_is_for_people() -> None:
    line = TextFormatter().format(record("done", fields={"model": "churn", "rows": 3}, exc_info=failure()))
    first, *traceback = line.split("\n")
    assert first == "1970-01-01T00:00:00.250Z info    app.x: done model=churn rows=3"
    assert traceback[0] == "    Traceback (most recent call last):"
    assert traceback[-2:] == ["    ValueError: line one", "    line two"]


@given(TEXT, TEXT)
def test_no_text_can_start_a_line_of_its_own(message: str, value: str) -> None:
    told = record("%s", args=(message,), fields={"path": value})
    line = JsonFormatter().format(told)
    assert line.isascii()
    assert "\n" not in line
    assert "\x1b" not in line
    assert json.loads(line)["message"] == message
    assert json.loads(line)["path"] == value
    shown = TextFormatter().format(told)
    assert not {"\n", "\r", "\x1b", "\x00", "\x7f", "\x9b", "\u2028", "\u202e"} & set(shown)


@pytest.mark.parametrize(("form", "formatter"), [("json", JsonFormatter), ("text", TextFormatter)])
def test_the_form_is_as_told_and_at_no_terminal_json(
    form: Any, formatter: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: form == "text")
    for told in (form, "auto"):
        name = logging_config("info", told)["formatters"]["line"]["()"]
        assert name == f"{formatter.__module__}.{formatter.__qualname__}"


class Pipe:
    """A pipe in place of standard error."""

    def __init__(self) -> None:
        self.out, self.into = os.pipe()

    def fileno(self) -> int:
        """The end that is written to."""
        return self.into

    def lines(self) -> Lines:
        """A log that goes here."""
        with redirect_stderr(cast(TextIO, self)):
            return Lines()

    def fill(self) -> None:
        """Write until no more fits."""
        os.set_blocking(self.into, False)
        try:
            while True:
                os.write(self.into, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(self.into, True)

    def read(self) -> str:
        """What is in it now."""
        return os.read(self.out, 1 << 20).decode()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    os.close(pipe.out)
    os.close(pipe.into)


def test_a_reader_that_sleeps_stops_nothing_and_hears_what_it_missed(pipe: Pipe) -> None:
    lines = pipe.lines()
    lines.handle(record("first"))
    assert pipe.read() == "first\n"
    pipe.fill()
    for _ in range(3):
        lines.handle(record("lost"))
    pipe.read()
    lines.handle(record("next"))
    assert pipe.read() == "the log lost 3 lines, not read in time\nnext\n"
    lines.handle(record("last"))
    assert pipe.read() == "last\n"


def test_a_line_that_breaks_off_leaves_the_next_one_whole(pipe: Pipe) -> None:
    lines = pipe.lines()
    lines.handle(record("x" * 200_000))
    assert set(pipe.read()) == {"x"}
    lines.handle(record("next"))
    assert pipe.read() == "\nthe log lost 1 line, not read in time\nnext\n"


def test_a_log_that_is_gone_stops_nothing() -> None:
    pipe = Pipe()
    lines = pipe.lines()
    os.close(pipe.out)
    lines.handle(record("into the void"))
    os.close(pipe.into)
    assert lines._lost == 1
