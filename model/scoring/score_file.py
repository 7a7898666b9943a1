"""Batch scoring: customers' files in, one row of probabilities for each of their rows out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.errors import DataError
from model.files.writers import open_scores, score_table
from model.ledger.records import Said, Version
from model.predictor import Predictions, Predictor
from model.scoring.as_of import AsOf
from model.scoring.blocks import Block, TableBlocks
from model.scoring.log_blocks import LogBlocks
from model.scoring.unusual import Unusual
from model.task import ColumnTask
from model.values.history import Positions


@dataclass(frozen=True)
class Summary:
    """What was scored.

    Attributes:
        rows: of the result.
        as_of: the instant of the prediction, and where it comes from.
        notes: what was read otherwise than it stands there, as sentences.
        ignored: columns of the customer file that the model does not read.
    """

    rows: int
    as_of: AsOf
    notes: tuple[str, ...]
    ignored: tuple[str, ...]


def score_file(
    predictor: Predictor,
    out: Path,
    *,
    customers: Path | None,
    events: Path | None = None,
    as_of: AsOf | None = None,
    reject: bool = False,
    reasons: int = 0,
    on_rows: Callable[[int], object] = lambda _: None,
    on_scored: Callable[[Predictions], object] = lambda _: None,
    record: Callable[[Said], object] | None = None,
) -> Summary:
    """Score the customers of these files. Each row has a score, or else the reason in the column `error`.

    A customer file is read in batches, at flat memory; a log is read whole.

    Args:
        out: the result, in the form of its suffix; not written where this raises.
        events: the log; None for a model of a table, or where a column `events` of `customers` holds it.
        as_of: the instant of the prediction; None for the end of the log, or today for a table.
        reject: whether a cell that cannot be read costs its row the score. Else it counts as missing, is
            noted, and refused where most of a column is so.
        reasons: of each score, as many as the model has groups of inputs at most.
        on_rows: gets the number of rows so far, after each batch.
        on_scored: gets what was scored, batch by batch.
        record: gets what is said of whom, for a ledger.

    Raises:
        DataError, SchemaError: the files cannot be used, or lack a field that the model reads.
    """
    task, schema = predictor.manifest.task, predictor.manifest.schema_
    blocks: LogBlocks | TableBlocks
    if schema.events and (events or customers is None):
        blocks = LogBlocks(customers, events, task, schema, as_of)
    elif customers:
        blocks = TableBlocks(customers, task, schema, as_of, reject=reject)
    else:
        raise DataError("this model reads a customer table; name it with --customers FILE")
    names, n_rows, unusual = task.output_names, 0, Unusual(schema)
    reasons = min(reasons, predictor.n_reasons)
    version = Version.of(predictor.manifest) if record else None

    def keep(block: Block, read: Predictions, kept: Positions) -> None:
        unusual.add(read, block.customers.log)
        on_scored(read)
        if record and version:
            record(_said(version, block, read, kept))

    eligible = not isinstance(task, ColumnTask)
    with open_scores(out, names, eligible=eligible, reasons=reasons) as writer:
        for block in blocks:
            writer.write_table(_scored(predictor, block, reasons, keep))
            n_rows += len(block.ids)
            on_rows(n_rows)
        notes = (*blocks.notes(), *unusual.notes())
    return Summary(n_rows, blocks.as_of, notes, tuple(blocks.ignored))


def _scored(
    predictor: Predictor,
    block: Block,
    n_reasons: int,
    keep: Callable[[Block, Predictions, Positions], None],
) -> Any:
    """The rows of a block as a table of the result.

    Args:
        keep: gets the predictions of customers whose row has a score, and which of the block they are.
    """
    rows = np.full(len(block.ids), -1)
    rows[block.places] = np.arange(len(block.places))
    rows[list(block.errors)] = -1
    reasons: list[list[tuple[str, float]]] = []
    if not len(block.customers):
        probabilities = np.empty((0, predictor.manifest.task.n_outputs))
    else:
        scored = predictor.predict(block.customers)
        kept = rows[rows >= 0]
        keep(block, scored.take(kept), kept)
        probabilities = scored.probabilities
        if n_reasons:
            explained = predictor.explain(scored, most=n_reasons)
            reasons = [[(reason.text, reason.points) for reason in one.reasons] for one in explained]
    horizons = predictor.manifest.task.output_names
    return score_table(
        block.ids, probabilities, horizons, block.not_eligible, rows, block.errors, reasons, n_reasons
    )


def _said(version: Version, block: Block, read: Predictions, kept: Positions) -> Said:
    """What is said of the customers of a block whose row has a score."""
    no_id = np.zeros(len(kept), dtype=bool) if block.numbered is None else block.numbered[kept]
    places = zip(block.places[kept].tolist(), no_id.tolist(), strict=True)
    return Said(
        version,
        [None if none else block.ids[place] for place, none in places],
        block.customers.cutoffs[kept],
        read.probabilities,
        None if block.not_eligible is None else block.not_eligible.codes[kept] < 0,
        read.numeric,
        read.categories,
    )
