"""A process that forks writers, compactors and erasers and kills them, for a test to count what is left.

    python -m tests.model.ledger.killed ROOT N

It prints, as JSON, the ids that writers reported as recorded before they were killed.
"""

import json
import os
import random
import signal
import sys
from pathlib import Path

from model.ledger.ledger import Ledger
from model.ledger.records import records_of
from model.ledger.writer import Writer
from tests.model.ledger.build import KEY, append, ledger_in, said

MOST = 20  # batches of a writer before it is killed, at most


def main(root: Path, n: int) -> None:
    """Run n rounds of two processes that are killed."""
    ledger, draw, known = ledger_in(root), random.Random(0), ["first"]
    append(ledger, "first")  # so that each child need not load all of Arrow again
    ledger.compact()
    for round_ in range(n):
        read, write = os.pipe()
        children = [forked(write, ledger, f"{round_}-{part}") for part in range(2)]
        os.close(write)
        with os.fdopen(read, "rb") as reports:
            known += [reports.readline().decode().strip() for _ in range(draw.randrange(MOST))]
            for child in children:
                os.kill(child, signal.SIGKILL)
            known += [line.decode().strip() for line in reports if line.endswith(b"\n")]
        for child in children:
            os.waitpid(child, 0)
    print(json.dumps(known))  # noqa: T201


def forked(write: int, ledger: Ledger, name: str) -> int:
    """Start a process that appends without end, compacts now and then, and reports what it has recorded."""
    if child := os.fork():
        return child
    try:
        writer, number = Writer(ledger), 0
        while True:
            number += 1
            id_ = f"{name}-{number}"
            writer.append(records_of(said(id_, as_of=number), KEY, 1))
            os.write(write, f"{id_}\n".encode())
            if number % 7 == 0:
                ledger.compact()
            if number % 11 == 0:
                ledger.erase(["nobody"])
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
