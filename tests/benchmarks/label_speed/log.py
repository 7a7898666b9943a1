"""The log of `make bench-labels`, simulated once: files as users have them, and arrays in three orders."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet

from model.times import DAY, SECOND, Instants
from model.values.columns import Numbers
from model.values.history import Positions

TYPES: Final = ("visit", "buy", "cancel")
DAYS: Final = 730
END: Final = 20_089 * DAY  # 2025-01-01, when the log ends
COLUMNS: Final = ("customer", "time", "type", "amount")
ORDERS: Final = ("by_time", "shuffled", "sorted")  # the latter by customer, then time

_SHARES: Final = (0.60, 0.37, 0.03)  # of the types
_SAMPLE: Final = 1000  # customers, or rows, that are compared one by one

Columns = dict[str, NDArray[Any]]
Answer = dict[str, NDArray[Any]]


def make_log(folder: Path, n_customers: int, n_events: int) -> None:
    """Write events.csv, events.parquet (in the order of time) and the arrays, unless they are there.

    Every customer has an event; how many more is gamma-distributed. A purchase has an amount.
    """
    if folder.is_dir():
        return
    making = folder.with_name(f"{folder.name}.making")
    making.mkdir(parents=True, exist_ok=True)
    columns = _draw(np.random.default_rng(0), n_customers, n_events)
    table = _table(columns)
    parquet.write_table(table, making / "events.parquet")
    csv.write_csv(table, making / "events.csv", csv.WriteOptions(quoting_style="none"))
    shuffled = np.random.default_rng(1).permutation(n_events)
    orders = (np.arange(n_events), shuffled, np.lexsort((columns["time"], columns["customer"])))
    for name, order in zip(ORDERS, orders, strict=True):
        for column, values in columns.items():
            np.save(making / f"{name}-{column}.npy", values[order])
    making.rename(folder)


def load_columns(folder: Path, order: str) -> Columns:
    """The arrays in one of ORDERS: customer positions, instants, codes of the types, amounts or NaN."""
    return {column: np.load(folder / f"{order}-{column}.npy") for column in COLUMNS}


def rows_answer(n_customers: int, times: Instants, bought: NDArray[np.bool_], amounts: Numbers) -> Answer:
    """What is compared of E events in some order: three totals, and about 1,000 rows."""
    step = max(1, len(times) // _SAMPLE)
    totals = np.array([len(times), n_customers, bought.sum()])
    return {"totals": totals, "times": times[::step], "amounts": amounts[::step]}


def examples_answer(customers: Positions, columns: Mapping[str, Any], n_customers: int) -> Answer:
    """What is compared of N examples: how many there are, and the columns for about 1,000 customers."""
    chosen = customers % max(1, n_customers // _SAMPLE) == 0
    sample = {name: np.asarray(column)[chosen] for name, column in columns.items()}
    return {"examples": np.array([len(customers)]), "customers": customers[chosen], **sample}


def _draw(rng: np.random.Generator, n_customers: int, n_events: int) -> Columns:
    shares = np.cumsum(rng.gamma(0.7, size=n_customers))
    more = np.searchsorted(shares, rng.random(n_events - n_customers) * shares[-1])
    customer = np.concatenate([np.arange(n_customers), more]).astype(np.int32)
    rng.shuffle(customer)
    type_ = np.searchsorted(np.cumsum(_SHARES[:-1]), rng.random(n_events)).astype(np.int32)
    amount = np.round(rng.lognormal(3.0, 1.0, n_events), 2)
    return {
        "customer": customer,
        "time": END - np.sort(rng.integers(0, DAYS * DAY // SECOND, n_events))[::-1] * SECOND,
        "type": type_,
        "amount": np.where(type_ == TYPES.index("buy"), amount, np.nan),
    }


def _table(columns: Columns) -> pa.Table:
    types = pa.DictionaryArray.from_arrays(pa.array(columns["type"]), pa.array(TYPES))
    return pa.table(
        {
            "customer_id": columns["customer"],
            "time": pa.array(columns["time"] // SECOND, pa.timestamp("s")),
            "type": types.dictionary_decode(),
            "amount": pa.array(columns["amount"], from_pandas=True),
        }
    )
