"""Batch scoring: customers' files in, one row of probabilities a customer out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from model.errors import DataError
from model.files.dataset import Dataset, load_dataset
from model.files.table import RawTable, read_table_chunks, resolve
from model.files.writers import open_scores
from model.predictor import Predictor
from model.probability import Probabilities
from model.schema import Schema
from model.scoring.misread import Misread
from model.task import ColumnTask, ContractTask, LogTask, Task
from model.values.columns import Column, Texts, as_texts, take
from model.values.customers import Customers, Examples
from training.as_of import CHUNK_ROWS, date_names, dates_there, log_date, table_date
from training.question.eligibility import Bools, eligible
from training.question.timeline import Timeline, contract_timeline, log_timeline

OnRows = Callable[[int], None]


@dataclass(frozen=True)
class Scored:
    """What was written: rows, the instant that was asked about, and what could not be read."""

    rows: int
    as_of: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Block:
    """Some customers with their scores; `eligible` for a log model only."""

    customers: Customers
    probabilities: Probabilities
    eligible: Bools | None


def score_files(
    predictor: Predictor,
    out: Path,
    *,
    customers: Path | None,
    events: Path | None,
    as_of: int | None,
    on_rows: OnRows = lambda _: None,
) -> Scored:
    """Score the customers of these files.

    A table is streamed in blocks at flat memory; a log is read whole. Without `as_of`, a log is
    asked at its last event and a table at its latest date, as in training.

    Raises:
        DataError, SchemaError: the files cannot be used or lack a field that the model reads;
            `out` is then not written, and one of that name stays as it was.
    """
    schema, task = predictor.manifest.schema_, predictor.manifest.task
    misread = Misread(schema)
    if schema.events is None:
        if customers is None:
            raise DataError("this model reads a customer table; name it with --customers FILE")
        instant = as_of if as_of is not None else table_date(customers, predictor)
        blocks = _table_blocks(predictor, customers, instant)
    else:
        dataset = read_for(schema, customers, events, also=dates_there(task, customers))
        assert dataset.data_end is not None
        instant = as_of if as_of is not None else log_date(dataset, predictor)
        blocks = _log_blocks(predictor, dataset, instant)
    rows = _write(
        out, _counted(blocks, misread), task.output_names, not isinstance(task, ColumnTask), on_rows
    )
    return Scored(rows, instant, misread.sentences())


def read_for(
    schema: Schema, customers: Path | None, events: Path | None, *, also: Sequence[str] = ()
) -> Dataset:
    """The fields that a model reads, from files that hold at least these.

    Args:
        also: further columns of the table, such as the label.

    Raises:
        DataError: a file is not named, cannot be used, or lacks such a field.
    """
    fields = schema.events
    if fields is not None and events is None:
        raise DataError("this model reads an event log; name it with --events FILE")
    if (schema.column_names or also) and customers is None:
        raise DataError("this model reads a customer table; name it with --customers FILE")
    return load_dataset(
        customers if schema.column_names or also or fields is None else None,
        resolve(events) if events and fields else (),
        customer_id=schema.id,
        only=(*schema.column_names, *also),
        categorical=[c.name for c in schema.categorical],
        event_id=fields.id if fields else None,
        time=fields.time if fields else None,
        time_format=fields.time_format if fields else None,
        time_zone=schema.time_zone,
        type=fields.type.name if fields and fields.type else None,
        values=[v.name for v in fields.values] if fields else (),
        attributes=[a.name for a in fields.attributes] if fields else (),
    )


def _counted(blocks: Iterable[_Block], misread: Misread) -> Iterator[_Block]:
    """The blocks, each looked at; after the last, the counts may keep the file from getting its name."""
    for block in blocks:
        misread.add(block.customers.columns)
        yield block
    misread.sentences()


def _table_blocks(predictor: Predictor, path: Path, as_of: int) -> Iterator[_Block]:
    schema = predictor.manifest.schema_
    start = 0
    ids = [schema.id] if schema.id else []
    for table in read_table_chunks(
        path,
        chunk_rows=CHUNK_ROWS,
        only=[*schema.column_names, *ids, *dates_there(predictor.manifest.task, path)],
        texts=[*ids, *(c.name for c in schema.categorical)],
    ):
        names = _ids(table, schema.id, start)
        cutoffs = np.full(table.n_rows, as_of, dtype=np.int64)
        asked = Customers(names, cutoffs, table.columns)
        dataset = Dataset(names, table.columns, None, None, None, ())
        able = _eligible(predictor.manifest.task, schema, dataset, as_of)
        yield _Block(asked, predictor.predict(asked), able)
        start += table.n_rows


def _ids(table: RawTable, name: str | None, start: int) -> list[str]:
    """Ids as texts; a row without one is called by its number in the file, from 1."""
    numbers = [str(n) for n in range(start + 1, start + table.n_rows + 1)]
    if name is None:
        return numbers
    texts = as_texts(table.columns[name])
    return [texts.values[c] if c >= 0 else n for c, n in zip(texts.codes.tolist(), numbers, strict=True)]


def _log_blocks(predictor: Predictor, dataset: Dataset, as_of: int) -> Iterator[_Block]:
    task = predictor.manifest.task
    assert dataset.log is not None
    able = _eligible(task, predictor.manifest.schema_, dataset, as_of)
    for start in range(0, len(dataset), CHUNK_ROWS):
        stop = min(start + CHUNK_ROWS, len(dataset))
        asked = Customers(
            ids=dataset.ids[start:stop],
            cutoffs=np.full(stop - start, as_of, dtype=np.int64),
            columns={name: take(column, slice(start, stop)) for name, column in dataset.columns.items()},
            log=dataset.log.part(start, stop),
        )
        yield _Block(asked, predictor.predict(asked), None if able is None else able[start:stop])


def _eligible(task: Task, schema: Schema, dataset: Dataset, as_of: int) -> Bools | None:
    """(N,) who would have been asked about in training; None for a column task, which asks everybody."""
    if isinstance(task, ColumnTask):
        return None
    everyone = Examples(np.arange(len(dataset)), np.full(len(dataset), as_of, dtype=np.int64))
    return eligible(timeline_of(task, schema, dataset), task, everyone)


def timeline_of(task: LogTask | ContractTask, schema: Schema, dataset: Dataset) -> Timeline:
    """The timeline of files that were read for a model."""
    types = event_types(schema, dataset)
    if isinstance(task, ContractTask):
        columns = {**_empty_dates(task, len(dataset)), **dataset.columns}
        zone, listed = schema.time_zone, dataset.listed
        return contract_timeline(
            dataset.log, task, columns, dataset.ids, types, zone, listed=listed, strict=False
        )
    assert dataset.log is not None
    return log_timeline(dataset.log, task, types, strict=False)


def event_types(schema: Schema, dataset: Dataset) -> Texts | None:
    """The type of each event; None where the model knows no types."""
    fields = schema.events
    return dataset.log.categories[fields.type.name] if dataset.log and fields and fields.type else None


def _empty_dates(task: ContractTask, n_rows: int) -> dict[str, Column]:
    return {name: np.full(n_rows, np.nan) for name in date_names(task)}


def _write(out: Path, blocks: Iterable[_Block], names: Sequence[str], log: bool, on_rows: OnRows) -> int:
    fields = [("customer_id", pa.string()), ("probability", pa.float64())]
    fields += [(f"probability_{name}d", pa.float64()) for name in names]
    if log:
        fields.append(("eligible", pa.bool_()))
    schema, rows = pa.schema(fields), 0
    with open_scores(out, schema) as writer:
        for block in blocks:
            columns = [pa.array(list(block.customers.ids), pa.string()), pa.array(block.probabilities[:, -1])]
            columns += [pa.array(block.probabilities[:, k]) for k in range(len(names))]
            if log:
                columns.append(pa.array(block.eligible))
            writer.write_table(pa.table(columns, schema=schema))
            rows += len(block.customers)
            on_rows(rows)
    return rows
