"""What was measured, one record a fit, kept as JSON so that the table can be drawn again."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np

from tests.benchmarks.quality.problem import Floats, Split
from training.measure.bootstrap import resample_counts, weighted_measures
from training.measure.metrics import measure

OURS: Final = "propense-"  # how the names of our heads begin
HEADS: Final = ("mlp", "cnn", "rnn")  # that a study may name; what is published is chosen by the run
MEASURES: Final = ("auc", "average_precision", "log_loss", "brier", "calibration_error")
WITH_INTERVAL: Final = ("auc", "log_loss")
RESAMPLES: Final = 200
_DIGITS: Final = 6  # of a resampled measure


@dataclass(frozen=True)
class Record:
    """One model on one split of a case.

    Attributes:
        cut: what training sees of a log; empty for a table.
        data: a digest of the split's labels and training rows: records of other data are not compared.
        counts: training examples, test examples, positive test examples.
        measures: by the names of MEASURES; empty where the model gave no answer, and `reason` says why.
        resampled: of WITH_INTERVAL, on RESAMPLES draws of rows that all models and seeds share.
        published: the head of ours that was published.
        wall_seconds: of ours, the whole command.
    """

    case: str
    kind: str
    model: str
    seed: int
    cut: str
    data: str
    counts: tuple[int, int, int]
    when: str
    measures: dict[str, float] = field(default_factory=dict)
    resampled: dict[str, list[float]] = field(default_factory=dict)
    fit_seconds: float | None = None
    wall_seconds: float | None = None
    published: str | None = None
    reason: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether Propense made it."""
        return self.model.startswith(OURS)


def measured(record: Record, split: Split, probabilities: Floats) -> Record:
    """The record with the measures of its model's answer to the split."""
    found = measure(split.labels, probabilities)
    draws = resample_counts(np.arange(split.n_rows), seed=0, n=RESAMPLES)
    parts = [weighted_measures(split.labels, probabilities, draw[:, split.rows]) for draw in draws]
    resampled = {name: np.concatenate([part[name] for part in parts]) for name in WITH_INTERVAL}
    return replace(
        record,
        measures={name: float(getattr(found, name)) for name in MEASURES},
        resampled={name: values.round(_DIGITS).tolist() for name, values in resampled.items()},
    )


def digest(split: Split) -> str:
    """A name for what is learnt from and asked."""
    learnt = split.problem
    parts = (split.rows, split.labels, learnt.positive, learnt.train.numbers, learnt.train.codes)
    return sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()[:12]


def load(path: Path) -> list[Record]:
    """The records of a file; none where there is none."""
    if not path.is_file():
        return []
    return [Record(**{**raw, "counts": tuple(raw["counts"])}) for raw in json.loads(path.read_text())]


def save(path: Path, records: Sequence[Record]) -> None:
    """Write all records."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps([asdict(record) for record in records]))
    draft.replace(path)


def only_seeds(records: Iterable[Record], case: str, seeds: Sequence[int]) -> list[Record]:
    """Without those of the case that have another seed: a case's models are compared on the same ones."""
    return [record for record in records if record.case != case or record.seed in seeds]


def added(records: Iterable[Record], new: Record) -> list[Record]:
    """With a new record, and without the one that it replaces and those of the same split on other data."""

    def stays(old: Record) -> bool:
        if (old.case, old.cut, old.seed) != (new.case, new.cut, new.seed):
            return True
        return old.model != new.model and old.data == new.data

    return [*(record for record in records if stays(record)), new]
