"""One case from its files to records: every head and every peer, one fit at a time, seed by seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.quality.cases import Case
from tests.benchmarks.quality.logs import log_deal
from tests.benchmarks.quality.ours import RunError, run_propense
from tests.benchmarks.quality.peers import PeerError, ask_peer
from tests.benchmarks.quality.problem import Deal, Split
from tests.benchmarks.quality.records import OURS, Record, added, digest, load, measured, only_seeds, save
from tests.benchmarks.quality.tables import table_deal

Tell = Callable[[str], object]


@dataclass(frozen=True)
class Models:
    """What is fitted: heads of Propense, names of peers, and with which seeds."""

    heads: Sequence[str]
    peers: Sequence[str]
    seeds: Sequence[int]


def bench_case(case: Case, data: Path, folder: Path, models: Models, raw: Path, tell: Tell) -> None:
    """Fit all models on all splits of a case; each record is written at once.

    Args:
        data: the folder of the data sets.
        folder: an empty one, for the files that Propense reads and writes.
        raw: the file of records.

    Raises:
        DataError: the data are not in the folder, or cannot be used.
        StudyError: the case cannot be used.
    """
    save(raw, only_seeds(load(raw), case.name, models.seeds))
    for cut in case.cuts or ("",):
        place = folder / (cut or "table")
        place.mkdir()
        deal = deal_of(case, cut, data, place)
        for seed in models.seeds:
            split = deal(seed)
            blank = _blank(case, cut, split, seed)
            for model in (*(f"{OURS}{head}" for head in models.heads), *models.peers):
                record = _fitted(replace(blank, model=model), split, place)
                save(raw, added(load(raw), record))
                tell(_told(record))


def deal_of(case: Case, cut: str, data: Path, folder: Path) -> Deal:
    """Read a log up to one of its cuts, or a table, whose cut is empty.

    Raises:
        DataError, StudyError: see `bench_case`.
    """
    return log_deal(case, cut, data, folder) if cut else table_deal(case, data, folder)


def _blank(case: Case, cut: str, split: Split, seed: int) -> Record:
    counts = (len(split.problem.train), len(split.labels), int(split.labels.sum()))
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    return Record(case.name, case.kind, "", seed, cut, digest(split), counts, today)


def _fitted(record: Record, split: Split, folder: Path) -> Record:
    """The record with what its model says, or why it says nothing."""
    try:
        if record.is_ours:
            run = run_propense(split, record.model.removeprefix(OURS), record.seed, folder)
            record = replace(
                record,
                fit_seconds=run.fit_seconds,
                wall_seconds=run.wall_seconds,
                published=run.published,
            )
            return measured(record, split, run.probabilities)
        probabilities, seconds = ask_peer(record.model, split.problem, record.seed)
        return measured(replace(record, fit_seconds=seconds), split, probabilities)
    except (RunError, PeerError) as error:
        return replace(record, reason=str(error).rstrip("."))


def _told(record: Record) -> str:
    start = f"{record.case} {record.cut}".strip() + f", seed {record.seed}, {record.model}: "
    if record.reason:
        return start + record.reason
    auc, loss = record.measures["auc"], record.measures["log_loss"]
    return f"{start}AUC {auc:.4f}, log loss {loss:.4f}, fit {record.fit_seconds:.1f} s"
