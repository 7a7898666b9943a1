"""A task names its outputs and refuses impossible windows."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from model.task import ColumnTask, ContractTask, Eligible, LogTask, Task

ADAPTER: TypeAdapter[ColumnTask | LogTask | ContractTask] = TypeAdapter(Task)


def log_task(**changes: Any) -> LogTask:
    plain: dict[str, Any] = {"outcome": "occurs", "horizons_days": (30, 90)}
    return LogTask(**{**plain, **changes})


def test_a_column_task_has_one_output_without_a_name() -> None:
    task = ColumnTask(column="Churn", positive="Yes")
    assert task.n_outputs == 1
    assert task.output_names == ()
    assert task.lookback_days is None


def test_a_log_task_has_an_output_for_each_horizon() -> None:
    task = log_task(horizons_days=(30, 90, 180))
    assert task.n_outputs == 3
    assert task.output_names == ("30", "90", "180")
    assert log_task(horizons_days=(7,)).output_names == ("7",)
    assert (task.event, task.gap_days, task.lookback_days, task.eligible_within_days) == ("any", 0, None, 365)


@pytest.mark.parametrize(
    ("event", "types"),
    [("any", ()), ("buy", ("buy",)), (("buy", "any"), ("buy", "any"))],
)
def test_the_types_that_count(event: str | tuple[str, ...], types: tuple[str, ...]) -> None:
    assert log_task(event=event).event_types == types


def test_a_contract_task_has_an_output_for_each_horizon_and_asks_whether_it_ends() -> None:
    task = ContractTask(ends="until", horizons_days=(30, 90))
    assert (task.n_outputs, task.output_names, task.outcome) == (2, ("30", "90"), "occurs")
    assert (task.starts, task.eligible_within_days, task.eligible) == (None, None, Eligible())


def test_how_long_a_window_and_the_wait_for_its_label_are() -> None:
    for task in (
        log_task(gap_days=5, reactivates_within_days=14, ingestion_lag_days=2),
        ContractTask(
            ends="until", horizons_days=(30, 90), gap_days=5, reactivates_within_days=14, ingestion_lag_days=2
        ),
    ):
        assert (task.window_days, task.wait_days) == (95, 16)
    assert (log_task().window_days, log_task().wait_days) == (90, 0)


@pytest.mark.parametrize("horizons", [(90, 30), (30, 30), (30, 90, 60)])
def test_horizons_must_increase(horizons: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError) as error:
        log_task(horizons_days=horizons)
    assert f"must increase, got {list(horizons)}" in str(error.value)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"horizons_days": ()}, "at least 1 item"),
        ({"horizons_days": tuple(range(1, 54))}, "at most 52 items"),
        ({"horizons_days": (0, 30)}, "greater than 0"),
        ({"horizons_days": (30, 36_501)}, "less than or equal to 36500"),
        ({"gap_days": -1}, "greater than or equal to 0"),
        ({"lookback_days": 0}, "greater than 0"),
        ({"eligible_within_days": 0}, "greater than 0"),
        ({"outcome": "maybe"}, "'occurs' or 'absent'"),
        ({"horizon_days": 30}, "Extra inputs are not permitted"),
        ({"ingestion_lag_days": -1}, "greater than or equal to 0"),
        ({"reactivates_within_days": 36_501}, "less than or equal to 36500"),
        ({"involuntary_within_days": -1}, "greater than or equal to 0"),
        ({"returns": ("",)}, "at least 1 character"),
        ({"eligible": {"min_events": -1}}, "greater than or equal to 0"),
        ({"eligible": {"min_history_days": -1}}, "greater than or equal to 0"),
        ({"eligible": {"min_orders": 1}}, "Extra inputs are not permitted"),
        ({"ends": "until"}, "Extra inputs are not permitted"),
    ],
)
def test_other_faults_are_refused(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError) as error:
        log_task(**changes)
    assert error.value.error_count() == 1
    assert fault in str(error.value)


ENDING: dict[str, Any] = {
    "horizons_days": (30, 90),
    "gap_days": 1,
    "ingestion_lag_days": 2,
    "eligible": Eligible(min_events=3, min_history_days=4),
    "reactivates_within_days": 5,
    "returns": ("join", "buy"),
    "involuntary": ("fail",),
    "involuntary_within_days": 6,
    "eligible_within_days": 7,
}


@pytest.mark.parametrize(
    "task",
    [
        ColumnTask(column="Churn", positive="1", lookback_days=30),
        log_task(),
        LogTask(event=("cancel", "expire"), outcome="occurs", terminal=True, **ENDING),
        ContractTask(ends="until", horizons_days=(30,)),
        ContractTask(ends="until", starts="since", **ENDING),
    ],
)
def test_a_task_comes_back_from_json_as_what_it_was(task: ColumnTask | LogTask | ContractTask) -> None:
    back = ADAPTER.validate_json(ADAPTER.dump_json(task))
    assert back == task
    assert type(back) is type(task)


def test_a_task_of_an_older_propense_is_understood() -> None:
    """As a version in a registry holds it that was trained before tasks had endings."""
    stored = {
        "kind": "log", "event": "any", "outcome": "absent", "horizons_days": [30], "gap_days": 0,
        "lookback_days": 365, "eligible_within_days": 365,
    }  # fmt: skip
    assert ADAPTER.validate_python(stored) == LogTask(
        outcome="absent", horizons_days=(30,), lookback_days=365
    )


def test_a_task_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="'column', 'log', 'contract'"):
        ADAPTER.validate_python({"kind": "regression", "column": "spend"})


def test_a_task_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(log_task(), "gap_days", 3)  # noqa: B010 - mypy refuses it too
