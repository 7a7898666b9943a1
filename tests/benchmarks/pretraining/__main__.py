"""The command: fit every arm on every log, number of labels and seed, and write the table to RESULTS.md."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from tests.benchmarks.pretraining.arms import ARMS, Arm, Told, asked_in_the_end, fit_arm
from tests.benchmarks.pretraining.next_event import STEPS
from tests.benchmarks.pretraining.problems import PROBLEMS
from tests.benchmarks.pretraining.table import heading, rows
from tests.benchmarks.results import RESULTS, write_section
from training.prepare import Prepared

CUSTOMERS: Final = (225, 900, 3600)
SEEDS: Final = 3
VERSIONS: Final = ("propense", "torch", "numpy", "lifetimes")

Write = Callable[[str], object]


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, print and write."""
    parser = argparse.ArgumentParser(prog="bench-pretrain", description=__doc__)
    parser.add_argument("--logs", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--customers", type=int, nargs="+", default=CUSTOMERS, help="whose labels are read")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many times over")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the Markdown file")
    asked = parser.parse_args(arguments)
    lines: list[str] = []

    def write(line: str) -> None:
        lines.append(line)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    write(_about(asked.seeds))
    write(heading())
    for name in asked.logs:
        with TemporaryDirectory() as folder:
            prepared = PROBLEMS[name](Path(folder))
        bench(name, prepared, asked.customers, asked.seeds, write)
    write_section(
        "pretraining",
        "A self-supervised start for the sequence heads",
        lines,
        VERSIONS,
        command="make bench-pretrain",
        path=asked.results,
    )


def bench(
    name: str,
    prepared: Prepared,
    customers: Sequence[int],
    seeds: int,
    write: Write,
    *,
    arms: Sequence[Arm] = ARMS,
) -> None:
    """The rows of one log."""
    plan, test = prepared.plan, asked_in_the_end(prepared)
    labels = plan.labels.outcomes[test, -1].astype(np.float64)
    for n in customers:
        answers: dict[Arm, list[Told]] = {
            arm: [fit_arm(prepared, arm, n, seed=seed) for seed in range(seeds)] for arm in arms
        }
        for line in rows(name, n, answers, labels, plan.groups[test]):
            write(line)


def _about(seeds: int) -> str:
    return f"""\
Before it sees a label, the reader of a cnn or rnn head predicts each next event of all training
customers (its categories, its gap, its values) from the events before it, up to the last training
cutoff: {STEPS} steps. Then it is fitted as usual to the labels of few customers. Figures are for customers
that neither saw, means over {seeds} draws of the labelled customers and of the weights; differences are
paired, with 95 % intervals over the test customers, and a negative loss difference is a gain. CDNOW are
real purchases (who buys within 90 days), the simulated shop is that of `propense simulate` (who cancels
within 90 days). "order alone" is made so that only the order of the events tells who leaves: the best case
for such a start, which shows that the start itself works.
"""


if __name__ == "__main__":
    main()
