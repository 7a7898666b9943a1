"""The instant that files are asked at where nobody names one: the end of what they show, as in training."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from model.files.dataset import Dataset
from model.files.table import open_source, read_table_chunks
from model.predictor import Predictor
from model.schema import DateColumn, Schema
from model.task import ContractTask, Task
from model.times import MISSING_TIME, to_instant
from model.values.columns import as_dates
from training.prepare import snapshot_date

CHUNK_ROWS: Final = 50_000


def date_names(task: Task) -> list[str]:
    """The columns that a contract's dates are in; none for another task."""
    if not isinstance(task, ContractTask):
        return []
    return [task.ends, *([task.starts] if task.starts else [])]


def dates_there(task: Task, customers: Path | None) -> list[str]:
    """The columns of a contract's dates that a file has: a file of running contracts may have no ends."""
    if not isinstance(task, ContractTask) or customers is None:
        return []
    there = open_source(customers).names
    return [name for name in date_names(task) if name in there]


def latest_date(dataset: Dataset, schema: Schema) -> int:
    """When the files were taken: the last event, or the snapshot date of the table."""
    if dataset.data_end is not None:
        return dataset.data_end
    zone = schema.time_zone
    dates = (as_dates(dataset.columns[n], form, zone) for n, form in _date_formats(schema).items())
    return snapshot_date(dates, zone)


def log_date(dataset: Dataset, predictor: Predictor) -> int:
    """The last event, or the last start of a contract that is not to come, if that is later."""
    task, zone = predictor.manifest.task, predictor.manifest.schema_.time_zone
    assert dataset.data_end is not None
    if not isinstance(task, ContractTask) or task.starts not in dataset.columns:
        return dataset.data_end
    starts = as_dates(dataset.columns[task.starts], task.starts_format, zone)
    now = to_instant(datetime.now(UTC))
    return max(dataset.data_end, int(starts[starts <= now].max(initial=MISSING_TIME)))


def table_date(path: Path, predictor: Predictor) -> int:
    """The instant up to which a table was observed in training, found in a pass over its date columns.

    Those of a contract's own dates, where it is one: what lies in the future was announced.
    """
    task, schema = predictor.manifest.task, predictor.manifest.schema_
    formats = _date_formats(schema)
    if isinstance(task, ContractTask):
        own = dict(zip(date_names(task), (task.ends_format, task.starts_format), strict=False))
        formats = {name: own[name] for name in dates_there(task, path)}
    chunks = read_table_chunks(path, chunk_rows=CHUNK_ROWS, only=list(formats)) if formats else iter(())
    now = to_instant(datetime.now(UTC))
    dates = (
        times[times <= now] if isinstance(task, ContractTask) else times
        for table in chunks
        for name, time_format in formats.items()
        for times in [as_dates(table.columns[name], time_format, schema.time_zone)]
    )
    return snapshot_date(dates, schema.time_zone)


def _date_formats(schema: Schema) -> dict[str, str | None]:
    return {c.name: c.time_format for c in schema.columns if isinstance(c, DateColumn)}
