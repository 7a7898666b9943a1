"""`make bench-serve`: a core for a server, another for the load; rows as they come, then RESULTS.md."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.results import RESULTS, write_section
from tests.benchmarks.serving.bench import Bench, Sizes, run
from tests.benchmarks.serving.contenders import installed
from tests.benchmarks.serving.load import LoadError
from tests.benchmarks.serving.machine import cores, pinned

SECONDS: Final = 4.0
FULL: Final = Sizes()
VERSIONS: Final = (
    *("propense", "torch", "numpy", "pyarrow", "pandas", "msgspec"),
    *("pydantic", "fastapi", "uvicorn", "uvloop", "httptools"),
)


def main(arguments: Sequence[str] | None = None, *, sizes: Sizes = FULL) -> None:
    """Measure, print and write."""
    asked = _parser().parse_args(arguments)
    lines: list[str] = []

    def write(line: str) -> None:
        lines.append(line)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    server_core, load_core = cores()
    write(_about(asked.seconds, alone=server_core != load_core))
    try:
        with tempfile.TemporaryDirectory(prefix="propense-") as folder, pinned(load_core):
            run(Bench(Path(folder), server_core, asked.seconds, sizes, write), asked.soak)
    except LoadError as error:
        sys.exit(f"bench-serve: {error}")
    command = _command(asked.seconds, asked.soak)
    write_section("serving", "Serving", lines, VERSIONS, command=command, path=asked.results)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench-serve", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of load for each figure")
    parser.add_argument("--soak", type=int, default=0, help="requests during which memory is watched")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the Markdown file")
    return parser


def _command(seconds: float, n_soak: int) -> str:
    words = ["make bench-serve"]
    if seconds != SECONDS:
        words.append(f"SECONDS={seconds:g}")
    if n_soak:
        words.append(f"SOAK={n_soak}")
    if peers := installed():
        words.append(f'PEERS="{" ".join(peers)}"')
    return " ".join(words)


def _about(seconds: float, *, alone: bool) -> str:
    where = (
        "A server has one core for all its processes; the load has another."
        if alone
        else "There is only one core: server and load share it, so that no figure is the server's alone."
    )
    return f"""\
{where} One process each. On every connection one request
is in flight; latencies are from sending it to having read its answer. {seconds:g} s a level in four windows,
whose median is shown; the windows of floor, limit and ours alternate, as the machine is not always as quick,
and so do the bodies of the floor and ours. CPU and memory are those of all processes of a server. The last
column says how far the load was from its own limit. Cold start is from the command to the first answer.

A customer of a table has 28 fields, 20 numbers and 8 categories; one of a log has 50 events. Ours is
`python -m app` with a key and a rate limit. Its answers were those of the model without a server within
1e-6; tutorial and peers answer with an untrained network (embeddings, 256-128-1), and were compared with
that. All servers that read the body refused a wrong type, an unknown field and broken JSON. The peers,
installed by `PEERS`, have versions of their own of what is listed above.
"""


if __name__ == "__main__":
    main()
