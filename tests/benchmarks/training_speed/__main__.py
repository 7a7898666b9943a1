"""The command: measure one thing after another, print rows as they come, and write them to RESULTS.md."""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from model.store.manifest import HeadName
from tests.benchmarks.results import RESULTS, write_section
from tests.benchmarks.training_speed.alone import THREADS, alone
from tests.benchmarks.training_speed.fits import WholeFit
from tests.benchmarks.training_speed.ours import our_fit, our_steps, planned_epochs
from tests.benchmarks.training_speed.peers import MAX_ROUNDS, PATIENCE, PEERS, STOPS, peer_fit
from tests.benchmarks.training_speed.plain import plain_steps
from tests.benchmarks.training_speed.tables import (
    FITS_HEAD,
    STEPS_HEAD,
    fit_cells,
    heading,
    microseconds,
    row,
    step_cells,
    unfitted_cells,
)
from tests.benchmarks.training_speed.worlds import WorldName

SIZES: Final = (10_000, 100_000, 1_000_000)
BUDGET_S: Final = 600.0
STEPS_S: Final = 15.0  # of steps that are timed
HEADS: Final[tuple[tuple[WorldName, HeadName], ...]] = (
    ("table", "mlp"),
    ("log", "mlp"),
    ("log", "cnn"),
    ("log", "rnn"),
)
VERSIONS: Final = ("propense", "torch", "numpy", "lightgbm", "catboost")

Run = Callable[[Callable[[], Any]], Any]
Write = Callable[[str], object]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="bench-train", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="examples to fit on")
    parser.add_argument(
        "--budget", type=float, default=BUDGET_S, help="seconds beyond which a fit of ours is not run"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="the Markdown file")
    asked = parser.parse_args(arguments)
    lines: list[str] = []

    def write(line: str) -> None:
        lines.append(line)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    bench(sorted(asked.sizes), asked.budget, alone, write)
    write_section(
        "training-speed",
        "Training speed",
        lines,
        VERSIONS,
        command=_command(asked.sizes, asked.budget),
        path=asked.results,
    )


def _command(sizes: Sequence[int], budget_s: float) -> str:
    words = ["make bench-train"]
    if tuple(sizes) != SIZES:
        words.append(f'SIZES="{" ".join(map(str, sizes))}"')
    if budget_s != BUDGET_S:
        words.append(f"BUDGET={budget_s:g}")
    return " ".join(words)


def bench(sizes: Sequence[int], budget_s: float, run: Run, write: Write) -> None:
    """Both tables.

    Args:
        sizes: ascending.
        run: does a piece of work, in a process of its own or here.
    """
    write(_ABOUT_STEPS)
    costs = _steps_table(sizes, run, write)
    write(_about_fits(budget_s))
    _fits_table(sizes, costs, budget_s, run, write)


Costs = dict[tuple[WorldName, HeadName, int], float]  # microseconds an example and epoch


def _steps_table(sizes: Sequence[int], run: Run, write: Write) -> Costs:
    costs: Costs = {}
    write(heading(STEPS_HEAD, texts=3))
    for world, head in HEADS:
        for n in sizes:
            ours = run(partial(our_steps, world, head, n, limit_s=STEPS_S))
            plain = run(partial(plain_steps, world, head, n, limit_s=STEPS_S))
            costs[world, head, n] = microseconds(ours.steps, ours.an_epoch, n)
            first = costs[world, head, sizes[0]] if n != sizes[0] else None
            write(row((world, f"{n:,}", head, *step_cells(n, ours, plain, first=first))))
    return costs


def _fits_table(sizes: Sequence[int], costs: Costs, budget_s: float, run: Run, write: Write) -> None:
    write(heading(FITS_HEAD, texts=3))
    for world in ("table", "log"):
        for n in sizes:
            peers = {name: run(partial(peer_fit, name, world, n)) for name in PEERS}
            for head in (head for where, head in HEADS if where == world):
                planned = costs[world, head, n] * n * planned_epochs(n) / 1e6
                cells = _our_cells(run, world, head, n, planned, budget_s, list(peers.values()))
                write(row((world, f"{n:,}", f"ours, {head}", *cells)))
            for name, fit in peers.items():
                cells = (
                    fit_cells(fit, beside=list(peers.values())) if fit else unfitted_cells("not installed")
                )
                write(row((world, f"{n:,}", name, *cells)))


def _our_cells(
    run: Run,
    world: WorldName,
    head: HeadName,
    n: int,
    planned_s: float,
    budget_s: float,
    peers: Sequence[WholeFit | None],
) -> tuple[str, ...]:
    if planned_s > budget_s:
        return unfitted_cells(f"not run: up to {planned_s:,.0f}")
    return fit_cells(run(partial(our_fit, world, head, n)), beside=peers)


_ABOUT_STEPS: Final = f"""\
Everything runs alone in a process of its own, one after another, on {THREADS} threads. The table has 20
columns, 7 of them categories of 3 to 300 values; the log has about 12 events a customer, read as
aggregates by each head and as a sequence by cnn and rnn. The labels are positive in about 15 %.

**An epoch.** Examples a second, and the time that one costs, count each example once, though all but
one of the networks in the bag read it. That time is the median one between two optimizer steps, times
the steps of an epoch: up to {STEPS_S:.0f} s of steps are timed, not whole epochs. The plain loop has the same
network and batch size, an item a row in a `DataLoader`, `loss.backward()` and `AdamW` with PyTorch's
defaults; its epoch is extrapolated in the same way."""


def _about_fits(budget_s: float) -> str:
    return f"""
**A whole fit**, from rows in memory to a model that gives probabilities, with early stopping; the log
loss is on examples that it did not see. Ours are networks that stop and calibrate on each other's
examples. LightGBM and CatBoost stop on {STOPS:.0%} of the examples, after {PATIENCE} rounds without
progress or at {MAX_ROUNDS:,}; categories are native; what they read of a log was aggregated before, and
that time is not theirs. A fit of ours that might take more than {budget_s:,.0f} s is not run: the figure is
for all planned epochs."""


if __name__ == "__main__":
    main()
