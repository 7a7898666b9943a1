"""From a study to everything that a fit needs: data read, kinds inferred, examples planned."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from model.columns import Column, as_dates
from model.errors import DataError
from model.rows import EVENTS
from model.task import ColumnTask, LogTask, Task
from model.times import DAY, MISSING_TIME, Instants, format_instant, to_instant
from training.files.dataset import Dataset, load_dataset
from training.files.sources import RawTable, resolve
from training.fit_schema import EventFields, TableFields
from training.kinds import Kinds, infer_kinds
from training.plan import Plan
from training.plan_log import plan_log
from training.plan_table import plan_table
from training.studies.study import ColumnTarget, LogTarget, Study, resolve_path


@dataclass(frozen=True)
class Prepared:
    """A study's data, ready to fit.

    Attributes:
        dataset: what was read.
        kinds: what kind each column is, and what was left out and why.
        as_of: the instant that a later score is asked at unless told otherwise; the data's end.
    """

    task: Task
    dataset: Dataset
    kinds: Kinds
    table: TableFields
    events: EventFields | None
    plan: Plan
    as_of: int


def prepare(study: Study) -> Prepared:
    """Read a study's files and plan its examples.

    Raises:
        StudyError, DataError: the study or its data cannot be used.
    """
    dataset = read_dataset(study)
    kinds = _infer(study, dataset)
    table, events = _table_fields(study, kinds), _event_fields(study)
    as_of = dataset.data_end if dataset.data_end is not None else snapshot_date(_dates(table, dataset))
    return Prepared(
        task=study.task,
        dataset=dataset,
        kinds=kinds,
        table=table,
        events=events,
        plan=_plan(study, dataset, table, as_of),
        as_of=as_of,
    )


def read_dataset(study: Study) -> Dataset:
    """The files that a study names."""
    customers, events = study.data.customers, study.data.events
    options = events.model_dump(exclude={"path", "id"}) if events else {}
    return load_dataset(
        resolve_path(customers.path, study.base) if customers else None,
        resolve(resolve_path(events.path, study.base)) if events else (),
        customer_id=customers.id if customers else None,
        exclude=customers.exclude if customers else (),
        categorical=customers.categorical if customers else (),
        event_id=events.id if events else None,
        **options,
    )


def snapshot_date(dates: Iterable[Instants]) -> int:
    """The day a table was taken, from which its dates age: the latest date, or today if that is earlier."""
    today = to_instant(datetime.now(UTC)) // DAY * DAY
    latest = max((int(column.max(initial=MISSING_TIME)) for column in dates), default=MISSING_TIME)
    return today if latest == MISSING_TIME else min(latest, today)


def _dates(table: TableFields, dataset: Dataset) -> Iterator[Instants]:
    for name, kind in table.kinds.items():
        if kind == "date":
            yield as_dates(dataset.columns[name], table.date_formats.get(name))


def _infer(study: Study, dataset: Dataset) -> Kinds:
    source = study.data.customers
    if source is None:
        return Kinds({}, {}, {}, ())
    series = {column for columns in source.sequences.values() for column in columns}
    _refuse_absent(sorted(series), dataset.columns)
    skip = series | {source.id or ""}
    if isinstance(study.target, ColumnTarget):
        skip |= {study.target.column, study.split.time or "", study.split.group or ""}
    kinds = infer_kinds(
        RawTable(dataset.columns, len(dataset), ()),
        categorical=source.categorical,
        numeric=source.numeric,
        skip=skip & set(dataset.columns),
    )
    if study.data.events and EVENTS in kinds.kinds:
        raise DataError(
            f"a column beside an event log must not be called {EVENTS!r}, which is the history in a request; "
            "rename it, or list it under data.customers.exclude"
        )
    return kinds


def _refuse_absent(names: list[str], columns: Mapping[str, Column]) -> None:
    absent = [name for name in names if name not in columns]
    if absent:
        raise DataError(
            f"data.customers.sequences must name columns of the table, got {absent}; "
            f"the columns are {list(columns)[:30]}"
        )


def _table_fields(study: Study, kinds: Kinds) -> TableFields:
    source = study.data.customers
    series = [column for columns in source.sequences.values() for column in columns] if source else []
    return TableFields(
        id=source.id if source else None,
        kinds={**kinds.kinds, **dict.fromkeys(series, "numeric")},
        date_formats=kinds.date_formats,
        series=source.sequences if source else {},
    )


def _event_fields(study: Study) -> EventFields | None:
    source = study.data.events
    if source is None:
        return None
    return EventFields(**source.model_dump(exclude={"path"}), max_events=study.network.max_events)


def _plan(study: Study, dataset: Dataset, table: TableFields, as_of: int) -> Plan:
    task, target = study.task, study.target
    if isinstance(task, ColumnTask):
        if not table.kinds and dataset.log is None:
            raise DataError("the table has no column left to learn from; see data.customers.exclude")
        return plan_table(
            dataset.columns,
            task,
            features={} if dataset.log else {n: dataset.columns[n] for n in table.kinds},
            cutoff=as_of,
            group=study.split.group,
            time=study.split.time,
            test_fraction=study.split.test_fraction,
            seed=study.split.seed,
        )
    assert isinstance(target, LogTarget)
    return _plan_log(study, target, task, dataset)


def _plan_log(study: Study, target: LogTarget, task: LogTask, dataset: Dataset) -> Plan:
    log, source = dataset.log, study.data.events
    assert log is not None
    assert source is not None
    assert dataset.first_event is not None
    assert dataset.data_end is not None
    if dataset.data_end > to_instant(datetime.now(UTC)) + DAY:
        raise DataError(
            f"the last event must not lie in the future, got {format_instant(dataset.data_end)}; it sets the "
            "end of what was observed: correct its time, or leave such events out of the log"
        )
    return plan_log(
        dataset.ids,
        log,
        task,
        kinds=log.categories[source.type] if source.type else None,
        first_event=dataset.first_event,
        data_end=dataset.data_end,
        every_days=target.cutoffs.every_days,
        first=_instant(target.cutoffs.first),
        last=_instant(target.cutoffs.last),
        test_fraction=study.split.test_fraction,
        seed=study.split.seed,
    )


def _instant(day: date | None) -> int | None:
    return None if day is None else to_instant(datetime(day.year, day.month, day.day, tzinfo=UTC))
