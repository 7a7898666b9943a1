"""`make bench-labels`: reading, sorting, labels and history features of a large log, next to pandas groupby.

Each stage runs in a process of its own, so that its peak memory is its own: Python, libraries and the
input included. Ours and pandas' answers are compared before a figure is printed.
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np

from model.features.aggregates import history_features, window_lengths
from model.files.events import EventColumns, read_events
from model.task import LogTask
from model.times import days
from model.values.columns import Texts
from model.values.history import EventLog
from tests.benchmarks.label_speed import pandas_peer as bench_pandas
from tests.benchmarks.label_speed.log import (
    END,
    TYPES,
    Answer,
    examples_answer,
    load_columns,
    make_log,
    rows_answer,
)
from training.question.eligibility import count_eligible
from training.question.labels import compile_labels
from training.question.timeline import log_timeline

CACHE: Final = Path(__file__).resolve().parents[3] / ".bench"
TASK: Final = LogTask(event="buy", outcome="occurs", horizons_days=(30, 60, 90), lookback_days=365)
CUTOFFS: Final = tuple(END - days(TASK.window_days + 30 * n) for n in reversed(range(12)))

Timed = tuple[float, list[Answer]]
Work = Callable[[], Timed]


@dataclass(frozen=True)
class Cost:
    """Seconds without the loading of the input, and the peak of the process in MB."""

    seconds: float
    peak_mb: float


def read(path: Path) -> Timed:
    """Read a file of events and number its customers."""
    began = time.perf_counter()
    events = read_events(path, EventColumns("customer_id", "time", type="type", values=["amount"]))
    seconds = time.perf_counter() - began
    assert events.type
    bought = events.type.codes == events.type.values.index("buy")
    return seconds, [rows_answer(len(events.ids.values), events.times, bought, events.values["amount"])]


def sort(folder: Path, order: str) -> Timed:
    """Make a log of events in some order."""
    columns = load_columns(folder, order)
    n_customers = int(columns["customer"].max()) + 1
    began = time.perf_counter()
    log = EventLog.build(
        columns["customer"],
        columns["time"],
        n_customers=n_customers,
        values={"amount": columns["amount"]},
        categories={"type": Texts(columns["type"], TYPES)},
    )
    seconds = time.perf_counter() - began
    bought = log.categories["type"].codes == TYPES.index("buy")
    return seconds, [rows_answer(n_customers, log.times, bought, log.values["amount"])]


def labels(folder: Path) -> Timed:
    """Who is eligible, and their labels, cutoff by cutoff."""
    log, answers = _sorted_log(folder), []
    began = time.perf_counter()
    timeline = log_timeline(log, TASK, log.categories["type"])
    for cutoff in CUTOFFS:
        examples = count_eligible(timeline, TASK, [cutoff]).examples
        found = compile_labels(timeline, TASK, examples, data_end=END)
        outcomes = {f"{h}d": found.outcomes[:, k] for k, h in enumerate(TASK.horizons_days)}
        answers.append(examples_answer(examples.customers, outcomes, log.n_customers))
    return time.perf_counter() - began, answers


def features(folder: Path) -> Timed:
    """Who is eligible, and all history features, cutoff by cutoff."""
    log, answers = _sorted_log(folder), []
    began = time.perf_counter()
    timeline = log_timeline(log, TASK, log.categories["type"])
    type_codes = log.categories["type"].codes.astype(np.int64) + 2
    for cutoff in CUTOFFS:
        examples = count_eligible(timeline, TASK, [cutoff]).examples
        columns = history_features(
            log,
            examples.customers,
            examples.cutoffs,
            lookback_days=TASK.lookback_days,
            type_codes=type_codes,
            types=TYPES,
        )
        answers.append(examples_answer(examples.customers, columns, log.n_customers))
    return time.perf_counter() - began, answers


def stages(folder: Path) -> dict[str, tuple[Work, Work]]:
    """Ours and pandas' work by the name of the stage."""
    files = {"read CSV": folder / "events.csv", "read Parquet": folder / "events.parquet"}
    orders = {"sort, by time before": "by_time", "sort, shuffled before": "shuffled"}
    label_rules = (CUTOFFS, TASK.horizons_days, TASK.eligible_within_days)
    windows = [w for w in window_lengths(TASK.lookback_days) if w]
    return {
        **{name: (partial(read, file), partial(bench_pandas.read, file)) for name, file in files.items()},
        **{
            name: (partial(sort, folder, order), partial(bench_pandas.sort, folder, order))
            for name, order in orders.items()
        },
        "labels": (partial(labels, folder), partial(bench_pandas.labels, folder, *label_rules)),
        "features": (partial(features, folder), partial(bench_pandas.features, folder, CUTOFFS, windows)),
    }


