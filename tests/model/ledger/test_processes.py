"""Writers, compactors and erasers that are killed at any moment, two at a time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.model.ledger.build import ledger_in, recorded


@pytest.mark.parametrize("n", [15, pytest.param(500, marks=pytest.mark.heavy)])
def test_nothing_that_was_recorded_is_lost_or_doubled(tmp_path: Path, n: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.model.ledger.killed", tmp_path, str(n)], capture_output=True, check=True
    )
    known, ledger = json.loads(done.stdout), ledger_in(tmp_path)
    assert len(known) > n
    found = recorded(ledger, *known)
    others = found.pop("", 0)  # recorded, and killed before it was reported
    assert found == dict.fromkeys(known, 1)
    assert others <= 2 * n
    ledger.compact()
    assert recorded(ledger, *known) == {**found, **({"": others} if others else {})}
