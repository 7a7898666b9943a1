"""The comparison of a champion and a challenger on examples that neither was trained on."""

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
from training.publish.measured import MeasuredModel
from training.publish.unseen import unseen
from training.run.splits import score_rows
from training.split.dates import named_dates
from training.split.deal import Rows
from training.split.plan import Plan

MIN_EACH: Final = 10  # examples of each outcome that an interval needs

_SAME_TASK: Final = (  # options that do not change the meaning of a prediction
    "lookback_days",
    "ingestion_lag_days",
    "ends_format",
    "starts_format",
)


@dataclass(frozen=True)
class Comparison:
    """N examples, with the probabilities of the champion's measured model.

    Attributes:
        version: of the champion.
        rows: (N,) positions among the plan's examples.
        labels: (N,) float64 of 0 and 1, at the longest horizon.
        groups: (N,) as in the plan.
        champion: (N,) float64 probabilities.
        horizon: in days, or LABEL.
        test_dates: the dates of their cutoffs, ascending; empty for a table.
        sentence: the compared examples, and the limits of the comparison.
    """

    version: int
    rows: Rows
    labels: NDArray[np.float64]
    groups: NDArray[np.int64]
    champion: NDArray[np.float64]
    horizon: str
    test_dates: tuple[str, ...]
    sentence: str

    def facts(self) -> dict[str, Any]:
        """Return plain values for the report."""
        return {
            "examples": len(self.rows),
            "positives": int(self.labels.sum()),
            "horizon": self.horizon,
            "test_dates": list(self.test_dates),
            "sentence": self.sentence,
        }


def compare_on_unseen(
    champion: MeasuredModel, prepared: Prepared, challenger: MeasuredModel | None = None
) -> Comparison:
    """Find the test examples of the challenger that the champion was not trained on, and score them.

    Args:
        challenger: a published one, which may have held out others than the data now do; None for one that is
            trained on these data.

    Raises:
        ComparisonError: the champion has another target, reads fields that the data lack, or has newer data,
            or too few examples are left.
    """
    plan = prepared.plan
    fair = plan.labels.complete[plan.unseen, -1]
    for model in (champion, challenger) if challenger else (champion,):
        _check_task(model, prepared.task)
        _check_data(model, prepared)
        _check_dates(model, prepared)
        fair = fair & unseen(model, prepared) & _later(model, plan)
    rows = plan.unseen[fair]
    labels = plan.labels.outcomes[rows, -1].astype(np.float64)
    _check_enough(champion, plan, labels, plan.groups[rows])
    names, zone = prepared.task.output_names, prepared.fields.time_zone
    dates = np.unique(plan.examples.cutoffs[rows]).tolist() if prepared.question else []
    return Comparison(
        version=champion.version,
        rows=rows,
        labels=labels,
        groups=plan.groups[rows],
        champion=last_probability(champion.scorer, prepared, rows),
        horizon=names[-1] if names else LABEL,
        test_dates=tuple(format_instant(date, zone) for date in dates),
        sentence=" ".join([_found(champion, prepared, rows, dates), *_caveats(champion, plan, rows, dates)]),
    )


def last_probability(scorer: Scorer, prepared: Prepared, rows: Rows) -> NDArray[np.float64]:
    """Return (N,) float64 probabilities at the longest horizon of some of the plan's examples."""
    return score_rows(scorer, prepared, rows)[:, -1]


def _check_task(champion: MeasuredModel, task: Task) -> None:
    then, now = champion.scorer.task.model_dump(mode="json"), task.model_dump(mode="json")
    changed = [
        f"{key} {then.get(key)!r} is now {now.get(key)!r}"
        for key in dict.fromkeys([*then, *now])
        if then.get(key) != now.get(key) and key not in _SAME_TASK
    ]
    if changed:
        raise ComparisonError(
            f"both models must have the same target, got another one than version {champion.version}: "
            f"{'; '.join(changed)}."
        )


