"""The benchmark of labels and features: ours and pandas' answers agree, and are really compared."""

from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.label_speed.bench import CUTOFFS, agree, bench, features, labels, measured, stages
from tests.benchmarks.label_speed.log import Answer, make_log

N_CUSTOMERS, N_EVENTS = 2_000, 20_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small log."""
    folder = tmp_path_factory.mktemp("bench") / "small"
    make_log(folder, N_CUSTOMERS, N_EVENTS)
    return folder


def test_every_stage_agrees_with_pandas(folder: Path) -> None:
    lines: list[str] = []
    bench(folder, measured, lines.append)
    assert [line[:22].strip() for line in lines if not line.startswith(" ")] == ["stage", *stages(folder)]
    assert "59 columns (pandas 47)" in lines[-1]
    assert all("values" in line for line in lines[1:] if not line.startswith(" "))


def test_the_answers_are_those_of_a_real_log(folder: Path) -> None:
    _, found = labels(folder)
    _, computed = features(folder)
    assert len(found) == len(computed) == len(CUTOFFS)
    for outcomes, columns in zip(found, computed, strict=True):
        n_examples = int(outcomes["examples"][0])
        assert 0.7 * N_CUSTOMERS < n_examples == columns["examples"][0] <= N_CUSTOMERS
        assert 0.1 < outcomes["30d"].mean() < outcomes["90d"].mean() < 0.9
        assert columns["count_365d"].mean() > 1


def _cutoff() -> Answer:
    return {"examples": np.array([2]), "30d": np.array([1.0, np.nan])}


def test_equal_answers_are_counted() -> None:
    assert agree("labels", [{**_cutoff(), "ours alone": np.zeros(9)}], [_cutoff()]) == 3


@pytest.mark.parametrize("values", [[1.0, 0.0], [1.001, np.nan], [1.0]])
def test_a_difference_is_refused(values: list[float]) -> None:
    with pytest.raises(
        SystemExit, match=r"^labels: ours and pandas' '30d' must be equal, however they differ$"
    ):
        agree("labels", [_cutoff()], [{**_cutoff(), "30d": np.array(values)}])


def test_a_log_is_made_once(folder: Path) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    make_log(folder, N_CUSTOMERS, N_EVENTS)
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before
