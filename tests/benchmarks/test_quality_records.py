"""Records are kept, replaced one by one, and never compared across data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.quality.problem import Features, Problem, Split
from tests.benchmarks.quality.records import (
    RESAMPLES,
    Record,
    added,
    digest,
    load,
    measured,
    only_seeds,
    save,
)
from training.measure.metrics import measure


def _record(
    model: str, *, case: str = "a", seed: int = 0, cut: str = "", data: str = "d", **more: float | None
) -> Record:
    return replace(Record(case, "log", model, seed, cut, data, (8, 4, 2), "2024-01-01"), **more)  # type: ignore[arg-type]


def _split(n: int = 400) -> Split:
    draw = np.random.default_rng(0)
    labels = (draw.random(n) < 0.3).astype(np.float64)
    nothing = Features(np.empty((n, 0)), np.empty((n, 0), dtype=np.int64))
    problem = Problem(nothing, labels > 0, labels > 0, nothing)
    return Split(Path("study.yaml"), (), None, np.arange(n), 2 * n, labels, problem)


def test_measures_are_those_of_the_report_and_resamples_surround_them() -> None:
    split = _split()
    probabilities = np.clip(
        0.3 + 0.3 * split.labels + np.random.default_rng(1).normal(0, 0.2, 400), 0.01, 0.99
    )
    record = measured(_record("catboost"), split, probabilities)
    found = measure(split.labels, probabilities)
    assert record.measures["auc"] == found.auc
    assert record.measures["calibration_error"] == found.calibration_error
    for name in ("auc", "log_loss"):
        draws = np.array(record.resampled[name])
        assert len(draws) == RESAMPLES
        low, high = np.percentile(draws, [2.5, 97.5])
        assert low < record.measures[name] < high
    assert measured(_record("xgboost"), split, probabilities).resampled == record.resampled  # the same draws


def test_records_come_back_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "bench" / "quality.json"
    assert load(path) == []
    records = [_record("catboost", fit_seconds=1.5), replace(_record("xgboost"), reason="not installed")]
    save(path, records)
    assert load(path) == records
    assert [file.name for file in path.parent.iterdir()] == ["quality.json"]


def test_a_record_replaces_its_own_and_outdates_those_of_other_data() -> None:
    records = [
        _record("catboost"),
        _record("xgboost"),
        _record("xgboost", case="b"),
        _record("xgboost", seed=1),
        _record("xgboost", cut="2024-01-01"),
    ]
    again = _record("catboost", fit_seconds=2.0)
    assert added(records, again) == [*records[1:], again]
    other = _record("catboost", data="e")
    assert added(records, other) == [*records[2:], other]


def test_seeds_that_are_not_asked_for_leave_their_case_alone() -> None:
    records = [_record("xgboost", seed=0), _record("xgboost", seed=1), _record("xgboost", seed=1, case="b")]
    assert only_seeds(records, "a", [0]) == [records[0], records[2]]


@pytest.mark.parametrize("part", ["labels", "rows"])
def test_other_data_have_another_digest(part: str) -> None:
    split = _split()
    changed = getattr(split, part).copy()
    changed[0] = 1 - changed[0]
    assert digest(split) == digest(_split()) != digest(replace(split, **{part: changed}))
