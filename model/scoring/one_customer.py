"""One customer of files explained: against the typical customer, and against itself at an earlier date."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import numpy as np

from model.errors import DataError
from model.files.dataset import Dataset
from model.files.names import counted, listed, nearest
from model.files.source import open_source
from model.predictor import Predictor
from model.reasons.explainer import Explanation
from model.scoring.as_of import AsOf, log_date, today
from model.scoring.blocks import task_columns
from model.scoring.eligible import not_eligible_because
from model.scoring.log_blocks import read_for
from model.times import days
from model.values.columns import take
from model.values.customers import Customers

TREND_DAYS: Final = 30  # before the prediction, where no day is named


@dataclass(frozen=True)
class OneCustomer:
    """A customer of files.

    Attributes:
        customer: alone, with all of its events.
        notes: of reading the files, and on further rows of this customer.
    """

    predictor: Predictor
    customer: Customers
    as_of: AsOf
    notes: tuple[str, ...]

    @classmethod
    def find(
        cls, predictor: Predictor, id_: str, customers: Path | None, events: Path | None, as_of: AsOf | None
    ) -> Self:
        """Find a customer in files.

        Args:
            as_of: None for the end of the log, or today for a table.

        Raises:
            DataError: the files cannot be used, or have no such customer.
        """
        task, schema = predictor.manifest.task, predictor.manifest.schema_
        there = open_source(customers).names if customers else ()
        dataset = read_for(schema, customers, events, also=task_columns(task, there))
        at = as_of or (log_date(dataset, task, schema) if schema.events else today(schema.time_zone))
        row, notes = _row_of(dataset, id_)
        alone = Customers(
            [id_],
            np.array([at.instant], dtype=np.int64),
            {name: take(column, slice(row, row + 1)) for name, column in dataset.columns.items()},
            dataset.log.part(row, row + 1) if dataset.log else None,
        )
        return cls(predictor, alone, at, (*dataset.notes, *notes))

    @property
    def not_eligible_because(self) -> str | None:
        """The rule by which the customer is not eligible; None if it is, or if all are."""
        manifest = self.predictor.manifest
        why = not_eligible_because(manifest.task, manifest.schema_, self.customer)
        return None if why is None or why.codes[0] < 0 else why.values[why.codes[0]]

    def explain(self, horizon: int = -1) -> Explanation:
        """Compare with the typical customer."""
        return self.predictor.explain(self.predictor.predict(self.customer), horizon=horizon)[0]

    def change(self, since: int | None = None, horizon: int = -1) -> tuple[int, Explanation | None]:
        """Compare with the customer at an earlier instant.

        Args:
            since: an instant; None for 30 days earlier.

        Returns:
            The earlier instant, and the explanation; None without an event by then.

        Raises:
            DataError: the model reads no log, or the instant is not earlier.
        """
        log = self.customer.log
        if log is None:
            raise DataError("a change needs the events before a date, and this model reads none")
        earlier = self.as_of.instant - days(TREND_DAYS) if since is None else since
        if earlier >= self.as_of.instant:
            raise DataError("--since must name a day before that of the prediction. Name an earlier one.")
        if not (log.times <= earlier).any():
            return earlier, None
        before = replace(self.customer, cutoffs=np.array([earlier], dtype=np.int64))
        now, then = (self.predictor.predict(one) for one in (self.customer, before))
        return earlier, self.predictor.explain(now, then, horizon=horizon)[0]


def _row_of(dataset: Dataset, id_: str) -> tuple[int, list[str]]:
    rows = [row for row, other in enumerate(dataset.ids) if other == id_]
    if not rows:
        near = nearest(id_, dataset.ids)
        hint = f"did you mean {near!r}?" if near else f"they have such as {listed(dataset.ids[:3])}"
        raise DataError(f"--customer must be in the files, got {id_!r}; {hint}")
    more = [f"{counted(len(rows), 'row')} of this customer; the last is explained."] if len(rows) > 1 else []
    return rows[-1], more
