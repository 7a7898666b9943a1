import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.training.studies.texts import refusal, write
from training.studies.study import ColumnTarget, Study


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (
            "data: {}\ntarget: {column: a, positive: 1}",
            "data.customers: missing; the target column is read from it",
        ),
        (
            "data: {}\ntarget: {outcome: absent, horizons_days: [1]}",
            "data.events: missing; the target's outcome is compiled from it",
        ),
        (
            "data: {customers: }\ntarget: {column: a, positive: 1}",
            "data.customers: missing; the target column is read from it",
        ),
        (
            "data: {customers: {path: c, exclude: [a]}}\ntarget: {column: a, positive: 1}",
            'data.customers.exclude[0]: column "a" is already used by target.column; keep one',
        ),
        (
            "data: {customers: {path: c, id: k, exclude: [k]}}\ntarget: {column: a, positive: 1}",
            'data.customers.exclude[0]: column "k" is already used by data.customers.id; keep one',
        ),
        (
            "data: {customers: {path: c, numeric: [b], sequences: {s: [b]}}}\n"
            "target: {column: a, positive: 1}",
            'data.customers.sequences.s[0]: column "b" is already used by data.customers.numeric[0];'
            " keep one",
        ),
        (
            "data: {events: {path: e, id: k, time: t, values: [v, t]}}\n"
            "target: {outcome: absent, horizons_days: [1]}",
            'data.events.values[1]: column "t" is already used by data.events.time; keep one',
        ),
        (
            "data: {customers: {path: c}}\ntarget: {column: a, positive: 1}\nsplit: {time: b, group: c}",
            "split.group: cannot be combined with split.time; keep one of them",
        ),
        (
            "data: {customers: {path: c, exclude: [b]}}\ntarget: {column: a, positive: 1}\nsplit: {group: b}",
            'split.group: column "b" is the label or excluded, so it cannot split',
        ),
        (
            "data: {customers: {path: c}}\ntarget: {column: a, positive: 1}\nsplit: {time: a}",
            'split.time: column "a" is the label or excluded, so it cannot split',
        ),
    ],
)
def test_rules_between_sections(tmp_path: Path, lines: str, fault: str) -> None:
    (line,) = refusal(write(tmp_path, f"name: rules\n{lines}\n")).splitlines()
    assert re.sub(r"^study.yaml:\d: ", "", line) == fault


def test_rules_hold_for_a_study_made_in_code() -> None:
    with pytest.raises(ValidationError, match="the target column is read from it"):
        Study.model_validate({"name": "code", "data": {}, "target": ColumnTarget(column="a", positive="1")})


@pytest.mark.parametrize(
    ("target", "got"),
    [
        ("{}", "neither"),
        ("{lookback_days: 3}", "neither"),
        ("{column: a, positive: b, horizon_days: [30]}", "both: column, positive, horizon_days"),
    ],
)
def test_a_target_has_one_form(tmp_path: Path, target: str, got: str) -> None:
    assert refusal(write(tmp_path, f"name: forms\ndata: {{}}\ntarget: {target}\n")) == (
        "study.yaml:3: target: must name a column of the customer table (column, positive) or an outcome of"
        f" the event log (outcome, horizons_days), got {got}"
    )


@pytest.mark.parametrize("target", ["3", "", "[column]"])
def test_a_target_is_a_section(tmp_path: Path, target: str) -> None:
    (line,) = refusal(write(tmp_path, f"name: forms\ndata: {{}}\ntarget: {target}\n")).splitlines()
    assert line.startswith("study.yaml:3: target: must be a section of keys, got ")
