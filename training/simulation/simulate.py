"""A simulated shop written to customers.csv, events.csv and truth.csv, in chunks of constant memory."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pyarrow as pa
from pyarrow.csv import CSVWriter, WriteOptions

from model.errors import DataError
from training.simulation import shop
from training.simulation.draws import (
    CANCEL,
    DAY,
    DEVICES,
    NOTHING,
    PURCHASE,
    TYPES,
    Events,
    Shoppers,
    Spells,
    draw_events,
    draw_shoppers,
    draw_spells,
)
from training.simulation.shop import Codes

FILES: Final = ("customers.csv", "events.csv", "truth.csv")
OPENED: Final = date(2023, 1, 1)  # the shop's first day, UTC
_OPENED: Final = (OPENED - date(1970, 1, 1)).days
Tables = tuple[pa.Table, pa.Table, pa.Table]  # rows of each of FILES

_CHUNK: Final = 4096  # customers; the output for a seed depends on it


@dataclass(frozen=True)
class Summary:
    """The size of the files.

    Attributes:
        customers, events: rows of customers.csv and events.csv.
        asked: rows of truth.csv, the customers present at the cutoff.
        as_of: the cutoff, midnight UTC at the start of this day.
        left, purchased: the number of `asked` with that event within the horizon.
    """

    customers: int
    events: int
    asked: int
    as_of: date
    left: int
    purchased: int


def simulate(
    n_customers: int,
    out: Path,
    *,
    seed: int = 0,
    days: int = 730,
    horizon_days: int = 90,
    restless: float = 1.0,
    force: bool = False,
    progress: Callable[[int], object] = lambda _: None,
) -> Summary:
    """Simulate a shop for `days` days and write it into the folder `out`; the same seed, the same bytes.

    The cutoff is `horizon_days` before the end, so the log has every outcome, and all customers sign up
    before it. customers.csv has values as of signup. truth.csv has a row for each customer present at the
    cutoff: the exact probabilities given the full state (see `shop`), which no model of columns and events
    can beat, and the outcomes. All files are renamed into place at the end: a failed run leaves none.

    Args:
        n_customers: each has about 100 events.
        restless: how many times as often the customers leave whose devices alternate, see `draws`. Beyond 1
            the order of events matters, which no aggregate shows.
        force: replace existing files.
        progress: called with the number of customers done, after each chunk.

    Raises:
        DataError: a number is out of range, or `out` already holds one of the files.
    """
    _check(n_customers, seed, days, horizon_days, restless)
    if taken := [name for name in FILES if (out / name).exists() and not force]:
        raise DataError(
            f"the output folder must not have the files already, got {out} with {', '.join(taken)}. "
            "Name another folder, or use --force."
        )
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out, prefix=".simulate-") as temporary:
        totals = _write(Path(temporary), _chunks(n_customers, seed, days, horizon_days, restless), progress)
        for name in FILES:
            Path(temporary, name).replace(out / name)
    return Summary(as_of=OPENED + timedelta(days=days - horizon_days), **totals)


def _check(n_customers: int, seed: int, days: int, horizon_days: int, restless: float) -> None:
    for name, value, least, most in (
        ("customers", n_customers, 1, 10**9),
        ("seed", seed, 0, 2**63),
        ("horizon_days", horizon_days, 1, 36_499),
        ("days", days, horizon_days + 1, 36_500),
        ("restless", restless, 0, 100),
    ):
        if not least <= value <= most:
            raise DataError(f"{name} must be from {least} to {most}, got {value}.")


def _chunks(n_customers: int, seed: int, days: int, horizon_days: int, restless: float) -> Iterator[Tables]:
    for chunk, first in enumerate(range(0, n_customers, _CHUNK)):
        rng = np.random.default_rng([seed, chunk])
        yield _tables(rng, first, min(_CHUNK, n_customers - first), days, horizon_days, restless)


def _write(folder: Path, chunks: Iterator[Tables], progress: Callable[[int], object]) -> Counter[str]:
    totals: Counter[str] = Counter()
    writers: dict[str, CSVWriter] = {}
    with ExitStack() as stack:
        for tables in chunks:
            for name, table in zip(FILES, tables, strict=True):
                if name not in writers:
                    writers[name] = stack.enter_context(_writer(folder / name, table.schema))
                writers[name].write_table(table)
            totals.update(_counts(*tables))
            progress(totals["customers"])
    return totals


def _writer(path: Path, schema: pa.Schema) -> CSVWriter:
    # No value has a comma, a quote or a line break, so no value is searched for them.
    return CSVWriter(path, schema, write_options=WriteOptions(quoting_style="none", quoting_header="none"))


def _tables(
    rng: np.random.Generator, first: int, n: int, days: int, horizon_days: int, restless: float
) -> Tables:
    """The rows of n customers; the first has position `first`."""
    as_of = days - horizon_days
    shoppers = draw_shoppers(rng, n, as_of)
    spells = draw_spells(rng, shoppers, days, restless)
    events = draw_events(rng, shoppers, spells)
    asked, truth = _truth(shoppers, spells, events, as_of, horizon_days, restless)
    return (
        _numbered(_customer_table(shoppers), np.arange(n) + first),
        _numbered(_event_table(events), events.customer + first),
        _numbered(truth, asked + first),
    )


def _numbered(table: pa.Table, customer: Codes) -> pa.Table:
    return table.add_column(0, "customer_id", pa.array(customer + 1))


def _customer_table(shoppers: Shoppers) -> pa.Table:
    return pa.table(
        {
            "signup_date": _dates(shoppers.signup // DAY),
            "plan": _texts(shoppers.plan, shop.PLANS),
            "monthly_price": shop.PRICES[shoppers.plan],
            "channel": _texts(shoppers.channel, shop.CHANNELS),
            "region": _texts(shoppers.region, shop.REGIONS),
            "age": shoppers.age,
        }
    )


def _event_table(events: Events) -> pa.Table:
    return pa.table(
        {
            "time": pa.array(events.time + _OPENED * DAY, pa.timestamp("s")),
            "type": _texts(events.type, TYPES),
            "amount": pa.array(events.amount, from_pandas=True),
            "device": _texts(events.device, DEVICES),
        }
    )


def _truth(
    shoppers: Shoppers, spells: Spells, events: Events, as_of: int, horizon_days: int, restless: float
) -> tuple[Codes, pa.Table]:
    """The customers present at the cutoff, and their rows of truth.csv."""
    cutoff = as_of * DAY
    present = np.flatnonzero((spells.start <= cutoff) & (cutoff < spells.end))
    present = present[np.argsort(spells.customer[present])]
    customer = spells.customer[present]
    place = shoppers.segment[customer], spells.state[present]

    def did(kind: int) -> Codes:
        happened = (events.time > cutoff) & (events.type == kind)
        return np.isin(customer, events.customer[happened]).astype(np.int64)

    columns = {
        "as_of": _dates(np.full(len(customer), as_of)),
        f"probability_leave_{horizon_days}d": shop.leave_probability(horizon_days, restless)[place],
        f"probability_purchase_{horizon_days}d": shop.purchase_probability(horizon_days, restless)[place],
        f"left_{horizon_days}d": did(CANCEL),
        f"purchased_{horizon_days}d": did(PURCHASE),
    }
    return customer, pa.table(columns)


def _dates(days: Codes) -> pa.Array:
    """Dates, from days since the shop opened."""
    return pa.array((days + _OPENED).astype(np.int32), pa.int32()).cast(pa.date32())


def _texts(codes: Codes, values: Sequence[str]) -> pa.Array:
    narrow = pa.array(codes.astype(np.int8), mask=codes == NOTHING)
    return pa.DictionaryArray.from_arrays(narrow, pa.array(values)).dictionary_decode()


def _counts(customers: pa.Table, events: pa.Table, truth: pa.Table) -> dict[str, int]:
    left, purchased = (int(np.sum(column)) for column in truth.columns[-2:])
    rows = {"customers": len(customers), "events": len(events), "asked": len(truth)}
    return rows | {"left": left, "purchased": purchased}
