"""The instant that files are scored at where none is named: the end of what they show, as in training."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from model.files.cells import read_column
from model.files.dataset import Dataset
from model.files.source import open_source
from model.schema import DateColumn, Schema
from model.task import ContractTask, Task
from model.times import MISSING_TIME, Instants, midnight, to_instant
from model.values.columns import as_dates


def snapshot_date(dates: Iterable[Instants], zone: str = "UTC") -> int:
    """The day a table was taken, from which its dates age: the latest date, or today if that is earlier."""
    today = midnight(_now(), zone)
    latest = max((int(column.max(initial=MISSING_TIME)) for column in dates), default=MISSING_TIME)
    return today if latest == MISSING_TIME else min(latest, today)


def latest_date(dataset: Dataset, schema: Schema) -> int:
    """The last event, or the snapshot date of the table."""
    if dataset.data_end is not None:
        return dataset.data_end
    zone = schema.time_zone
    dates = (as_dates(dataset.columns[n], form, zone) for n, form in _schema_dates(schema).items())
    return snapshot_date(dates, zone)


def log_date(dataset: Dataset, task: Task, schema: Schema) -> int:
    """The last event, or the last start of a contract that is not to come, if that is later."""
    assert dataset.data_end is not None
    if not isinstance(task, ContractTask) or task.starts not in dataset.columns:
        return dataset.data_end
    starts = as_dates(dataset.columns[task.starts], task.starts_format, schema.time_zone)
    return max(dataset.data_end, int(starts[starts <= _now()].max(initial=MISSING_TIME)))


def table_date(path: Path, task: Task, schema: Schema) -> int:
    """The instant up to which a table was observed in training, found in a pass over its date columns.

    A contract is dated by its own dates; what lies in the future was announced.
    """
    source, contract = open_source(path), task.dates
    formats = {name: form for name, form in contract.items() if name in source.names} or _schema_dates(schema)
    latest = np.full(1, MISSING_TIME)
    for batch in source.batches(list(formats)) if formats else ():
        for name, form in formats.items():
            times = as_dates(read_column(batch.cells[name], exact=False), form, schema.time_zone)
            times = times[times <= _now()] if contract else times
            latest = np.maximum(latest, times.max(initial=MISSING_TIME))
    return snapshot_date([latest], schema.time_zone)


def _schema_dates(schema: Schema) -> dict[str, str | None]:
    return {c.name: c.time_format for c in schema.columns if isinstance(c, DateColumn)}


def _now() -> int:
    return to_instant(datetime.now(UTC))
