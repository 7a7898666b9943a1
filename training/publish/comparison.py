"""Where a champion and a challenger can be compared: on examples that neither has learnt from."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.errors import ComparisonError, SchemaError
from model.features.encode import check_fields
from model.scorer import Scorer
from model.task import Task
from model.times import format_instant
from training.measure.measuring import LABEL
from training.prepare import Prepared
from training.publish.twin import Twin
from training.publish.unseen import unseen
from training.run.run import ask_rows
from training.split.plan import Plan
from training.split.split import Rows

MIN_EACH: Final = 10  # examples of either outcome, below which no interval means anything

_NO_QUESTION: Final = (  # how much is read, when it is known, how a date is written
    "lookback_days",
    "ingestion_lag_days",
    "ends_format",
    "starts_format",
)


@dataclass(frozen=True)
class Comparison:
    """N examples, and what the champion's twin says about them.

    Attributes:
        version: the champion's.
        rows: (N,) positions among the plan's examples.
        labels: (N,) float64 of 0 and 1, at the longest horizon.
        groups: (N,) who belongs together, as in the plan.
        champion: (N,) float64 probabilities.
        horizon: in days, or LABEL.
        test_date: None for a table.
        sentence: who is compared, and what else each of the two has seen.
    """

    version: int
    rows: Rows
    labels: NDArray[np.float64]
    groups: NDArray[np.int64]
    champion: NDArray[np.float64]
    horizon: str
    test_date: str | None
    sentence: str

    def facts(self) -> dict[str, Any]:
        """What a report tells of it."""
        return {
            "examples": len(self.rows),
            "positives": int(self.labels.sum()),
            "horizon": self.horizon,
            "test_date": self.test_date,
            "sentence": self.sentence,
        }


def ask_champion(twin: Twin, prepared: Prepared) -> Comparison:
    """Find the challenger's test examples that the champion's twin never saw, and ask the twin about them.

    Raises:
        ComparisonError: it answers another question, reads what today's data lack, has newer data, or
            too few examples are left.
    """
    plan = prepared.plan
    _check_task(twin, prepared.task)
    _check_data(twin, prepared)
    test_date = int(plan.held_out.since) if prepared.question and plan.held_out.since is not None else None
    _check_dates(twin, prepared, test_date)
    rows = plan.test[unseen(twin, prepared) & plan.labels.complete[plan.test, -1]]
    labels = plan.labels.outcomes[rows, -1].astype(np.float64)
    _check_enough(twin, plan, labels, plan.groups[rows])
    names, zone = prepared.task.output_names, prepared.table.time_zone
    return Comparison(
        version=twin.version,
        rows=rows,
        labels=labels,
        groups=plan.groups[rows],
        champion=last_probability(twin.scorer, prepared, rows),
        horizon=names[-1] if names else LABEL,
        test_date=None if test_date is None else format_instant(test_date, zone),
        sentence=" ".join([_found(twin, prepared, rows, test_date), *_caveats(twin, plan, rows, test_date)]),
    )


def last_probability(scorer: Scorer, prepared: Prepared, rows: Rows) -> NDArray[np.float64]:
    """(N,) float64 probability by the longest horizon of some of the plan's examples."""
    return ask_rows(scorer, prepared, rows)[:, -1]


def _check_task(twin: Twin, task: Task) -> None:
    then, now = twin.scorer.task.model_dump(mode="json"), task.model_dump(mode="json")
    changed = [
        f"{key} {then.get(key)!r} is now {now.get(key)!r}"
        for key in dict.fromkeys([*then, *now])
        if then.get(key) != now.get(key) and key not in _NO_QUESTION
    ]
    if changed:
        raise ComparisonError(
            f"both must answer one question, however the target is no longer that of version {twin.version}: "
            f"{'; '.join(changed)}"
        )


def _check_data(twin: Twin, prepared: Prepared) -> None:
    try:
        check_fields(twin.scorer.schema, prepared.dataset.columns, prepared.dataset.log)
    except SchemaError as why:
        raise ComparisonError(
            f"today's data must hold what version {twin.version} reads, however {why}"
        ) from why


def _check_dates(twin: Twin, prepared: Prepared, test_date: int | None) -> None:
    """The champion may know nothing that is later than what it is asked."""
    dated = prepared.question is not None or prepared.dataset.log is not None
    if dated and prepared.as_of < twin.data_end:
        raise ComparisonError(
            f"today's data must reach as far as those of version {twin.version}, however they end at "
            f"{format_instant(prepared.as_of)} and those at {format_instant(twin.data_end)}"
        )
    since = twin.held_out.since
    if test_date is not None and twin.held_out.kind == "forward" and since is not None and test_date < since:
        raise ComparisonError(
            f"the test date must not lie before that of version {twin.version}, whose labels had closed by "
            f"then, however it is {format_instant(test_date)} and that was {format_instant(int(since))}"
        )


def _check_enough(twin: Twin, plan: Plan, labels: NDArray[np.float64], groups: NDArray[np.int64]) -> None:
    positives, n = int(labels.sum()), len(labels)
    if min(positives, n - positives) >= MIN_EACH and len(np.unique(groups)) > 1:
        return
    then, now = twin.held_out, plan.held_out
    remedy = "bring more customers"
    if "time" not in (then.kind, now.kind) and then.seed != now.seed:
        remedy = f"keep the split.seed {then.seed} of version {twin.version}, or {remedy}"
    raise ComparisonError(
        f"a comparison needs {MIN_EACH} examples of either outcome that neither has seen, of several "
        f"customers, however there are {positives} positive and {n - positives} negative ones; {remedy}"
    )


def _found(twin: Twin, prepared: Prepared, rows: Rows, test_date: int | None) -> str:
    at = "" if test_date is None else f" at {format_instant(test_date, prepared.table.time_zone)}"
    return (
        f"Compared on {len(rows):,} of the challenger's {len(prepared.plan.test):,} test examples{at}, those "
        f"that version {twin.version} held out as well. Each is measured by its fit that never saw them: "
        "what is published learns from nearly everybody."
    )


def _caveats(twin: Twin, plan: Plan, rows: Rows, test_date: int | None) -> list[str]:
    """What keeps the comparison from being clean."""
    told, then = [], twin.held_out
    if test_date is not None and then.kind == "customers" and test_date < twin.data_end:
        told.append(f"Version {twin.version} learnt from other customers at the same dates.")
    if plan.kind == "customers":
        told.append("The challenger learnt from other customers at the same dates.")
    if then.kind == "time":
        told.append(f"Their {then.group!r} is later than all that version {twin.version} learnt from.")
    elif then.group is not None:
        told.append(
            f"They are known by their {then.group!r} of today: who changed it may have been learnt from."
        )
    if then.kind == "rows" and twin.scorer.schema.id is None and twin.scorer.schema.events is None:
        told.append("Rows have no id: one that holds other values than before counts as another customer.")
    groups = len(np.unique(plan.groups[rows]))
    if groups < MIN_EACH:
        told.append(f"They are of {groups} groups only: the intervals are rough.")
    return told
