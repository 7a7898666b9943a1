"""Follow a POST, a file and a training run through the product, and count its lines."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.hops.record import PRODUCT, ROOT
from tests.benchmarks.hops.ways import follow


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of the ways, and one of the rooms."""
    parser = argparse.ArgumentParser(prog="hops", description=__doc__)
    parser.add_argument("--files", action="store_true", help="name the files of each way in their order")
    asked = parser.parse_args(arguments)
    _print(f"{'':30}{'files':>8}{'functions':>11}{'moves':>8}")
    with tempfile.TemporaryDirectory(prefix="propense-") as folder:
        for name, hops in follow(Path(folder)):
            _print(f"{name:30}{len(hops.files):>8,}{hops.functions:>11,}{hops.moves:>8,}")
            if asked.files:
                _print("\n".join(f"  {file}" for file in hops.files))
    _print(f"\n{'':30}{'files':>8}{'lines':>11}")
    for name, files, lines in rooms():
        _print(f"{name:30}{files:>8,}{lines:>11,}")


def rooms() -> list[tuple[str, int, int]]:
    """Name, files and lines of each room, and of all."""
    counted = [(room, *_count(ROOT / room)) for room in PRODUCT if (ROOT / room).exists()]
    return [*counted, ("all", sum(files for _, files, _ in counted), sum(lines for *_, lines in counted))]


def _count(room: Path) -> tuple[int, int]:
    files = [room] if room.is_file() else [*room.rglob("*.py"), *room.rglob("*.j2")]
    return len(files), sum(len(file.read_text().splitlines()) for file in files)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
