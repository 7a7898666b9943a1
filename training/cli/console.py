"""The output of commands: one JSON object, sentences, a table, an error, progress on a terminal."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from training.fit.loop import Epoch

WIDTH: Final = 80  # of tables in a file or a pipe
SHORT: Final = 16  # letters of a cell that is never broken
EVERY: Final = 5.0  # seconds from one line of progress to the next, where there is no terminal


def print_json(answer: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output."""
    sys.stdout.write(json.dumps(answer, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def print_lines(lines: Sequence[str]) -> None:
    """Print sentences on standard output, broken at blanks where the width is known; else a line each."""
    whole = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    for line in lines:
        _out().print(line, markup=False, highlight=False, soft_wrap=whole)


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> None:
    """Print a table on standard output; the first `texts` columns are aligned left, the others right.

    Where it is too wide, the blanks around cells go first, then texts are broken; short cells of the others
    never are.
    """
    print_lines([title])  # rich would wrap the title of a table to its width
    out, columns = _out(), list(zip(header, *rows, strict=True))
    widths = [max(len(line) for cell in column for line in cell.split("\n")) for column in columns]
    fits = sum(widths) + 3 * len(widths) + 1 <= out.width
    table = Table(padding=(0, 1) if fits else (0, 0))
    for position, (name, width) in enumerate(zip(header, widths, strict=True)):
        number = position >= texts
        table.add_column(
            name,
            justify="right" if number else "left",
            no_wrap=number and width <= SHORT,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    out.print(table)


def print_error(message: str) -> None:
    """Print an error on standard error."""
    _err().print(f"propense: {message}", markup=False, highlight=False, soft_wrap=True, style="red")


@contextmanager
def epoch_progress() -> Iterator[Any]:
    """Yield a callback for `train`: on a terminal a bar for each fit, else a line every few seconds.

    Both go to standard error.
    """
    if not sys.stderr.isatty():
        with _lines_of("reading and checking the data") as say:
            yield lambda fit, epoch: say(
                f"{fit}: epoch {epoch.epoch} of at most {epoch.planned}, validation loss "
                f"{epoch.validation_loss:.4f}"
            )
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err(), transient=True) as progress:
        bars: dict[str, Any] = {}

        def on_epoch(fit: str, epoch: "Epoch") -> None:
            if fit not in bars:
                bars[fit] = progress.add_task(fit, total=epoch.planned)
            text = f"{fit}: validation loss {epoch.validation_loss:.4f}"
            progress.update(bars[fit], total=epoch.planned, completed=epoch.epoch, description=text)

        yield on_epoch


@contextmanager
def _lines_of(stage: str) -> Iterator[Callable[[str], None]]:
    """Yield a function that takes the stage; every few seconds the latest is printed on standard error."""
    latest, ended, start = [stage], Event(), monotonic()

    def run() -> None:
        while not ended.wait(EVERY):
            sys.stderr.write(f"{monotonic() - start:,.0f} s: {latest[-1]}\n")
            sys.stderr.flush()

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield lambda text: latest.__setitem__(0, text)
    finally:
        ended.set()
        thread.join()


@contextmanager
def row_progress(what: str) -> Iterator[Any]:
    """Yield a callback that takes the number of rows done; on a terminal a counter, else lines."""
    if not sys.stderr.isatty():
        with _lines_of(what) as say:
            yield lambda rows: say(f"{what}, {rows:,} rows done")
        return
    columns = (
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_err(), transient=True) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda rows: progress.update(bar, completed=rows)


def _out() -> Console:
    """Standard output, as wide as the terminal or COLUMNS says."""
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(file=sys.stdout, width=None if known else WIDTH)


def _err() -> Console:
    return Console(file=sys.stderr)
