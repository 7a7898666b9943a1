"""Some rows of a file on their way from its parser to its answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.errors import Fault
from app.versions.served import Served
from model.predictor import Predictions
from model.probability import Probabilities
from model.values.customers import Customers
from model.values.rows import RequestRows

BLOCK_ROWS: Final = 6144  # whose arrays fit the processor's cache
Places = NDArray[np.int64]
Ids = Any  # an Arrow array of texts (pyarrow has no types), or a list of what a request had


@dataclass(frozen=True)
class Bounds:
    """What one file may take.

    Attributes:
        batch_bytes: of an Arrow record batch, or of the pages of a Parquet file that are read together.
        spool_bytes: on disk.
    """

    batch_bytes: int
    spool_bytes: int


@dataclass
class Flaws:
    """What is wrong with the rows of a block: of each the first fault, as a sentence, by its place.

    Attributes:
        first: the number in the file of the row at place 0, from 1.
    """

    first: int
    said: dict[int, str] = field(default_factory=dict)

    def note(self, place: int, fault: Fault) -> None:
        """Remember a fault, unless the row has one."""
        if place not in self.said:
            self.said[place] = str(replace(fault, row=self.first + place))


@dataclass(frozen=True)
class Block:
    """Up to N rows of a file, one after another, that are scored together.

    Attributes:
        n_rows: N, those that no parser could read among them.
        asked: the n rows that could be read; a cell at fault is a missing one.
        places: (n,) which of the N these are.
        ids: N ids; the row's number where it has none; null where no parser could read the row.
        flaws: what keeps rows from having a score.
    """

    n_rows: int
    asked: Customers | RequestRows
    places: Places
    ids: Ids
    flaws: Flaws


@dataclass(frozen=True)
class Answer:
    """The scores of N rows.

    Attributes:
        ids: N ids; null where unknown.
        probabilities: (N, K) float64; NaN for a row with an error.
        errors: by place.
    """

    ids: Ids
    probabilities: Probabilities
    errors: dict[int, str]

    def __len__(self) -> int:
        return len(self.probabilities)


def score(served: Served, block: Block) -> Answer:
    """Score a block. A row at fault is scored along with the others, which it cannot touch, and left out."""
    asked, predictor = block.asked, served.predictor
    scored = (
        predictor.predict_rows(asked)
        if isinstance(asked, RequestRows)
        else predictor.predict_customers(asked)
    )
    told = np.full((block.n_rows, scored.probabilities.shape[1]), np.nan)
    told[block.places] = scored.probabilities
    errors = block.flaws.said
    told[list(errors)] = np.nan
    good = ~np.isnan(told[block.places, -1])
    served.tally(Predictions(scored.probabilities[good], scored.numeric[good], scored.categories[good]))
    return Answer(block.ids, told, errors)


def parts(n_rows: int) -> Sequence[slice]:
    """N rows as blocks."""
    return [slice(at, min(at + BLOCK_ROWS, n_rows)) for at in range(0, n_rows, BLOCK_ROWS)]