def agree(stage: str, ours: Sequence[Answer], theirs: Sequence[Answer]) -> int:
    """How many values were compared.

    Raises:
        SystemExit: two differ.
    """
    n_compared = 0
    for one, other in zip(ours, theirs, strict=True):
        for name, values in other.items():
            mine = one[name]
            if mine.shape != values.shape or not np.allclose(mine, values, rtol=1e-9, equal_nan=True):
                raise SystemExit(f"{stage}: ours and pandas' {name!r} must be equal, however they differ")
            n_compared += values.size
    return n_compared


def measured(work: Work) -> tuple[Cost, list[Answer]]:
    """Do it here; the peak is that of this process so far."""
    seconds, answers = work()
    return Cost(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024), answers


def alone(work: Work) -> tuple[Cost, list[Answer]]:
    """Do it in a process of its own, whose peak begins with that of this one: nothing large is kept here."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measured, work).result()


def bench(
    folder: Path, run: Callable[[Work], tuple[Cost, list[Answer]]], write: Callable[[str], object]
) -> None:
    """Measure the stages on the log in the folder, and write a table row by row."""
    write(_row("stage", "ours s", "MB", "pandas s", "MB", "ratio", "compared"))
    for name, (ours, theirs) in stages(folder).items():
        (cost, answers), (beside, answers_beside) = run(ours), run(theirs)
        n_compared = agree(name, answers, answers_beside)
        figures = (cost.seconds, cost.peak_mb, beside.seconds, beside.peak_mb, beside.seconds / cost.seconds)
        ours_s, ours_mb, theirs_s, theirs_mb, ratio = (
            f"{value:,.{digits}f}" for value, digits in zip(figures, (2, 0, 2, 0, 1), strict=True)
        )
        write(_row(name, ours_s, ours_mb, theirs_s, theirs_mb, ratio, f"{n_compared:,} values"))
        if "examples" in answers[0]:
            n_examples = sum(int(one["examples"][0]) for one in answers)
            width, width_beside = (len(some[0]) - 2 for some in (answers, answers_beside))
            write(
                f"  {len(answers)} cutoffs, {n_examples:,} examples, {width} columns (pandas {width_beside})"
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate the log unless it is there, and print the table."""
    parser = argparse.ArgumentParser(prog="bench_labels", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=10_000_000, help="at least one a customer")
    asked = parser.parse_args(arguments)
    if not 1 <= asked.customers <= asked.events:
        parser.error("--events must be at least --customers, which must be positive")
    folder = CACHE / f"{asked.customers}-{asked.events}"
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(make_log, folder, asked.customers, asked.events).result()
    _line(
        f"{asked.events:,} events of {asked.customers:,} customers in {folder.name}, {os.cpu_count()} cores"
    )
    bench(folder, alone, _line)


def _row(stage: str, *cells: str) -> str:
    return f"{stage:<22}" + "".join(f"{cell:>10}" for cell in cells[:-1]) + f"{cells[-1]:>20}"


def _line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _sorted_log(folder: Path) -> EventLog:
    columns = load_columns(folder, "sorted")
    counts = np.bincount(columns["customer"])
    return EventLog(
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        times=columns["time"],
        values={"amount": columns["amount"]},
        categories={"type": Texts(columns["type"], TYPES)},
    )


if __name__ == "__main__":
    main()
