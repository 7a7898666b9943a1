"""The probes of columns with values from after the cutoff: a status of today, a reason, a last bill.

A customer table has one value a customer, whatever the cutoff. A value that was written when the customer
left need not determine the label of a window, since customers who left later have it too. But it nearly
determines whether the customer leaves at any time.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.scoring.presence import first_after
from model.times import MISSING_TIME
from model.values.columns import Column, as_dates, take
from model.values.customers import Examples
from training.audit.columns import WARNING, states_the_label
from training.audit.feature import Feature, Outcomes, random_folds, read_feature
from training.audit.findings import Finding, exclude_line
from training.audit.one_class import one_class
from training.question.question import Question
from training.schema.kinds import Kind

_EVER: Final = "For the outcome at any time from the cutoff to the end of the data:"


def probe_hindsight(
    columns: Mapping[str, Column],
    kinds: Mapping[str, Kind],
    question: Question,
    examples: Examples,
    groups: NDArray[np.int64],
    *,
    seed: int,
) -> list[Finding]:
    """Find table columns that reveal whether the outcome ever happens.

    Args:
        columns: the table's, one value a customer.
        examples: N training examples.
        groups: (N,) the customer of each example.
    """
    first = first_after(question.timeline.targets, examples.customers, examples.cutoffs)
    happens = first <= question.data_end
    ever = ~happens if question.task.outcome == "absent" else happens
    if not len(ever) or ever.all() or not ever.any():
        return []
    outcomes = Outcomes(ever, groups, random_folds(groups, ever, seed=seed))
    found = []
    for name, kind in kinds.items():
        if kind == "date":
            continue  # the model reads a date after the cutoff as missing
        column = take(columns[name], examples.customers)
        feature = read_feature(name, column, kind, outcomes, aggregate=False)
        for probe in (one_class, states_the_label):
            finding = probe(feature, outcomes)
            if finding and finding.level == "leak" and _is_hindsight(feature, question):
                evidence = f"{_EVER} {finding.evidence}"
                found.append(replace(finding, probe="knows_the_future", evidence=evidence))
                break
    return found


def probe_future_dates(
    columns: Mapping[str, Column], formats: Mapping[str, str | None], examples: Examples, zone: str
) -> list[Finding]:
    """Find date columns with dates after the cutoff of an example.

    Args:
        formats: the format of each date column.
    """
    found = []
    for name, time_format in formats.items():
        times = as_dates(columns[name], time_format, zone)[examples.customers]
        later = int((times > examples.cutoffs).sum())
        known = int((times != MISSING_TIME).sum())
        if later:
            found.append(
                Finding(
                    "future_date",
                    "warning",
                    name,
                    f"{name!r} is after the cutoff in {later:,} of {known:,} examples that have it. The "
                    "model reads such a date as missing.",
                    "The end of a contract is a target (target.ends); exclude other dates "
                    f"({exclude_line([name])}).",
                )
            )
    return found


def _is_hindsight(feature: Feature, question: Question) -> bool:
    """Return whether the column is more than a good predictor of leaving early.

    Over a long time nearly all customers with some value have left, such as all who pay by the month. That is
    no hindsight if the column is filled everywhere and predicts little otherwise. With an absent event it is
    the reverse: the outcome gets rarer with time.
    """
    silence = question.task.outcome == "absent"
    return silence or feature.sure_auc >= WARNING or not feature.filled.all()
