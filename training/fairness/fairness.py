"""The fairness part of a report: the figures of a model by the columns under `fairness.groups`."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.files.dataset import Dataset
from model.probability import Probabilities
from model.values.customers import Examples
from training.audit.feature import sample
from training.audit.probing import aggregates_of, columns_of
from training.fairness.by_group import figures_by_group
from training.fairness.groups import Groups, groups_by
from training.fairness.proxies import Proxies, proxies
from training.fairness.sentences import fairness_sentences
from training.measure.measuring import LABEL
from training.prepare import Prepared
from training.question.labels import Labels
from training.question.timeline import group_numbers
from training.schema.kinds import Kind
from training.study.sections import FairnessOptions

_TOP: Final = 0.1  # the share of customers that is selected where the study has no threshold
_CUSTOMERS: Final = 5_000  # among whom proxies are looked for


def fairness_of_run(prepared: Prepared, tested: Probabilities) -> dict[str, Any] | None:
    """Measure the (M, K) probabilities of the test examples by group, and find the proxies of each group.

    Returns:
        As `measure_fairness`; None where the study names no groups.
    """
    study, plan = prepared.study, prepared.plan
    if not study.fairness.groups:
        return None
    return measure_fairness(
        study.fairness,
        prepared.dataset,
        plan.examples.take(plan.test),
        plan.labels.take(plan.test),
        tested,
        horizons=prepared.task.output_names,
        zone=prepared.fields.time_zone,
        read=prepared.fields.kinds,
        found=_proxies(prepared),
    )


def measure_fairness(
    options: FairnessOptions,
    dataset: Dataset,
    examples: Examples,
    labels: Labels,
    probabilities: Probabilities,
    *,
    horizons: tuple[str, ...],
    zone: str,
    read: Collection[str],
    found: Mapping[str, Proxies] = MappingProxyType({}),
) -> dict[str, Any]:
    """Measure (M, K) probabilities of M examples by group, at the longest horizon.

    Args:
        read: the columns that the model reads.
        found: the proxies of the groups of each column, where they were looked for.

    Returns:
        `threshold`, from which on a customer is selected, whether it is the study's (`is_stated`), `horizon`,
        and for each of the `columns` whether the model reads it (`is_read`), `groups` (of
        `by_group.GroupFigures`), `gaps` (of `by_group.Gap`), `proxies` (of `Proxies`) and `sentences`.
    """
    complete = labels.complete[:, -1]
    p, outcomes = probabilities[complete, -1], labels.outcomes[complete, -1].astype(np.float64)
    rows = examples.customers[complete]
    stated = options.threshold
    threshold = _lowest_selected(p) if stated is None else stated
    by_column = {name: groups_of(dataset, name, rows, zone) for name in options.groups}
    customers = group_numbers(dataset.ids)[rows]
    figures = figures_by_group(outcomes, p, customers, list(by_column.values()), threshold)
    columns = [
        {
            "column": name,
            "is_read": name in read,
            "groups": [asdict(group) for group in groups],
            "gaps": [asdict(gap) | {"beyond_chance": gap.beyond_chance} for gap in gaps],
            "proxies": asdict(found[name]) if name in found else None,
        }
        for name, (groups, gaps) in zip(by_column, figures, strict=True)
    ]
    return {
        "threshold": threshold,
        "is_stated": stated is not None,
        "horizon": (horizons or (LABEL,))[-1],
        "columns": [column | {"sentences": fairness_sentences(column)} for column in columns],
    }


def groups_of(dataset: Dataset, name: str, customers: NDArray[np.int64], zone: str) -> Groups:
    """Return the groups of N examples by a column of the customer table."""
    return groups_by(name, dataset.columns[name], customers, date=dataset.dates.get(name), zone=zone)


def _lowest_selected(probabilities: Probabilities) -> float:
    """The lowest of the highest tenth of the probabilities."""
    n = max(1, round(_TOP * len(probabilities)))
    return float(np.partition(probabilities, -n)[-n])


def _proxies(prepared: Prepared) -> dict[str, Proxies]:
    """Of each column, the inputs of the model that predict its groups, on one training example a customer."""
    study, plan = prepared.study, prepared.plan
    newest_first = plan.measured.rows[::-1]
    _, latest = np.unique(plan.examples.customers[newest_first], return_index=True)
    examples = plan.examples.take(sample(newest_first[latest], _CUSTOMERS, study.split.seed))
    columns, (aggregates, _) = columns_of(prepared, examples), aggregates_of(prepared, examples)
    kinds: dict[str, Kind] = {**dict.fromkeys(aggregates, "numeric"), **prepared.fields.kinds}
    inputs = {**columns, **aggregates}
    return {
        name: proxies(
            {column: values for column, values in inputs.items() if column != name},
            kinds,
            groups_of(prepared.dataset, name, examples.customers, prepared.fields.time_zone),
            seed=study.split.seed,
        )
        for name in study.fairness.groups
    }
