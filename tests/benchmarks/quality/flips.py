"""Whether what is published, and the verdict, repeat where nothing but the seed changes."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks.quality.bench import deal_of
from tests.benchmarks.quality.cases import Case
from tests.benchmarks.quality.ours import run_propense
from tests.benchmarks.quality.records import HEADS
from tests.benchmarks.quality.table import markdown_table
from training.measure.metrics import measure

HEADING = ("case", "published", "against the best baseline", "log loss", "calibration error")


def flip_lines(
    cases: Sequence[Case], data: Path, folder: Path, n_seeds: int, tell: Callable[[str], object]
) -> list[str]:
    """Train each case n times on the same rows, a log at its last date.

    Raises:
        DataError, StudyError: a case or its data cannot be used.
        RunError: a command failed.
    """
    rows = []
    for case in cases:
        place = folder / case.name
        place.mkdir()
        split = deal_of(case, case.cuts[-1] if case.cuts else "", data, place)(0)
        heads: Counter[str] = Counter()
        verdicts: Counter[str] = Counter()
        losses, errors = [], []
        for seed in range(n_seeds):
            run = run_propense(split, HEADS[0], seed, place)
            found = measure(split.labels, run.probabilities)
            heads[run.published] += 1
            verdicts[run.verdict] += 1
            losses.append(found.log_loss)
            errors.append(found.calibration_error)
            tell(f"{case.name}, seed {seed}: published {run.published}, log loss {found.log_loss:.4f}")
        rows.append([case.name, _counts(heads), _counts(verdicts), _range(losses), _range(errors)])
    return markdown_table(HEADING, rows)


def _counts(seen: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in seen.most_common())


def _range(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.4f} ({min(values):.4f} to {max(values):.4f})"