def _check_data(champion: MeasuredModel, prepared: Prepared) -> None:
    try:
        check_fields(champion.scorer.schema, prepared.dataset.columns, prepared.dataset.log)
    except SchemaError as why:
        raise ComparisonError(f"the data must have the fields of version {champion.version}: {why}.") from why


def _check_dates(champion: MeasuredModel, prepared: Prepared) -> None:
    """Refuse a champion with data from after the compared examples."""
    dated = prepared.question is not None or prepared.dataset.log is not None
    if dated and prepared.as_of < champion.data_end:
        raise ComparisonError(
            f"the data must reach {format_instant(champion.data_end)}, the data end of version "
            f"{champion.version}, got data up to {format_instant(prepared.as_of)}."
        )
    plan = prepared.plan
    if len(plan.unseen) and not _later(champion, plan).any():
        assert champion.held_out.since is not None
        latest = int(plan.examples.cutoffs[plan.unseen].max())
        raise ComparisonError(
            f"the test date must not be before that of version {champion.version}, "
            f"{format_instant(int(champion.held_out.since))}, got {format_instant(latest)}."
        )


def _later(champion: MeasuredModel, plan: Plan) -> NDArray[np.bool_]:
    """(N,) whether all training labels of the champion had closed by the cutoff of each of `plan.unseen`."""
    held_out, cutoffs = champion.held_out, plan.examples.cutoffs[plan.unseen]
    if held_out.kind != "forward" or held_out.since is None:
        return np.ones(len(cutoffs), dtype=bool)
    return np.asarray(cutoffs >= held_out.since)


def _check_enough(
    champion: MeasuredModel, plan: Plan, labels: NDArray[np.float64], groups: NDArray[np.int64]
) -> None:
    positives, n = int(labels.sum()), len(labels)
    if min(positives, n - positives) >= MIN_EACH and len(np.unique(groups)) > 1:
        return
    then, now = champion.held_out, plan.held_out
    remedy = "Add customers."
    if "time" not in (then.kind, now.kind) and then.seed != now.seed:
        remedy = f"Use the split.seed {then.seed} of version {champion.version}, or add customers."
    raise ComparisonError(
        f"a comparison must have {MIN_EACH} examples of each outcome, of several customers, that neither "
        f"model was trained on, got {positives} positive and {n - positives} negative ones. {remedy}"
    )


def _found(champion: MeasuredModel, prepared: Prepared, rows: Rows, dates: list[int]) -> str:
    plan = prepared.plan
    at = f" at {named_dates(dates, prepared.fields.time_zone)}" if dates else ""
    return (
        f"Compared on {len(rows):,} of the challenger's {len(plan.unseen):,} test examples of unseen "
        f"customers{at}: those that version {champion.version} held out too. Both are measured by their fits "
        "without the held-out customers, since the published models are fitted on all customers."
    )


def _caveats(champion: MeasuredModel, plan: Plan, rows: Rows, dates: list[int]) -> list[str]:
    """Sentences about the limits of the comparison."""
    caveats, then = [], champion.held_out
    if dates and then.kind == "customers" and dates[0] < champion.data_end:
        caveats.append(f"Version {champion.version} was trained on other customers at the same dates.")
    if plan.kind == "customers":
        caveats.append("The challenger was trained on other customers at the same dates.")
    if then.kind == "time":
        caveats.append(
            f"Their {then.group!r} is later than all training examples of version {champion.version}."
        )
    elif then.group is not None:
        caveats.append(
            f"They are recognised by their present {then.group!r}: a customer with another value then "
            "may be a training customer."
        )
    if then.kind == "rows" and champion.scorer.schema.id is None and champion.scorer.schema.events is None:
        caveats.append("Rows have no id: a row with changed values counts as another customer.")
    groups = len(np.unique(plan.groups[rows]))
    if groups < MIN_EACH:
        caveats.append(f"They belong to {groups} groups only: the intervals are rough.")
    return caveats
