"""The output of commands: one JSON object, sentences, a table, an error, progress on a terminal."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from training.fit.loop import Epoch

WIDTH: Final = 110  # of tables in a file or a pipe


def print_json(answer: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output."""
    sys.stdout.write(json.dumps(answer, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def print_lines(lines: Sequence[str]) -> None:
    """Print sentences on standard output."""
    for line in lines:
        _out().print(line, markup=False, highlight=False, soft_wrap=True)


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> None:
    """Print a table on standard output; the first `texts` columns are aligned left, the others right."""
    print_lines([title])  # rich would wrap the title of a table to its width
    table = Table()
    for position, name in enumerate(header):
        table.add_column(name, justify="left" if position < texts else "right")
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    _out().print(table)


def print_error(message: str) -> None:
    """Print an error on standard error."""
    _err().print(f"propense: {message}", markup=False, highlight=False, soft_wrap=True, style="red")


@contextmanager
def epoch_progress() -> Iterator[Any]:
    """Yield a callback for `train` that draws a bar for each fit if standard error is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err(), disable=not sys.stderr.isatty(), transient=True) as progress:
        bars: dict[str, Any] = {}

        def on_epoch(fit: str, epoch: "Epoch") -> None:
            if fit not in bars:
                bars[fit] = progress.add_task(fit, total=epoch.planned)
            text = f"{fit}: validation loss {epoch.validation_loss:.4f}"
            progress.update(bars[fit], total=epoch.planned, completed=epoch.epoch, description=text)

        yield on_epoch


@contextmanager
def row_progress(what: str) -> Iterator[Any]:
    """Yield a callback that takes the number of rows done."""
    columns = (
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_err(), disable=not sys.stderr.isatty(), transient=True) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda rows: progress.update(bar, completed=rows)


def _out() -> Console:
    """Standard output; a file or a pipe gets the width of the widest table."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH)


def _err() -> Console:
    return Console(file=sys.stderr)
