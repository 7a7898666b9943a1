"""The stages of `make bench-labels` as one would write them with pandas."""

import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from model.times import Instants
from tests.benchmarks.label_speed.log import TYPES, Answer, examples_answer, load_columns, rows_answer

Timed = tuple[float, list[Answer]]


def read(path: Path) -> Timed:
    """Read a file of events and number its customers; an id may be any text, so it is read as one."""
    began = time.perf_counter()
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
    else:
        frame = pd.read_csv(path, parse_dates=["time"], dtype={"customer_id": str, "type": "category"})
    frame["customer"], ids = pd.factorize(frame["customer_id"])
    return time.perf_counter() - began, [_rows(frame, len(ids))]


def sort(folder: Path, order: str) -> Timed:
    """Sort the events by customer, then time."""
    frame = _frame(folder, order)
    began = time.perf_counter()
    frame = frame.sort_values(["customer", "time"], kind="stable")
    return time.perf_counter() - began, [_rows(frame, frame["customer"].nunique())]


def labels(folder: Path, cutoffs: Sequence[int], horizons_days: Sequence[int], within_days: int) -> Timed:
    """Who had an event of late, and whether they buy within each horizon."""
    frame, answers = _frame(folder, "sorted"), []
    n_customers = frame["customer"].nunique()
    began = time.perf_counter()
    for cutoff in pd.to_datetime(cutoffs, unit="us"):
        last = frame[frame["time"] <= cutoff].groupby("customer")["time"].max()
        asked = last.index[last > cutoff - pd.Timedelta(days=within_days)]
        window = frame["time"].between(
            cutoff, cutoff + pd.Timedelta(days=horizons_days[-1]), inclusive="right"
        )
        bought = frame[window & (frame["type"] == "buy")].groupby("customer")["time"].min().reindex(asked)
        outcomes = {f"{h}d": bought <= cutoff + pd.Timedelta(days=h) for h in horizons_days}
        answers.append(examples_answer(asked.to_numpy(), outcomes, n_customers))
    return time.perf_counter() - began, answers


def features(folder: Path, cutoffs: Sequence[int], windows_days: Sequence[int]) -> Timed:
    """Counts and sums in each window, of all events and of each type; ages and amounts."""
    frame, answers = _frame(folder, "sorted"), []
    n_customers = frame["customer"].nunique()
    began = time.perf_counter()
    for cutoff in pd.to_datetime(cutoffs, unit="us"):
        table = _features(frame[frame["time"] <= cutoff], cutoff, sorted(windows_days, reverse=True))
        answers.append(examples_answer(table.index.to_numpy(), table, n_customers))
    return time.perf_counter() - began, answers


def _features(past: pd.DataFrame, cutoff: pd.Timestamp, windows_days: Sequence[int]) -> pd.DataFrame:
    """The features by name, one row a customer with an event in the longest window, which comes first."""
    past = past[past["time"] > cutoff - pd.Timedelta(days=windows_days[0])]
    by_customer = past.groupby("customer")
    day = pd.Timedelta(days=1)
    columns = {
        "recency_days": (cutoff - by_customer["time"].max()) / day,
        "tenure_days": (cutoff - by_customer["time"].min()) / day,
        "largest(amount)": by_customer["amount"].max(),
        "mean(amount)": by_customer["amount"].mean(),
    }
    asked = columns["recency_days"].index
    for which in ("", *(f"[{name}]" for name in TYPES)):
        events = past[past["type"] == which[1:-1]] if which else past
        if which:
            age = (cutoff - events.groupby("customer")["time"].max()) / day
            columns[f"recency{which}_days"] = age.reindex(asked)
        for window in windows_days:
            events = events[events["time"] > cutoff - pd.Timedelta(days=window)]
            amounts = events.groupby("customer")["amount"]
            columns[f"count{which}_{window}d"] = amounts.size().reindex(asked, fill_value=0)
            columns[f"sum(amount){which}_{window}d"] = amounts.sum().reindex(asked, fill_value=0.0)
    return pd.DataFrame(columns)


def _frame(folder: Path, order: str) -> pd.DataFrame:
    columns = load_columns(folder, order)
    types = pd.Categorical.from_codes(columns.pop("type"), categories=list(TYPES))
    times = pd.to_datetime(columns.pop("time"), unit="us")
    return pd.DataFrame(
        {"customer": columns["customer"], "time": times, "type": types, "amount": columns["amount"]}
    )


def _instants(times: pd.Series) -> Instants:
    instants: Instants = times.astype("datetime64[us]").astype("int64").to_numpy()
    return instants


def _rows(frame: pd.DataFrame, n_customers: int) -> Answer:
    bought = (frame["type"] == "buy").to_numpy()
    return rows_answer(n_customers, _instants(frame["time"]), bought, frame["amount"].to_numpy())
