"""The tables of `make bench-serve`, as rows of Markdown cells."""

from collections.abc import Sequence
from typing import Final

from tests.benchmarks.serving.bulk import Bulk
from tests.benchmarks.serving.inside import Inside
from tests.benchmarks.serving.single import CONNECTIONS, Single

NONE: Final = "-"
_EACH: Final = " / ".join(map(str, CONNECTIONS))
SINGLE_HEAD: Final = (
    "server",
    f"requests/s at {_EACH}",
    "/ floor",
    "p50 ms",
    "p99 ms",
    "CPU µs a request",
    "MB",
    "cold start s",
    "load's share of its core",
)
BULK_HEAD: Final = ("body", "rows", "rows/s", "floor's rows/s", "/ floor", "ms", "CPU µs a row")
INSIDE_HEAD: Final = ("model", "rows", "predict_rows µs", "µs a row", "network alone µs", "its share")
LOG_HEAD: Final = ("model", "rows", "rows/s over HTTP", "ms", "network alone ms", "HTTP / network")


def row(cells: Sequence[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def heading(cells: Sequence[str]) -> str:
    """The lines above the rows; all cells but the first are numbers."""
    return f"\n{row(cells)}\n{row(['---'] + ['---:'] * (len(cells) - 1))}"


def left_out(cells: Sequence[str], name: str, why: str) -> str:
    """A row of a table for what was not measured."""
    return row([name, why, *[NONE] * (len(cells) - 2)])


def single_row(name: str, single: Single, floor: Single) -> str:
    """A server."""
    levels = single.levels
    ratios = (level.rate / base.rate for level, base in zip(levels, floor.levels, strict=True))
    return row(
        (
            name,
            " / ".join(f"{level.rate:,.0f}" for level in levels),
            " / ".join(f"{ratio:.2f}" for ratio in ratios),
            " / ".join(f"{level.p50:.2f}" for level in levels),
            " / ".join(f"{level.p99:.2f}" for level in levels),
            " / ".join(f"{level.cpu_us:,.0f}" for level in levels),
            f"{single.memory_mb:,.0f}",
            f"{single.cold_start_s:.2f}",
            f"{max(level.own_share for level in levels):.2f}",
        )
    )


def ceiling(limit: Single) -> str:
    """What the load could drive.

    Args:
        limit: the quickest server.
    """
    level = limit.levels[-1]
    own_us = level.own_share / level.rate * 1e6
    return (
        f"\nAt {CONNECTIONS[-1]} connections to bare uvicorn the load took {own_us:.0f} µs of its core a "
        f"request: it can drive {1e6 / own_us:,.0f} a second."
    )


def bulk_row(name: str, bulk: Bulk, floor: Bulk) -> str:
    """A form and a number of rows, beside the floor given a list of as many."""
    return row(
        (
            name,
            f"{bulk.n:,}",
            f"{bulk.rate:,.0f}",
            f"{floor.rate:,.0f}",
            f"{bulk.rate / floor.rate:.2f}",
            f"{bulk.ms:,.1f}",
            f"{bulk.cpu_us:.2f}",
        )
    )


def inside_row(name: str, inside: Inside) -> str:
    """A model and a number of rows."""
    return row(
        (
            name,
            f"{inside.n:,}",
            f"{inside.predict_us:,.0f}",
            f"{inside.predict_us / inside.n:,.1f}",
            f"{inside.network_us:,.0f}",
            f"{inside.network_us / inside.predict_us:.0%}",
        )
    )


def log_row(name: str, bulk: Bulk, inside: Inside) -> str:
    """A model of a log and a number of rows."""
    network_ms = inside.network_us / 1e3
    return row(
        (
            name,
            f"{bulk.n:,}",
            f"{bulk.rate:,.0f}",
            f"{bulk.ms:,.2f}",
            f"{network_ms:,.2f}",
            f"{bulk.ms / network_ms:.2f}",
        )
    )
