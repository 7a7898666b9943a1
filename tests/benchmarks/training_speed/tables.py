"""The two tables of `make bench-train`, as rows of Markdown cells."""

from collections.abc import Sequence
from typing import Final

from tests.benchmarks.training_speed.fits import WholeFit
from tests.benchmarks.training_speed.ours import OurSteps
from tests.benchmarks.training_speed.steps import Steps

NONE: Final = "-"
Cells = tuple[str, ...]

STEPS_HEAD: Final = (
    "data",
    "examples",
    "head",
    "examples/s",
    "µs an example",
    "to the first size",
    "plain loop, µs",
    "plain / ours",
    "MB beyond the data",
    "steps timed, ours and plain",
)
FITS_HEAD: Final = (
    "data",
    "examples",
    "model",
    "seconds",
    "epochs or rounds",
    "log loss",
    "MB beyond the data",
    "/ LightGBM",
    "/ CatBoost",
)


def row(cells: Sequence[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def heading(cells: Sequence[str], *, texts: int) -> str:
    """The lines above the rows; all cells but the first `texts` are numbers."""
    return f"\n{row(cells)}\n{row(['---'] * texts + ['---:'] * (len(cells) - texts))}"


def microseconds(steps: Steps, an_epoch: int, n: int) -> float:
    """What an example costs in an epoch."""
    return steps.seconds * an_epoch / n * 1e6


def step_cells(n: int, ours: OurSteps, plain: Steps, *, first: float | None) -> Cells:
    """What an epoch costs.

    Args:
        first: microseconds an example at the smallest size; None for that size.
    """
    cost, beside = (microseconds(steps, ours.an_epoch, n) for steps in (ours.steps, plain))
    return (
        f"{1e6 / cost:,.0f}",
        f"{cost:,.1f}",
        f"{cost / first:.2f}" if first else NONE,
        f"{beside:,.0f}",
        f"{beside / cost:.1f}",
        megabytes(ours.beyond_mb),
        f"{ours.steps.count:,}, {plain.count:,}",
    )


def fit_cells(fit: WholeFit, *, beside: Sequence[WholeFit | None]) -> Cells:
    """What a whole fit cost, and its seconds in those of the fits beside it."""
    return (
        f"{fit.seconds:,.1f}",
        f"{fit.rounds:,}",
        f"{fit.log_loss:.4f}",
        megabytes(fit.beyond_mb),
        *(f"{fit.seconds / peer.seconds:.1f}" if peer else NONE for peer in beside),
    )


def unfitted_cells(why: str) -> Cells:
    """A row for a fit that was not run."""
    return (why, *[NONE] * (len(FITS_HEAD) - 4))


def megabytes(value: float | None) -> str:
    """Whole MB, if the system told."""
    return NONE if value is None else f"{value:,.0f}"
