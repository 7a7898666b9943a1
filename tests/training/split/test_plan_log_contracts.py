"""The plan of a table of contracts: several rows a customer, tested like a log."""

import numpy as np

from model.task import ContractTask
from model.times import DAY, format_instant
from model.values.columns import column_of
from tests.training.table_plans import sides
from training.question.labels import cutoff_grid
from training.question.question import Question
from training.question.timeline import Timeline, contract_timeline
from training.split.plan_log import plan_log
from training.study.sections import SplitOptions


def contracts(seed: int = 0) -> tuple[list[str], Timeline]:
    """Contracts of 300 customers, renewed or not, over 120 days, without a log."""
    draw = np.random.default_rng(seed)
    rows = []
    for customer in range(300):
        start = int(draw.integers(0, 60))
        for _ in range(3):
            end = start + int(draw.integers(10, 50))
            rows.append((f"c{customer}", start, end if end < 120 else None))
            start = end + int(draw.choice([0, 2, 9]))
            if start > 110:
                break
    ids, starts, ends = (list(one) for one in zip(*rows, strict=True))
    columns = {
        "start": column_of([format_instant(day * DAY) for day in starts]),
        "end": column_of([None if day is None else format_instant(day * DAY) for day in ends]),
    }
    return ids, contract_timeline(None, CONTRACT, columns, ids, None, "UTC")


CONTRACT = ContractTask(
    ends="end", starts="start", horizons_days=(7, 21), gap_days=1, reactivates_within_days=2
)


def test_contracts_are_tested_forward_and_a_customer_s_rows_stay_together() -> None:
    ids, timeline = contracts()
    grid = cutoff_grid(first_event=0, data_end=119 * DAY, task=CONTRACT, every_days=10, first=None, last=None)
    question = Question(CONTRACT, timeline, 0, 119 * DAY, "UTC", ())
    plan = plan_log(ids, question, SplitOptions(test_fraction=0.3), grid=grid, folds=5)
    assert plan.kind == "forward"
    assert set(plan.examples.cutoffs[plan.test].tolist()) == {95 * DAY}
    names = np.array(ids)[plan.examples.customers]
    people = [set(names[side].tolist()) for side in sides(plan)]
    assert all(people)
    assert sum(map(len, people)) == len(set().union(*people))
    of_group = set(zip(plan.groups.tolist(), names.tolist(), strict=True))
    assert len(of_group) == len(set(names.tolist()))
