"""Case files: those that come along are studies, and others are refused with the reason."""

import re
from pathlib import Path

import pytest

from model.errors import DataError, StudyError
from tests.benchmarks.quality.cases import CASES, Case, data_files, read_case, read_cases
from training.study.study import read_study

TABLE = """\
kind: table
study:
  name: people
  data: {customers: {path: people/*.csv}}
  target: {column: left, positive: 1}
"""


@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_case_that_comes_along_is_a_study(path: Path, tmp_path: Path) -> None:
    case = read_case(path)
    places = {part: tmp_path / f"{part}.csv" for part in case.sources}
    read_study(case.write_study(tmp_path / "study.yaml", places))
    assert not {"fit", "network"} & case.study.keys()  # nothing is tuned
    assert case.sources
    assert all(text.startswith(f"{case.name}/") for text in case.sources.values())


def test_cases_come_in_the_order_asked(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.yaml").write_text(TABLE)
    assert [case.name for case in read_cases(tmp_path)] == ["a", "b", "c"]
    assert [case.name for case in read_cases(tmp_path, ["c", "a"])] == ["c", "a"]
    with pytest.raises(StudyError, match=r"^a case must be one of \['a', 'b', 'c'\], got \['d'\]"):
        read_cases(tmp_path, ["d"])


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="must hold case files"):
        read_cases(tmp_path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            "cuts: [2024-01-01]",
            "cuts must be set for a log and for nothing else, got ['2024-01-01'] for a table",
        ),
        ("cutt: 2024-01-01", "cutt"),
        ("kind: list", "'table' or 'log'"),
    ],
)
def test_a_file_that_is_no_case_is_refused(tmp_path: Path, change: str, why: str) -> None:
    text = TABLE.replace("kind: table\n", "") if change.startswith("kind") else TABLE
    (tmp_path / "odd.yaml").write_text(f"{text}{change}\n")
    with pytest.raises(StudyError, match=rf"(?s)^odd\.yaml: .*{re.escape(why)}"):
        read_case(tmp_path / "odd.yaml")


def test_data_are_found_below_their_folder_or_missed(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text(TABLE)
    case: Case = read_case(tmp_path / "case.yaml")
    with pytest.raises(DataError, match=r"^people/\*\.csv is not in the folder of the data$"):
        data_files(case, tmp_path)
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "all.csv").write_text("left\n1\n")
    assert data_files(case, tmp_path) == {"customers": [tmp_path / "people" / "all.csv"]}
