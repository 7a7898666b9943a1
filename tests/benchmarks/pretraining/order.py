"""A made-up log in which nothing but the order of the events tells who leaves: the best case for a start.

Some customers repeat what they did last, others alternate, and now and then one changes over. Both kinds
do everything equally often, so that no count, sum or date tells them apart.
"""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.times import DAY

TYPES: Final = ("visit", "purchase")
LEAVES: Final = (0.4, 0.1)  # the share of those who leave: who repeats at last, who alternates
_REPEATS: Final = (0.8, 0.2)  # how often each kind does the same again
_CHANGES: Final = 0.03  # how often a customer becomes of the other kind, by the event
_LENGTHS: Final = (20, 60)  # events of a customer

Codes = NDArray[np.int64]


def simulate_order(n_customers: int, folder: Path) -> None:
    """Write customers.csv, with who `left`, and events.csv."""
    rng = np.random.default_rng(0)
    kinds, types = _draw(rng, n_customers, _LENGTHS[1])
    lengths = rng.integers(*_LENGTHS, n_customers)
    left = rng.random(n_customers) < np.array(LEAVES)[kinds[:, -1]]
    ids = np.arange(1, n_customers + 1)
    customers = pd.DataFrame({"customer_id": ids, "left": np.where(left, "yes", "no")})
    customers.to_csv(folder / "customers.csv", index=False)
    real = np.arange(_LENGTHS[1]) >= _LENGTHS[1] - lengths[:, None]  # the latest events of each
    days_ago = rng.exponential(5, real.shape)[:, ::-1].cumsum(axis=1)[:, ::-1]
    times = pd.Timestamp("2025-01-01") - pd.to_timedelta((days_ago[real] * DAY).astype(np.int64), unit="us")
    owner = np.broadcast_to(ids[:, None], real.shape)[real]
    events = pd.DataFrame(
        {"customer_id": owner, "time": times.floor("s"), "type": np.array(TYPES)[types[real]]}
    )
    events.to_csv(folder / "events.csv", index=False)


def _draw(rng: np.random.Generator, n: int, length: int) -> tuple[Codes, Codes]:
    """(n, length) the kind of each customer at each event, and the type of the event."""
    kinds = (rng.integers(0, 2, (n, 1)) + (rng.random((n, length)) < _CHANGES).cumsum(axis=1)) % 2
    differs = rng.random((n, length)) >= np.array(_REPEATS)[kinds]
    types = (rng.integers(0, 2, (n, 1)) + differs.cumsum(axis=1)) % 2
    return kinds, types
