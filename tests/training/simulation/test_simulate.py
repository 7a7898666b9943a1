"""The simulated shop: its files, and whether what it calls true is true."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from model.errors import DataError
from training.simulation import shop
from training.simulation.simulate import FILES, Summary, simulate

N = 20_000
CUTOFF = pd.Timestamp("2024-10-02")  # 640 days after the opening


@dataclass(frozen=True)
class Written:
    """A simulation read back."""

    summary: Summary
    customers: pd.DataFrame
    events: pd.DataFrame
    truth: pd.DataFrame


def read(summary: Summary, folder: Path) -> Written:
    customers, events, truth = (pd.read_csv(folder / name) for name in FILES)
    events["time"] = pd.to_datetime(events["time"])
    return Written(summary, customers, events, truth)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("shop")
    return read(simulate(N, folder, seed=7), folder)


def test_files_hold_what_the_summary_says(written: Written) -> None:
    summary, customers, events, truth = written.summary, written.customers, written.events, written.truth
    assert summary == Summary(
        customers=N,
        events=len(events),
        asked=len(truth),
        as_of=date(2024, 10, 2),
        left=truth["left_90d"].sum(),
        purchased=truth["purchased_90d"].sum(),
    )
    assert len(customers) == N
    assert customers["customer_id"].tolist() == list(range(1, N + 1))
    assert " ".join(customers) == "customer_id signup_date plan monthly_price channel region age"
    assert " ".join(events) == "customer_id time type amount device"
    probabilities, outcomes = "probability_leave_90d probability_purchase_90d", "left_90d purchased_90d"
    assert " ".join(truth) == f"customer_id as_of {probabilities} {outcomes}"
    assert 80 < len(events) / N < 120


def test_events_are_sorted_and_lie_between_signup_and_cancel(written: Written) -> None:
    events = written.events
    customer, time = events["customer_id"].to_numpy(), events["time"].to_numpy()
    same = customer[1:] == customer[:-1]
    assert (customer[1:] >= customer[:-1]).all()
    assert (time[1:] >= time[:-1])[same].all()
    first = events.groupby("customer_id")["time"].min().dt.strftime("%Y-%m-%d")
    assert first.tolist() == written.customers["signup_date"].tolist()
    cancelled = (events["type"] == "cancel").to_numpy()
    assert cancelled.sum() > N / 4
    assert not (cancelled[:-1] & same).any()
    assert events["time"].min() >= pd.Timestamp("2023-01-01")
    assert events["time"].max() <= pd.Timestamp("2024-12-31")


def test_amounts_and_devices_go_with_the_type(written: Written) -> None:
    events = written.events
    given = events.assign(amount=events["amount"].notna(), device=events["device"].notna())
    rows = given.groupby("type")[["amount", "device"]].agg(["all", "any"]).to_numpy().tolist()
    yes, no = [True, True], [False, False]
    assert dict(zip(sorted(events["type"].unique()), rows, strict=True)) == {
        "cancel": no + no,
        "payment_failure": yes + no,
        "plan_change": yes + no,
        "purchase": yes + yes,
        "ticket": no + no,
        "visit": no + yes,
    }
    assert set(events.loc[events["type"] == "payment_failure", "amount"]) == {9, 19, 49}
    assert (events["amount"].dropna() > 0).all()


def test_customers_are_as_of_signup(written: Written) -> None:
    signup = pd.to_datetime(written.customers["signup_date"])
    assert signup.max() < CUTOFF
    changed = written.events.query("type == 'plan_change'").drop_duplicates("customer_id")
    joined = changed.merge(written.customers, on="customer_id")
    assert (joined["amount"] != joined["monthly_price"]).all()


def test_outcomes_agree_with_the_log(written: Written) -> None:
    events, truth = written.events, written.truth.set_index("customer_id")
    gone = set(events.query("type == 'cancel' and time <= @CUTOFF")["customer_id"])
    assert truth.index.tolist() == sorted(set(range(1, N + 1)) - gone)
    assert set(truth["as_of"]) == {"2024-10-02"}
    later = events[events["time"] > CUTOFF]
    for column, kind in (("left_90d", "cancel"), ("purchased_90d", "purchase")):
        did = set(later.loc[later["type"] == kind, "customer_id"])
        assert set(truth.index[truth[column] == 1]) == did


@pytest.mark.parametrize(
    ("probability", "outcome", "least_auc"),
    [("probability_leave_90d", "left_90d", 0.65), ("probability_purchase_90d", "purchased_90d", 0.8)],
)
def test_truth_is_calibrated_and_ranks(
    written: Written, probability: str, outcome: str, least_auc: float
) -> None:
    truth = written.truth.sort_values(probability)
    p, y = truth[probability].to_numpy(), truth[outcome].to_numpy()
    bins = np.arange(len(p)) * 10 // len(p)
    surplus = np.bincount(bins, y - p) / np.sqrt(np.bincount(bins, p * (1 - p)))
    assert np.abs(surplus).max() < 3.5  # standard deviations: 1 in 2,000 per bin by chance
    assert (surplus**2).sum() < 29.6  # chi-square with 10 degrees of freedom, 99.9 %
    measured, implied = naive_auc(p, y), implied_auc(p)
    assert measured > least_auc
    assert measured == pytest.approx(implied, abs=0.015)


def naive_auc(p: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """The share of (positive, negative) pairs in the right order; ties count half."""
    positives, negatives = p[y == 1][:, None], p[y == 0]
    return float((positives > negatives).mean() + 0.5 * (positives == negatives).mean())


def implied_auc(p: NDArray[np.float64]) -> float:
    """The same over all pairs, each weighted with its probability to be (positive, negative)."""
    values, counts = np.unique(p, return_counts=True)
    positive, negative = values * counts, (1 - values) * counts
    below = np.cumsum(negative) - negative
    return float((positive * (below + 0.5 * negative)).sum() / (positive.sum() * negative.sum()))


def test_closed_form_equals_small_steps() -> None:
    steps, days = 200_000, 30.0
    leave, buy = shop.leave_rates()[5], shop.buy_rates()[5]
    for wanted, other, table in (
        (leave, np.zeros_like(leave), shop.leave_probability(days)),
        (buy, leave, shop.purchase_probability(days)),
    ):
        jumps = shop.jump_rates()
        generator = np.zeros((shop.N_STATES + 1, shop.N_STATES + 1))
        generator[:-1] = np.column_stack([jumps, wanted])
        generator[:-1, :-1] -= np.diag(jumps.sum(axis=1) + wanted + other)
        one_step = np.eye(len(generator)) + generator * (days / steps)
        naive = np.linalg.matrix_power(one_step, steps)[:-1, -1]
        np.testing.assert_allclose(table[5], naive, rtol=1e-4)


def test_rates_are_those_of_the_tables() -> None:
    jumps = shop.jump_rates().reshape(*shop.SHAPE, *shop.SHAPE)
    assert jumps[1, 0, 0, 1, 1, 0] == 1 / 60  # keen -> calm
    assert jumps[1, 0, 0, 2, 0, 0] == 1 / 300  # plus -> pro
    assert jumps[1, 2, 1, 0, 2, 1] == 1 / 200  # plus -> basic, a failed payment open
    assert jumps[0, 1, 0, 0, 1, 2] == 0.005  # a ticket opens
    assert jumps[0, 1, 2, 0, 1, 0] == 1 / 10  # and is healed
    assert jumps[0, 1, 2, 0, 1, 1] == 0  # one issue at a time
    assert jumps[0, 1, 0, 1, 0, 0] == 0  # one jump at a time
    assert shop.leave_rates().reshape(*shop.SEGMENT_SHAPE, *shop.SHAPE)[2, 1, 0, 0, 0, 2, 1] == pytest.approx(
        0.005 * 1.3 * 6 * 1.7 * 1.5
    )


def test_the_order_of_devices_alone_tells_who_leaves(tmp_path: Path) -> None:
    shopping = read(simulate(6_000, tmp_path, seed=2, restless=6), tmp_path)
    seen = shopping.events.query("time <= @CUTOFF").dropna(subset=["device"])
    app = (seen["device"] == "app").groupby(seen["customer_id"])
    counts = app.agg(["size", "mean"]).query("size >= 20")
    changes = (seen["device"] != seen.groupby("customer_id")["device"].shift()).groupby(seen["customer_id"])
    restless = (changes.mean() > 0.66)[counts.index]
    assert counts["mean"].groupby(restless).mean().to_numpy() == pytest.approx([0.5, 0.5], abs=0.01)
    truth = shopping.truth.set_index("customer_id").loc[lambda t: t.index.isin(counts.index)]
    known, p = restless[truth.index], truth["probability_leave_90d"]
    left = truth["left_90d"].groupby(known).agg(["sum", "mean"])
    assert left["mean"][True] > 1.7 * left["mean"][False]
    surplus = (left["sum"] - p.groupby(known).sum()) / np.sqrt((p * (1 - p)).groupby(known).sum())
    assert surplus.abs().max() < 3.5  # standard deviations


def contents(folder: Path) -> list[bytes]:
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    return [(folder / name).read_bytes() for name in FILES]


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        simulate(300, tmp_path / name, seed=seed)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    different = zip(contents(tmp_path / "a"), contents(tmp_path / "c"), strict=True)
    assert all(one != other for one, other in different)


def test_chunks_are_different_and_reported(tmp_path: Path) -> None:
    done: list[int] = []
    summary = simulate(5000, tmp_path, days=30, horizon_days=10, progress=done.append)
    assert done == [4096, 5000]
    assert summary.customers == 5000
    customers = read(summary, tmp_path).customers
    assert not customers["age"][:904].equals(customers["age"][4096:].reset_index(drop=True))


def test_one_customer_and_the_shortest_shop(tmp_path: Path) -> None:
    one = read(simulate(1, tmp_path, days=2, horizon_days=1), tmp_path)
    assert len(one.customers) == 1
    assert one.events["type"][0] == "visit"
    assert one.summary.as_of == date(2023, 1, 2)
    assert list(one.truth)[4:] == ["left_1d", "purchased_1d"]


@pytest.mark.parametrize(
    ("n", "seed", "days", "horizon_days", "message"),
    [
        (0, 0, 730, 90, "customers must be from 1 to 1000000000, got 0."),
        (5, -1, 730, 90, "seed must be from 0 to"),
        (5, 0, 730, 0, "horizon_days must be from 1 to 36499, got 0"),
        (5, 0, 90, 90, "days must be from 91 to 36500, got 90"),
    ],
)
def test_refuses_numbers_out_of_range(
    tmp_path: Path, n: int, seed: int, days: int, horizon_days: int, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        simulate(n, tmp_path / "new", seed=seed, days=days, horizon_days=horizon_days)
    assert not (tmp_path / "new").exists()


def test_refuses_to_replace_files_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("mine")
    with pytest.raises(DataError, match=r"must not have the files already, got .* with events\.csv\. Name"):
        simulate(1, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["events.csv"]
    simulate(1, tmp_path, force=True)
    assert contents(tmp_path)[1] != b"mine"


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(5, tmp_path, progress=stop)
    assert list(tmp_path.iterdir()) == []
