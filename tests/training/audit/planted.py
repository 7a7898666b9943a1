"""Shops whose leavers are known, to plant leaks in: contracts by the table, cancellations by the log."""

from pathlib import Path
from typing import Final

import numpy as np

from tests.training.shops import LOG_DAYS, Row, Shop

CANCEL: Final = """\
name: cancel
data:
  customers: {path: customers.csv, id: id}
  events: {path: events.csv, id: who, time: when, type: kind}
target:
  event: cancel
  outcome: occurs
  horizons_days: [30]
  lookback_days: 90
  eligible_within_days: 60
  cutoffs: {every_days: 15}
"""


def cancel_shop(folder: Path, n: int = 500, *, goodbye: bool = False, left_on: bool = False) -> Shop:
    """Customers who come every ten days or so; half of them cancel one day, and are seen no more.

    Args:
        goodbye: whether they say so three to six days before.
        left_on: whether the table has the day of it.
    """
    draw, opened = np.random.default_rng(0), np.datetime64("2022-01-03T00:00:00")
    customers: list[Row] = []
    for number in range(1, n + 1):
        end = float(draw.uniform(1, 2 * LOG_DAYS))
        days = np.cumsum(draw.exponential(10, 60))
        happened = [(day, "visit") for day in days[days < min(end, LOG_DAYS)].tolist()]
        notice = end - float(draw.uniform(3, 6))
        if end < LOG_DAYS:
            happened += [(end, "cancel"), *([(notice, "goodbye")] if goodbye and notice > 0 else [])]
        row: Row = {"id": f"{number:04d}", "age": int(draw.integers(18, 80))}
        if left_on:
            row["left_on"] = str(opened + np.timedelta64(int(end), "D"))[:10] if end < LOG_DAYS else None
        events = [
            {"when": str(opened + np.timedelta64(round(day * 86_400), "s")), "kind": kind}
            for day, kind in happened
        ]
        customers.append({**row, "events": events})
    shop = Shop(folder, customers, [])
    shop.save_log()
    return shop
