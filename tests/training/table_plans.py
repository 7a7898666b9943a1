"""Plans of little tables, for the tests of `training.split.plan_table`."""

from typing import Any

import pytest

from model.errors import DataError
from model.task import ColumnTask
from model.values.columns import Column, column_of
from training.split.plan import Folds, Plan
from training.split.plan_table import plan_table
from training.split.split import Rows

CUTOFF = 12_345
TASK = ColumnTask(column="churn", positive="Yes")
LABELS = ["Yes", "No", "No", "No"]


def planned(task: ColumnTask = TASK, **values: Any) -> Plan:
    """The plan of a table; what begins with `split_` is an option, the rest are columns of it."""
    options: dict[str, Any] = {"ids": None, "group": None, "time": None}
    options |= {"test_fraction": 0.2, "folds": 5, "seed": 0}
    options |= {name.removeprefix("split_"): v for name, v in values.items() if name.startswith("split_")}
    columns: dict[str, Column] = {n: column_of(v) for n, v in values.items() if not n.startswith("split_")}
    features = {name: column for name, column in columns.items() if name != task.column}
    return plan_table(columns, task, cutoff=CUTOFF, features=features, zone="UTC", **options)


def refusal(*args: Any, **values: Any) -> str:
    with pytest.raises(DataError) as caught:
        planned(*args, **values)
    return str(caught.value)


def parts(folds: Folds) -> list[Rows]:
    """The rows of each fold."""
    return [folds.rows[folds.fold == fold] for fold in range(int(folds.fold.max(initial=0)) + 1)]


def sides(plan: Plan) -> list[Rows]:
    """The test rows, then those of each fold of the measured fit."""
    return [plan.test, *parts(plan.measured)]
