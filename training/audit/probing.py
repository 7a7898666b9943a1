"""The probes of an audit, run on the columns, aggregates and event types of the training examples."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from model.features.encode import event_features
from model.files.names import counted
from model.task import ColumnTask
from model.times import DAY, MISSING_TIME
from model.values.columns import Column, Numbers, as_dates, as_numbers, take
from model.values.customers import Examples
from training.audit import columns, events
from training.audit.feature import FEWEST, Outcomes, random_folds, sample
from training.audit.findings import Finding
from training.audit.hindsight import probe_future_dates, probe_hindsight
from training.audit.older import probe_older
from training.audit.relations import probe_carried_forward, probe_dates, probe_encoded
from training.audit.rows import probe_duplicates, probe_order, probe_shift
from training.prepare import Prepared
from training.question.labels import Bools
from training.schema.fit_schema import fit_schema
from training.schema.kinds import Kind
from training.split.deal import Rows
from training.split.plan import Plan
from training.split.plan_table import order_of

_STATIC: Final = ("numeric", "boolean", "categorical")
_TIMELESS: Final = ("rows", "groups")  # splits whose test is not later than the training


def findings_of(prepared: Prepared) -> tuple[list[Finding], list[str]]:
    """Return all findings, and the names of the history aggregates that were probed."""
    plan, task = prepared.plan, prepared.task
    rows = _complete(plan.measured.rows, plan.measured_labels.complete)
    test = plan.labels.outcomes[_complete(plan.test, plan.labels.complete), -1]
    examples, positive = plan.examples.take(rows), plan.measured_labels.outcomes[rows, -1]
    found, aggregates = _of_columns(prepared, rows)
    found += _too_few(positive)
    found += _empty_sides(plan)
    found += [] if plan.kind in _TIMELESS else probe_shift(positive, test)
    found += probe_future_dates(
        prepared.dataset.columns, prepared.kinds.date_formats, examples, prepared.fields.time_zone
    )
    found += _of_log(prepared)
    if isinstance(task, ColumnTask):
        found += _of_rows(prepared, examples, positive)
        found += _of_numbers(prepared)
    else:
        found += _of_static_columns(prepared)
        found += _of_hindsight(prepared, rows)
        found += _of_event_types(prepared, rows)
    return found, aggregates


def _complete(rows: Rows, complete: Bools) -> Rows:
    """The rows whose longest window is complete."""
    kept: Rows = rows[complete[rows, -1]]
    return kept


def _of_columns(prepared: Prepared, rows: Rows) -> tuple[list[Finding], list[str]]:
    """Findings about the columns and aggregates that the model reads, and the names of the aggregates."""
    plan, seed, kinds = prepared.plan, prepared.study.split.seed, prepared.fields.kinds
    chosen = sample(rows, columns.MAX_ROWS, seed)
    examples, positive = plan.examples.take(chosen), plan.measured_labels.outcomes[chosen, -1]
    groups, features = plan.groups[chosen], columns_of(prepared, examples)
    aggregates, names = aggregates_of(prepared, examples)
    aggregate_kinds: dict[str, Kind] = dict.fromkeys(aggregates, "numeric")
    found = columns.probe_columns(
        features | aggregates,
        {**kinds, **aggregate_kinds},
        positive,
        groups,
        label=prepared.task.column if isinstance(prepared.task, ColumnTask) else None,
        seed=seed,
        aggregates=aggregates,
    )
    outcomes = Outcomes(positive, groups, random_folds(groups, positive, seed=seed))
    if len(chosen):
        ages = _ages(prepared, examples, [*_dates(prepared), *_unread_dates(prepared)])
        found += probe_dates(ages, outcomes, unread=_unread_dates(prepared))
    return found, names


def columns_of(prepared: Prepared, examples: Examples) -> dict[str, Column]:
    """Return the table columns that the model reads, of N examples; a date as its age in days."""
    ages = _ages(prepared, examples, _dates(prepared))
    columns = prepared.dataset.columns
    return {
        name: ages[name] if name in ages else take(columns[name], examples.customers)
        for name in prepared.fields.kinds
    }


def _of_log(prepared: Prepared) -> list[Finding]:
    """Findings about the start of the log."""
    dataset, fields = prepared.dataset, prepared.fields
    if dataset.log is None:
        return []
    dates = {
        n: as_dates(dataset.columns[n], fields.date_formats.get(n), fields.time_zone)
        for n in _dates(prepared)
    }
    return probe_older(dataset.log, dates, fields.time_zone)


def _ages(prepared: Prepared, examples: Examples, names: Iterable[str]) -> dict[str, Numbers]:
    """The (N,) days of each of these dates before the cutoff, negative after it, NaN missing."""
    dataset, zone = prepared.dataset, prepared.fields.time_zone
    ages = {}
    for name in names:
        times = as_dates(dataset.columns[name], dataset.dates[name].time_format, zone)[examples.customers]
        known = times != MISSING_TIME
        ages[name] = np.where(known, (examples.cutoffs - np.where(known, times, 0)) / DAY, np.nan)
    return ages


def _dates(prepared: Prepared) -> list[str]:
    """The dates that the model reads."""
    return [name for name, kind in prepared.fields.kinds.items() if kind == "date"]


def _unread_dates(prepared: Prepared) -> list[str]:
    """The date of the split, which the model does not read."""
    name = prepared.study.split.time
    return [name] if name in prepared.dataset.dates and name not in prepared.fields.kinds else []


def _of_numbers(prepared: Prepared) -> list[Finding]:
    """Findings about numbers of a table's rows: those that follow the split's time, and target encodings."""
    plan, columns, time = prepared.plan, prepared.dataset.columns, prepared.study.split.time
    rows = plan.examples.customers
    numbers = {
        name: as_numbers(columns[name])[rows]
        for name, kind in prepared.fields.kinds.items()
        if kind == "numeric"
    }
    found = probe_encoded(numbers, plan.labels.outcomes[:, 0])
    if time is not None:
        when = order_of(prepared.dataset, time, prepared.fields.time_zone)[rows]
        ages = _ages(prepared, plan.examples, _dates(prepared))
        found += probe_carried_forward(numbers | ages, time, when)
    return found


def aggregates_of(prepared: Prepared, examples: Examples) -> tuple[dict[str, Numbers], list[str]]:
    """Return the aggregates that a model fitted on these examples reads, and the names of all."""
    log, lookback_days = prepared.dataset.log, prepared.task.lookback_days
    if log is None:
        return {}, []
    schema = fit_schema(
        prepared.fields, prepared.dataset.columns, log, examples, lookback_days=lookback_days
    ).events
    assert schema is not None
    computed = event_features(schema, log, examples, lookback_days=lookback_days)
    return {feature.name: computed[feature.name] for feature in schema.features}, list(computed)


def _of_event_types(prepared: Prepared, rows: Rows) -> list[Finding]:
    source, log = prepared.fields.events, prepared.dataset.log
    plan, task = prepared.plan, prepared.task
    if log is None or source is None or source.type is None or isinstance(task, ColumnTask):
        return []
    chosen = sample(rows, events.MAX_ROWS, prepared.study.split.seed)
    positive = plan.measured_labels.outcomes[chosen, -1]
    return events.probe_event_types(
        log, log.categories[source.type], task, plan.examples.take(chosen), positive
    )


def _of_rows(prepared: Prepared, examples: Examples, positive: Bools) -> list[Finding]:
    """Findings about the rows of a table without a log."""
    plan, dataset = prepared.plan, prepared.dataset
    if dataset.log is not None:
        return []
    features = {name: take(dataset.columns[name], plan.examples.customers) for name in prepared.fields.kinds}
    return [
        *probe_duplicates(features, plan.labels.outcomes[:, 0]),
        *probe_order(examples.customers, positive),
    ]


def _of_static_columns(prepared: Prepared) -> list[Finding]:
    """A note on columns with one value a customer for several cutoffs."""
    names = [name for name, kind in prepared.fields.kinds.items() if kind in _STATIC]
    if not names or len(prepared.grid) < 2:
        return []
    have = "has" if len(names) == 1 else "have"
    return [
        Finding(
            "one_value_for_all_cutoffs",
            "note",
            None,
            f"{', '.join(map(repr, names))} {have} one value a customer, for {len(prepared.grid)} cutoffs.",
            "Exclude those that change over time, such as a plan or a lifetime value: today's value reveals "
            "the future of an earlier cutoff (data.customers.exclude).",
        )
    ]


def _of_hindsight(prepared: Prepared, rows: Rows) -> list[Finding]:
    """Findings about table columns that reveal events after the window."""
    question, plan, seed = prepared.question, prepared.plan, prepared.study.split.seed
    if question is None or not prepared.fields.kinds:
        return []
    chosen = sample(rows, columns.MAX_ROWS, seed)
    return probe_hindsight(
        prepared.dataset.columns,
        prepared.fields.kinds,
        question,
        plan.examples.take(chosen),
        plan.groups[chosen],
        seed=seed,
    )


def _empty_sides(plan: Plan) -> list[Finding]:
    """A warning that training will be refused for lack of examples."""
    n_judged, n_test = int(plan.measured.judged.sum()), len(plan.test)
    if n_judged and n_test:
        return []
    return [
        Finding(
            "nobody_to_judge",
            "warning",
            None,
            f"Training needs examples for early stopping and for the test, got {n_judged} and {n_test}.",
            "Add customers, or change split.test_fraction.",
        )
    ]


def _too_few(positive: Bools) -> list[Finding]:
    n_positive = int(positive.sum())
    if FEWEST <= n_positive <= len(positive) - FEWEST:
        return []
    return [
        Finding(
            "too_few_examples",
            "note",
            None,
            f"{counted(len(positive), 'training example')}, {n_positive:,} of them positive: too few of one "
            "outcome to probe the columns.",
            f"Columns are probed from {FEWEST} examples of each outcome on.",
        )
    ]
