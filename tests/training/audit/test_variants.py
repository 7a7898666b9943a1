"""Columns of a table that were written after the outcome, in their usual disguises, and honest twins."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.training.shops import CONTRACT, TABLE, Shop, contract_shop
from training.audit.audit import audit
from training.audit.findings import Finding
from training.prepare import prepare

N = 2_000
DRAW = np.random.default_rng(3)
LEFT = DRAW.random(N) < 0.25
DAY = DRAW.integers(0, 500, N)  # the row's own day
COMPLAINED = DRAW.random(N) < 0.1 + 0.3 * LEFT

Cells = list[object]


def some(values: NDArray[np.generic], rows: NDArray[np.bool_]) -> Cells:
    return [value if row else None for row, value in zip(rows, values.tolist(), strict=True)]


def dates(days: NDArray[np.int64]) -> NDArray[np.str_]:
    return (np.datetime64("2023-01-01") + days).astype(str)


def below(most: int) -> NDArray[np.int64]:
    return DRAW.integers(0, most, N)


SINCE = dates(DAY)
LATER: dict[str, Cells] = {
    "cancellation_reason": some(DRAW.choice(["price", "moved"], N), LEFT),
    "refund_amount": (LEFT * (5 + below(85))).tolist(),
    "last_login": dates(DAY + np.where(LEFT, 20, -below(30))).tolist(),
    "days_since_cancel": some(below(200), LEFT),
    "closed": some(dates(DAY + 9), LEFT),
    "customer_no": (np.argsort(np.argsort(LEFT + DRAW.random(N))) // 2 * 3).tolist(),
    "reservation_status": np.where(LEFT, "Canceled", "Check-Out").tolist(),
    "reservation_status_date": dates(DAY + np.where(LEFT, -1 - below(60), 3)).tolist(),
    "satisfaction": np.where(LEFT ^ (DRAW.random(N) < 0.003), "ended it", "goes on").tolist(),
}
BEFORE: dict[str, Cells] = {
    "complaint": some(DRAW.choice(["price", "moved"], N), COMPLAINED),
    "credit_amount": (COMPLAINED * (5 + below(85))).tolist(),
    "last_visit": dates(DAY - below(30) * (1 + LEFT)).tolist(),
    "days_since_complaint": some(below(200), COMPLAINED),
    "first_visit": dates(DAY - 100 - below(60) * (1 + LEFT)).tolist(),
    "channel": np.where(DRAW.random(N) < 0.2 + 0.5 * LEFT, "phone", "web").tolist(),
}


def found(folder: Path, columns: dict[str, Cells], *overrides: str) -> list[Finding]:
    """The leaks and warnings of a table with these columns, beside the day of each row and honest numbers."""
    honest = {"visits": DRAW.poisson(3 - LEFT).tolist(), "spent": (below(10**6) / 100).tolist()}
    cells = {"since": SINCE.tolist(), **honest, **columns}
    rows = [
        dict(zip(["id", *cells], row, strict=True)) for row in zip(range(N), *cells.values(), strict=True)
    ]
    shop = Shop(folder, rows, LEFT.tolist())
    shop.save_table()
    return [f for f in audit(prepare(shop.study(TABLE, *overrides))).findings if f.level != "note"]


def test_what_was_written_afterwards_is_refused_with_the_line_that_excludes_it(tmp_path: Path) -> None:
    leaks = [f for f in found(tmp_path, LATER) if f.level == "leak"]
    assert {f.column for f in leaks} == set(LATER)
    assert all(f"exclude: [{f.column}]" in f.advice for f in leaks)


def test_what_is_known_beforehand_passes(tmp_path: Path) -> None:
    assert found(tmp_path, BEFORE) == []


def test_a_date_after_that_of_the_split_for_leavers_only_is_refused(tmp_path: Path) -> None:
    told = found(tmp_path, {"last_login": LATER["last_login"]}, "split={time: since}")
    assert ("date_distance", "leak", "last_login") in [(f.probe, f.level, f.column) for f in told]
    assert "since" not in [f.column for f in told]


def test_the_age_of_a_policy_is_told_where_the_split_is_by_its_date(tmp_path: Path) -> None:
    [told] = found(tmp_path, {"policy_age": ((500 - DAY) // 30).tolist()}, "split={time: since}")
    assert (told.probe, told.column) == ("follows_time", "policy_age")
    assert "exclude: [policy_age]" in told.advice


def test_the_months_until_a_contract_ended_are_told(tmp_path: Path) -> None:
    """A tenure of today in the table: months until the end, or until the last end for who stays."""
    shop = contract_shop(tmp_path, 600)
    last = max(str(row["ended"]) for row in shop.customers if row["ended"])
    for row in shop.customers:
        lasted = np.datetime64(str(row["ended"] or last)) - np.datetime64(str(row["joined"]))
        row["tenure"] = int(lasted.astype(int)) // 30
    shop.save_log()
    told = {f.probe: f for f in audit(prepare(shop.study(CONTRACT))).findings}
    assert told["dominates"].column == "tenure"
    assert "exclude: [tenure]" in told["dominates"].advice
    assert "'tenure'" in told["too_good"].evidence
