"""A study's files read, its columns typed and its examples planned: all that a fit needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from model.errors import DataError
from model.files.dataset import Dataset, load_dataset
from model.files.events import EventColumns
from model.files.names import check_names
from model.files.table import RawTable
from model.scoring.as_of import AsOf, LaterDates, later_events, log_end, now, today
from model.task import ColumnTask, ContractTask, LogTask, Task
from model.times import DAY, MISSING_TIME, format_instant, parse_time
from model.values.columns import Column, as_dates
from model.values.dense import dense_end
from model.values.numbers import plain_numbers
from model.values.rows import EVENTS
from training.question.labels import cutoff_grid
from training.question.question import Question, contract_question, log_question
from training.schema.column_facts import ColumnFacts, event_facts, table_facts
from training.schema.fit_schema import ModelFields
from training.schema.kinds import Kinds, infer_kinds
from training.schema.reason_names import check_reasons
from training.split.deal import groups_of
from training.split.plan import Plan
from training.split.plan_log import plan_log
from training.split.plan_table import plan_table
from training.study.study import ColumnTarget, ContractTarget, LogTarget, Study


@dataclass(frozen=True)
class Prepared:
    """A study with its data, ready to fit.

    Attributes:
        kinds: the kind of each column, and the columns left out with their reasons.
        as_of: the default instant of a later score: the end of the data.
        question: the completed task with the customers' timelines; None for a column target.
        grid: the cutoffs, ascending; empty for a column target.
        columns: what was read of each column of the table and of the log.
        notes: on the dates of a column target's table, as sentences.
    """

    study: Study
    task: Task
    dataset: Dataset
    kinds: Kinds
    fields: ModelFields
    plan: Plan
    as_of: int
    question: Question | None
    grid: tuple[int, ...]
    columns: tuple[ColumnFacts, ...]
    notes: tuple[str, ...] = ()


Erased = Callable[[Sequence[str]], Sequence[bool]]
"""Returns which customers are erased, and never learnt from."""


def prepare(study: Study, *, erased: Erased | None = None) -> Prepared:
    """Read a study's files and plan its examples.

    Raises:
        StudyError, DataError: the study or its data cannot be used.
    """
    dataset = read_dataset(study)
    if erased and any(gone := erased(dataset.ids)):
        dataset = dataset.without(np.array(gone, dtype=bool), "erased")
    question = window_question(study, dataset)
    uses = _uses(study, question)
    check_names(study.fairness.groups, dataset.columns, "the customer table")
    kinds = _infer(study, dataset, uses)
    columns = table_facts(dataset.columns, kinds, uses, dataset.dates, study.data.time_zone)
    columns += event_facts(dataset.log, dataset.event_spellings) if dataset.log else ()
    plain = {name: plain_numbers(dataset.columns[name], form) for name, form in kinds.spellings.items()}
    dataset = replace(dataset, columns={**dataset.columns, **plain})
    fields = _fields(study, kinds, dataset)
    check_reasons(study.reasons, fields, dataset.log, study.task.lookback_days)
    if question:
        grid = _grid(study, question)
        plan = _plan_windows(study, dataset, question, grid)
        end = question.data_end
        return Prepared(
            study, question.task, dataset, kinds, fields, plan, end, question, tuple(grid), columns
        )
    as_of, notes = _table_date(study, dataset, fields)
    plan = _plan_table(study, dataset, fields, as_of.instant)
    return Prepared(study, study.task, dataset, kinds, fields, plan, as_of.instant, None, (), columns, notes)


def _table_date(study: Study, dataset: Dataset, fields: ModelFields) -> tuple[AsOf, tuple[str, ...]]:
    """Return the instant that the rows of a table are dated by, and notes on its dates.

    It is the study's, else the end of the log, else that of the dates in the table (`model.values.dense`):
    the day it was taken, as far as it shows. A file to be scored is dated by the day it is scored, which
    means the same where it was taken on that day.
    """
    assert isinstance(study.target, ColumnTarget)
    zone, stated = fields.time_zone, study.target.as_of
    formats = {name: fields.date_formats.get(name) for name, kind in fields.kinds.items() if kind == "date"}
    if stated:
        as_of = AsOf(_instant(stated, zone), "target.as_of")
    elif dataset.log:
        as_of = AsOf(log_end(dataset, zone), "the end of the log")
    else:
        dates = [as_dates(dataset.columns[name], form, zone) for name, form in formats.items()]
        times = np.concatenate([np.empty(0, dtype=np.int64), *dates])
        past = times[(times != MISSING_TIME) & (times <= now())]
        why = "where the dates of the table end; target.as_of sets another day"
        as_of = AsOf(dense_end(past), why) if len(past) else today(zone)
    later = LaterDates(formats, as_of, zone)
    later.add(dataset.columns)
    ages = f"Ages of dates count up to {format_instant(as_of.instant, zone)}, {as_of.source}."
    notes = (*later_events(dataset, as_of.instant, zone, as_of.source), *([ages] if formats else []))
    return as_of, (*notes, *later.notes())


def window_question(study: Study, dataset: Dataset) -> Question | None:
    """Complete the task of a study with windows; None for a column target.

    Raises:
        DataError: the data do not fit the task.
    """
    task, target, source = study.task, study.target, study.data.events
    zone, until = study.data.time_zone, None
    if isinstance(target, LogTarget | ContractTarget) and target.observed_until:
        until = _instant(target.observed_until, zone) + DAY - 1  # that day is observed to its end
    types = dataset.log.categories[source.type] if dataset.log and source and source.type else None
    if isinstance(task, LogTask):
        assert isinstance(target, LogTarget)
        return log_question(dataset, task, types, zone, terminal=target.terminal, until=until)
    if isinstance(task, ContractTask):
        return contract_question(dataset, task, types, zone, until=until)
    return None


def read_dataset(study: Study) -> Dataset:
    """Read the files of a study."""
    customers, events = study.data.customers, study.data.events
    columns = None
    if events:
        stated = events.model_dump(exclude={"path"})
        columns = EventColumns(**stated, any_format=events.time_format is None)
    dataset = load_dataset(
        *study.files(),
        customer_id=customers.id if customers else None,
        exclude=set(customers.exclude).difference(study.fairness.groups) if customers else (),
        categorical=customers.categorical if customers else (),
        event_columns=columns,
        time_zone=study.data.time_zone,
    )
    return replace(dataset, stated_dates=customers.dates if customers else {})


def _uses(study: Study, question: Question | None) -> dict[str, str]:
    """Return the use of each column that is no input of its own, such as "id" and "label"."""
    source = study.data.customers
    if source is None:
        return {}
    named = {"id": source.id, "time": study.split.time, "group": study.split.group}
    if isinstance(study.target, ColumnTarget):
        named["label"] = study.target.column
    if question and isinstance(question.task, ContractTask):
        ended_when = question.task.ended_when
        named |= {"ended": ended_when.column if ended_when else None, "end": question.task.ends}
    series = {column: "series" for columns in source.sequences.values() for column in columns}
    unread = dict.fromkeys(set(source.exclude).intersection(study.fairness.groups), "fairness")
    return unread | series | {column: use for use, column in named.items() if column is not None}


def _infer(study: Study, dataset: Dataset, uses: Mapping[str, str]) -> Kinds:
    source = study.data.customers
    if source is None:
        return Kinds({}, {}, {}, ())
    _refuse_absent(sorted(name for name, use in uses.items() if use == "series"), dataset.columns)
    kinds = infer_kinds(
        RawTable(dataset.columns, len(dataset), ()),
        categorical=source.categorical,
        numeric=source.numeric,
        dates=dataset.dates,
        stated_dates=source.dates,
        skip=uses.keys() & dataset.columns.keys(),
    )
    if study.data.events and EVENTS in kinds.kinds:
        raise DataError(
            f"a column beside an event log must not be named {EVENTS!r}, which is the history of a request. "
            "Rename it, or list it under data.customers.exclude."
        )
    return kinds


def _refuse_absent(names: list[str], columns: Mapping[str, Column]) -> None:
    absent = [name for name in names if name not in columns]
    if absent:
        raise DataError(
            f"data.customers.sequences must name columns of the table, got {absent}. "
            f"The columns are {list(columns)[:30]}."
        )


def _fields(study: Study, kinds: Kinds, dataset: Dataset) -> ModelFields:
    source = study.data.customers
    series = [column for columns in source.sequences.values() for column in columns] if source else []
    return ModelFields(
        id=source.id if source else None,
        kinds={**kinds.kinds, **dict.fromkeys(series, "numeric")},
        date_formats=kinds.date_formats,
        spellings=kinds.spellings,
        series=source.sequences if source else {},
        time_zone=study.data.time_zone,
        events=study.data.events,
        event_format=dataset.time_format,
        event_spellings=dataset.event_spellings,
        max_events=study.network.max_events,
    )


def _plan_table(study: Study, dataset: Dataset, fields: ModelFields, as_of: int) -> Plan:
    assert isinstance(study.task, ColumnTask)
    if not fields.kinds and dataset.log is None:
        raise DataError("the table must have a column to learn from, got none. Check data.customers.exclude.")
    return plan_table(dataset, fields, study.task, study.split, cutoff=as_of, folds=study.network.folds)


def _plan_windows(study: Study, dataset: Dataset, question: Question, grid: list[int]) -> Plan:
    group, ids = study.split.group, dataset.ids
    if group is not None:
        check_names([group], list(dataset.columns), "the customer table")
        ids = groups_of(dataset.columns, group, ids)
    return plan_log(ids, question, study.split, grid=grid, folds=study.network.folds)


def _grid(study: Study, question: Question) -> list[int]:
    """Return the cutoffs that the study lists, or those that the data allow."""
    assert isinstance(study.target, LogTarget | ContractTarget)
    cutoffs, zone = study.target.cutoffs, study.data.time_zone
    if cutoffs.dates:
        return [_instant(day, zone) for day in cutoffs.dates]
    return cutoff_grid(
        first_event=question.first,
        data_end=question.data_end,
        task=question.task,
        every_days=cutoffs.every_days,
        first=_instant(cutoffs.first, zone) if cutoffs.first else None,
        last=_instant(cutoffs.last, zone) if cutoffs.last else None,
        zone=zone,
    )


def _instant(day: date, zone: str) -> int:
    return parse_time(day.isoformat(), zone=zone)
