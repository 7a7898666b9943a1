"""`make bench-quality DATA=FOLDER`: ours and the peers on every case whose data are in the folder."""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from model.errors import DataError, PropenseError
from tests.benchmarks.quality.bench import Models, bench_case
from tests.benchmarks.quality.cases import CASES, read_cases
from tests.benchmarks.quality.flips import flip_lines
from tests.benchmarks.quality.ours import RunError
from tests.benchmarks.quality.peers import PEERS, QUICK
from tests.benchmarks.quality.records import HEADS, Record, load
from tests.benchmarks.quality.table import render
from tests.benchmarks.results import RESULTS, write_section

RAW: Final = RESULTS.parents[2] / ".bench" / "quality.json"
NONE: Final = "none"
CORES: Final = 2
VERSIONS: Final = (
    *("propense", "torch", "numpy", "scikit-learn"),
    *("lightgbm", "xgboost", "catboost", "pytabkit", "lifetimes"),
)


def main(arguments: Sequence[str] | None = None, *, raw: Path = RAW, results: Path = RESULTS) -> None:
    """Run the cases, or draw the tables of earlier runs again."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    left_out: Mapping[str, str] = {}
    if not asked.render:
        if asked.data is None or not asked.data.is_dir():
            parser.error(f"--data must be the folder of the data sets, got {asked.data}")
        _stay_on(CORES)
        try:
            if asked.flips:
                _flips(asked, results)
                return
            left_out = _run(asked, raw)
        except (PropenseError, RunError) as error:
            sys.exit(f"bench-quality: {error}")
    records = load(raw)
    lines = render(records, left_out)
    if records:
        write_section("quality", "Quality", lines, VERSIONS, command=_command(records), path=results)
    sys.stdout.write("\n".join(lines) + "\n")


def _flips(asked: argparse.Namespace, results: Path) -> None:
    cases = read_cases(asked.case_folder, asked.cases)
    with tempfile.TemporaryDirectory(prefix="propense-") as folder:
        lines = flip_lines(cases, asked.data, Path(folder), asked.flips, _tell)
    about = (
        "Runs of `propense train` on the same rows, a log at its last date; mean and range over the seeds."
    )
    names = " ".join(case.name for case in cases)
    command = f'make bench-quality DATA=FOLDER CASES="{names}" FLIPS={asked.flips}'
    write_section("flips", "Seeds", [about, "", *lines], VERSIONS[:4], command=command, path=results)
    sys.stdout.write("\n".join(lines) + "\n")


def _run(asked: argparse.Namespace, raw: Path) -> dict[str, str]:
    """Run the cases one after the other; why one was left out, by its name."""
    left_out = {}
    peers = [name for name in asked.peers if name != NONE]
    for case in read_cases(asked.case_folder, asked.cases):
        models = Models(asked.heads, peers, asked.seeds)
        with tempfile.TemporaryDirectory(prefix="propense-") as folder:
            try:
                bench_case(case, asked.data, Path(folder), models, raw, _tell)
            except DataError as error:
                left_out[case.name] = str(error)
                _tell(f"{case.name} is left out: {error}")
    return left_out


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench-quality", description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder of the data sets")
    parser.add_argument("--case-folder", type=Path, default=CASES, help="other case files")
    parser.add_argument("--cases", nargs="+", default=(), help="some of them")
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1, 2))
    parser.add_argument("--heads", nargs="+", choices=HEADS, default=HEADS[:1], help="that the study names")
    parser.add_argument("--peers", nargs="+", choices=(*PEERS, NONE), default=QUICK)
    parser.add_argument("--flips", type=int, help="train each case with so many seeds, and compare nothing")
    parser.add_argument("--render", action="store_true", help="fit nothing, draw the tables again")
    return parser


def _command(records: Sequence[Record]) -> str:
    """What measures these records, without a path of this machine."""
    models = {record.model for record in records}
    words = {
        "CASES": dict.fromkeys(record.case for record in records),
        "SEEDS": map(str, sorted({record.seed for record in records})),
        "PEERS": (name for name in PEERS if name in models),
    }
    return " ".join(["make bench-quality DATA=FOLDER", *(f'{k}="{" ".join(v)}"' for k, v in words.items())])


def _stay_on(cores: int) -> None:
    """Everybody gets the same few cores, our processes among them."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def _tell(text: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
