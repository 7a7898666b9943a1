"""Columns that were written down after the window: they know who leaves in the end."""

import numpy as np
import pytest

from model.task import LogTask
from model.times import DAY
from model.values.columns import Column, column_of, texts_of
from model.values.customers import Examples
from model.values.history import EventLog
from training.audit.findings import Finding
from training.audit.hindsight import probe_future_dates, probe_hindsight
from training.question.eligibility import count_eligible
from training.question.question import Question
from training.question.timeline import log_timeline
from training.schema.kinds import Kind

N = 300
END = 400 * DAY
TASK = LogTask(event="cancel", outcome="occurs", terminal=True, horizons_days=(30,), eligible_within_days=400)
LEAVES = np.random.default_rng(0).random(N) < 0.6
AT = np.random.default_rng(1).integers(60, 390, N)


def question(task: LogTask = TASK) -> Question:
    """Everybody visits on the first day; who leaves cancels on a day of its own."""
    customers = np.concatenate([np.arange(N), np.flatnonzero(LEAVES)])
    times = np.concatenate([np.zeros(N, dtype=np.int64), AT[LEAVES] * DAY])
    types = texts_of(np.repeat([0, 1], [N, int(LEAVES.sum())]), ("visit", "cancel"))
    log = EventLog.build(customers, times, n_customers=N, values={}, categories={"type": types})
    return Question(task, log_timeline(log, task, log.categories["type"]), 0, END, "UTC", ())


def probed(column: Column, kind: Kind, task: LogTask = TASK) -> list[Finding]:
    asked = question(task)
    examples: Examples = count_eligible(asked.timeline, asked.task, [50 * DAY, 100 * DAY, 150 * DAY]).examples
    return probe_hindsight({"column": column}, {"column": kind}, asked, examples, examples.customers, seed=0)


def test_a_status_of_today_is_a_leak_though_most_leave_after_the_window() -> None:
    [found] = probed(column_of(["left" if leaves else "here" for leaves in LEAVES]), "categorical")
    assert (found.probe, found.level, found.column) == ("knows_the_future", "leak", "column")
    assert found.evidence.startswith(
        "For the outcome at any time from the cutoff to the end of the data: 'column' is 'left'"
    )
    assert "allow_leaks: [column]" in found.advice


def test_a_reason_that_only_leavers_have_is_a_leak() -> None:
    reasons = np.random.default_rng(2).choice(["price", "moved", "service"], N)
    cells = [reason if leaves else None for reason, leaves in zip(reasons.tolist(), LEAVES, strict=True)]
    [found] = probed(column_of(cells), "categorical")
    assert found.level == "leak"
    assert "is filled in" in found.evidence


def test_a_number_that_leaving_sets_to_nothing_is_a_leak() -> None:
    bills = np.where(LEAVES, 0.0, 20 + np.random.default_rng(3).random(N))
    assert [f.level for f in probed(bills, "numeric")] == ["leak"]


@pytest.mark.parametrize("seed", range(5))
def test_what_was_known_from_the_start_is_none(seed: int) -> None:
    draw = np.random.default_rng(seed)
    plan = [("basic" if left == (draw.random() < 0.7) else "plus") for left in LEAVES]
    assert probed(column_of(plan), "categorical") == []
    assert probed(draw.normal(size=N) + LEAVES, "numeric") == []


def test_a_plan_that_everybody_leaves_in_the_long_run_is_none() -> None:
    plan = np.where(LEAVES & (np.arange(N) % 2 == 0), "monthly", "yearly")
    assert probed(column_of(plan.tolist()), "categorical") == []


def test_a_date_is_left_to_the_probe_of_dates() -> None:
    dates = column_of(["2020-01-01" if leaves else None for leaves in LEAVES])
    assert probed(dates, "date") == []


def test_absence_is_looked_at_to_the_end_of_the_data() -> None:
    """Who never cancels is positive here, and a column that says so is a leak."""
    absent = LogTask(event="cancel", outcome="absent", horizons_days=(30,), eligible_within_days=400)
    [found] = probed(column_of(["left" if leaves else "here" for leaves in LEAVES]), "categorical", absent)
    assert found.level == "leak"


def test_an_outcome_that_everybody_has_says_nothing() -> None:
    asked = question()
    nobody = Examples(np.flatnonzero(~LEAVES), np.full(int((~LEAVES).sum()), 50 * DAY))
    column = {"column": np.zeros(N)}
    assert probe_hindsight(column, {"column": "numeric"}, asked, nobody, nobody.customers, seed=0) == []


def probed_dates(cells: list[str | None], cutoffs: list[int], zone: str = "UTC") -> list[tuple[str, str]]:
    """What is found about a date of so many customers, each asked once at its cutoff, a day number."""
    examples = Examples(np.arange(len(cells)), np.array(cutoffs, dtype=np.int64) * DAY)
    found = probe_future_dates({"seen": column_of(cells)}, {"seen": None}, examples, zone)
    assert all((f.probe, f.column) == ("future_date", "seen") for f in found)
    return [(f.level, f.evidence) for f in found]


def test_a_date_after_the_cutoff_is_a_warning() -> None:
    [(level, evidence)] = probed_dates(["1970-01-03", "1970-01-03", "1970-01-09", None], [1, 5, 5, 5])
    assert level == "warning"
    assert evidence == (
        "'seen' is after the cutoff in 2 of 3 examples that have it. The model reads such a date as missing."
    )


def test_a_date_up_to_the_cutoff_is_none() -> None:
    assert probed_dates(["1970-01-06", "1970-01-01", None, "soon"], [5, 5, 5, 5]) == []
    assert probed_dates([], []) == []


def test_dates_are_those_of_the_zone() -> None:
    assert probed_dates(["1970-01-06"], [5], "Asia/Tokyo") == []
    assert len(probed_dates(["1970-01-06"], [5], "America/New_York")) == 1


def test_the_advice_names_the_column_for_yaml() -> None:
    examples = Examples(np.array([0]), np.array([0]))
    [found] = probe_future_dates({"a, [b]": column_of(["1970-01-02"])}, {"a, [b]": None}, examples, "UTC")
    assert "under data.customers, exclude: ['a, [b]']" in found.advice
