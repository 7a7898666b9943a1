"""Columns written down after the outcome: today's status, the reason of a cancellation, a last bill.

A customer table has one value a customer, whatever the cutoff. One that was written when the customer left
need not state the label of a window, since others left later and have it too. But it all but states whether
the customer leaves at any time: that is what is probed here.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.scoring.presence import first_after
from model.values.columns import Column, take
from model.values.customers import Examples
from training.audit.feature import Feature, Outcomes, read_feature
from training.audit.findings import Finding
from training.audit.one_class import one_class
from training.audit.ranking import deal_folds
from training.audit.states_label import WARNING, states_the_label
from training.question.question import Question
from training.schema.kinds import Kind

_EVER: Final = "Taken at any time from the cutoff to the end of the data, the outcome shows in it:"


def probe_hindsight(
    columns: Mapping[str, Column],
    kinds: Mapping[str, Kind],
    question: Question,
    examples: Examples,
    groups: NDArray[np.int64],
    *,
    seed: int,
) -> list[Finding]:
    """Leaks of table columns that know what happens to a customer in the end.

    Args:
        columns: the table's, one value a customer.
        examples: N training examples.
        groups: (N,) the customer of each.
    """
    first = first_after(question.timeline.targets, examples.customers, examples.cutoffs)
    happens = first <= question.data_end
    ever = ~happens if question.task.outcome == "absent" else happens
    if not len(ever) or ever.all() or not ever.any():
        return []
    outcomes = Outcomes(ever, groups, deal_folds(groups, ever, seed=seed))
    found = []
    for name, kind in kinds.items():
        if kind == "date":
            continue  # one after the cutoff is hidden from the model, see `training.audit.drift`
        column = take(columns[name], examples.customers)
        feature = read_feature(name, column, kind, outcomes, aggregate=False)
        for probe in (one_class, states_the_label):
            finding = probe(feature, outcomes)
            if finding and finding.level == "leak" and _is_telling(feature, question):
                evidence = f"{_EVER} {finding.evidence}"
                found.append(replace(finding, probe="knows_the_future", evidence=evidence))
                break
    return found


def _is_telling(feature: Feature, question: Question) -> bool:
    """Whether the column is more than one of which a value ends sooner.

    The longer the time, the more have left: all who pay by the month, say. That is no hindsight where the
    column is filled for everybody and tells little of the others. A silence gets rarer with time.
    """
    silence = question.task.outcome == "absent"
    return silence or feature.sure_auc >= WARNING or not feature.filled.all()
