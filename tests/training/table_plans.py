"""Plans of little tables, for the tests of `training.split.plan_table`."""

from typing import Any

import pytest

from model.errors import DataError
from model.files.dataset import Dataset
from model.task import ColumnTask
from model.values.columns import Column, column_of
from training.schema.fit_schema import ModelFields
from training.schema.kinds import Kind
from training.split.deal import Rows
from training.split.plan import Folds, Plan
from training.split.plan_table import plan_table
from training.study.sections import SplitOptions

CUTOFF = 12_345
TASK = ColumnTask(column="churn", positive="Yes")
LABELS = ["Yes", "No", "No", "No"]


def planned(task: ColumnTask = TASK, **values: Any) -> Plan:
    """The plan of a table; what begins with `split_` is an option, the rest are columns of it."""
    options = {name.removeprefix("split_"): v for name, v in values.items() if name.startswith("split_")}
    options = {"test_fraction": 0.2, **options}
    ids, folds = options.pop("ids", None), options.pop("folds", 5)
    columns: dict[str, Column] = {n: column_of(v) for n, v in values.items() if not n.startswith("split_")}
    n_rows = max(map(len, columns.values()), default=0)
    dataset = Dataset(ids or [str(n) for n in range(n_rows)], columns, None, None, None, ())
    kinds: dict[str, Kind] = dict.fromkeys([n for n in columns if n != task.column], "numeric")
    fields = ModelFields("id" if ids else None, kinds)
    return plan_table(dataset, fields, task, SplitOptions(**options), cutoff=CUTOFF, folds=folds)


def refusal(*args: Any, **values: Any) -> str:
    with pytest.raises(DataError) as caught:
        planned(*args, **values)
    return str(caught.value)


def parts(folds: Folds) -> list[Rows]:
    """The rows of each fold."""
    return [folds.rows[folds.fold == fold] for fold in range(int(folds.fold.max(initial=0)) + 1)]


def sides(plan: Plan) -> list[Rows]:
    """The test rows of unseen customers, then those of each fold of the measured fit."""
    return [plan.unseen, *parts(plan.measured)]
