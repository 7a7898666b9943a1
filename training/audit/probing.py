"""Which probe looks at what of a study: columns, aggregates and event types of the training examples."""

from typing import Final

import numpy as np

from model.features.encode import event_features
from model.files.names import counted
from model.task import ColumnTask
from model.values.columns import Column, Numbers, take
from model.values.customers import Examples
from training.audit import columns, events
from training.audit.drift import probe_future_dates, probe_shift
from training.audit.feature import FEWEST
from training.audit.findings import Finding
from training.audit.hindsight import probe_hindsight
from training.audit.rows import probe_duplicates, probe_order
from training.prepare import Prepared
from training.question.labels import Bools
from training.schema.fit_schema import fit_schema
from training.schema.kinds import Kind
from training.split.plan import Plan
from training.split.split import Rows
from training.study.study import Study

_STATIC: Final = ("numeric", "boolean", "categorical")
_TIMELESS: Final = ("rows", "groups")  # splits whose test is no later than the training


def findings_of(study: Study, prepared: Prepared) -> tuple[list[Finding], list[str]]:
    """All findings, and the names of the history aggregates that were probed."""
    plan, task = prepared.plan, prepared.task
    rows = _known(plan.measured.rows, plan.measured_labels.complete)
    test = plan.labels.outcomes[_known(plan.test, plan.labels.complete), -1]
    examples, positive = plan.examples.take(rows), plan.measured_labels.outcomes[rows, -1]
    found, aggregates = _of_columns(study, prepared, rows)
    found += _too_few(positive)
    found += _nobody_to_judge(plan)
    found += [] if plan.kind in _TIMELESS else probe_shift(positive, test)
    found += probe_future_dates(
        prepared.dataset.columns, prepared.kinds.date_formats, examples, prepared.table.time_zone
    )
    if isinstance(task, ColumnTask):
        found += _of_rows(prepared, examples, positive)
    else:
        found += _of_todays_columns(prepared)
        found += _of_hindsight(study, prepared, rows)
        found += _of_event_types(study, prepared, rows)
    return found, aggregates


def _known(rows: Rows, complete: Bools) -> Rows:
    """The rows whose longest window is complete."""
    kept: Rows = rows[complete[rows, -1]]
    return kept


def _sample(rows: Rows, most: int, seed: int) -> Rows:
    """All rows, or as many as are enough, in order."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False, shuffle=False))


def _of_columns(study: Study, prepared: Prepared, rows: Rows) -> tuple[list[Finding], list[str]]:
    """Findings about what the model may read, and the names of the aggregates among it."""
    plan, table, seed = prepared.plan, prepared.table, study.split.seed
    chosen = _sample(rows, columns.MAX_ROWS, seed)
    sample = plan.examples.take(chosen)
    features: dict[str, Column] = {
        name: take(prepared.dataset.columns[name], sample.customers) for name in table.kinds
    }
    kinds: dict[str, Kind] = dict(table.kinds)
    aggregates, names = _aggregates(prepared, sample)
    found = columns.probe_columns(
        features | aggregates,
        kinds | dict.fromkeys(aggregates, "numeric"),
        plan.measured_labels.outcomes[chosen, -1],
        plan.groups[chosen],
        label=prepared.task.column if isinstance(prepared.task, ColumnTask) else None,
        seed=seed,
        aggregates=aggregates,
    )
    return found, names


def _aggregates(prepared: Prepared, sample: Examples) -> tuple[dict[str, Numbers], list[str]]:
    """The aggregates that a model fitted on the sample would read, and the names of all."""
    log, lookback_days = prepared.dataset.log, prepared.task.lookback_days
    if prepared.events is None or log is None:
        return {}, []
    schema = fit_schema(
        prepared.table, prepared.events, prepared.dataset.columns, log, sample, lookback_days=lookback_days
    ).events
    assert schema is not None
    computed = event_features(schema, log, sample, lookback_days=lookback_days)
    return {feature.name: computed[feature.name] for feature in schema.features}, list(computed)


def _of_event_types(study: Study, prepared: Prepared, rows: Rows) -> list[Finding]:
    source, log, plan, task = study.data.events, prepared.dataset.log, prepared.plan, prepared.task
    if log is None or source is None or source.type is None or isinstance(task, ColumnTask):
        return []
    chosen = _sample(rows, events.MAX_ROWS, study.split.seed)
    positive = plan.measured_labels.outcomes[chosen, -1]
    return events.probe_event_types(
        log, log.categories[source.type], task, plan.examples.take(chosen), positive
    )


def _of_rows(prepared: Prepared, examples: Examples, positive: Bools) -> list[Finding]:
    """Findings about the rows of a table; beside a log they say little."""
    plan, dataset = prepared.plan, prepared.dataset
    if dataset.log is not None:
        return []
    everyone = {name: take(dataset.columns[name], plan.examples.customers) for name in prepared.table.kinds}
    return [
        *probe_duplicates(everyone, plan.labels.outcomes[:, 0]),
        *probe_order(examples.customers, positive),
    ]


def _of_todays_columns(prepared: Prepared) -> list[Finding]:
    """Columns that hold one value a customer, whatever the cutoff."""
    names = [name for name, kind in prepared.table.kinds.items() if kind in _STATIC]
    if not names or len(prepared.grid) < 2:
        return []
    hold = "holds" if len(names) == 1 else "hold"
    return [
        Finding(
            "one_value_for_all_cutoffs",
            "note",
            None,
            f"{', '.join(map(repr, names))} {hold} one value a customer, for {len(prepared.grid)} cutoffs.",
            "Leave out those that change over time, such as a plan or a lifetime value: today's value would "
            "tell an earlier cutoff of its future (data.customers.exclude).",
        )
    ]


def _of_hindsight(study: Study, prepared: Prepared, rows: Rows) -> list[Finding]:
    """Table columns that know what happens after the window."""
    question, plan, seed = prepared.question, prepared.plan, study.split.seed
    if question is None or not prepared.table.kinds:
        return []
    chosen = _sample(rows, columns.MAX_ROWS, seed)
    return probe_hindsight(
        prepared.dataset.columns,
        prepared.table.kinds,
        question,
        plan.examples.take(chosen),
        plan.groups[chosen],
        seed=seed,
    )


def _nobody_to_judge(plan: Plan) -> list[Finding]:
    """What training would be refused for, though no column is to blame."""
    n_judged, n_test = int(plan.measured.judged.sum()), len(plan.test)
    if n_judged and n_test:
        return []
    return [
        Finding(
            "nobody_to_judge",
            "warning",
            None,
            f"Training needs examples to stop on and to test on, and there are {n_judged} and {n_test}.",
            "Bring more customers, or change split.test_fraction.",
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
            "outcome to tell which columns state it.",
            f"From {FEWEST} of each outcome on, columns are probed.",
        )
    ]
