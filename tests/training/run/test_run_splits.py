"""What other splits would have claimed: other fits, asked about other examples."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.probability import Probabilities
from model.times import DAY, format_instant, parse_time
from tests.training.recorded_runs import COMPARE, QUICK, Recorded, record, repeated
from tests.training.shops import (
    CONTRACT,
    LOG,
    OPENED,
    TABLE,
    Row,
    Shop,
    contract_shop,
    log_shop,
    table_shop,
)
from training.fit.model_fit import Fitted
from training.measure.measuring import base_rates, measured
from training.prepare import Prepared, prepare
from training.run.run import Run, run_study
from training.run.splits import compare_dates
from training.split.deal import Rows


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """What is recorded of the runs of one test."""
    return record(monkeypatch)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A log that nobody changes."""
    return log_shop(tmp_path_factory.mktemp("log"))


@pytest.fixture(scope="module")
def compared(shop: Shop) -> tuple[Run, Recorded]:
    """A run of that log under every split, and what was recorded of it."""
    with pytest.MonkeyPatch.context() as patched:
        recorded = record(patched)
        return run_study(shop.study(LOG, *COMPARE)), recorded


def figure(prepared: Prepared, fitted: Fitted, rows: Rows) -> dict[str, Any]:
    """What a fit's answers about those examples come to whose longest window is complete, computed anew."""
    plan = prepared.plan
    known = plan.labels.complete[rows, -1]
    p = answers(prepared, fitted, rows)[known]
    rows = rows[known]
    return measured(plan.labels.outcomes[rows, -1].astype(np.float64), p, plan.groups[rows])


def answers(prepared: Prepared, fitted: Fitted, rows: Rows) -> Probabilities:
    """(N,) probabilities at the longest horizon."""
    data = prepared.dataset
    return fitted.scorer.score(data.columns, data.log, prepared.plan.examples.take(rows))[:, -1]


def names(found: Run) -> list[str]:
    return [one.split for one in found.splits]


def customers(prepared: Prepared, rows: Rows) -> set[int]:
    return set(prepared.plan.examples.customers[rows].tolist())


def seen_rows(prepared: Prepared) -> Rows:
    """At the test date, the customers whom training read."""
    trained = customers(prepared, prepared.plan.measured.rows)
    about = prepared.plan.examples.customers
    return np.array([row for row in prepared.plan.test.tolist() if int(about[row]) in trained])


def test_the_three_figures_of_a_log_are_three_runs(compared: tuple[Run, Recorded]) -> None:
    found, recorded = compared
    prepared, plan = found.prepared, found.prepared.plan
    assert plan.shuffled is not None
    (_, ours, measured_fit), (all_labels, easy, easy_fit) = recorded.fits
    assert names(found) == ["shuffled", "forward", "forward, unseen customers"]
    shuffled, seen, unseen = found.splits
    assert easy is plan.shuffled.folds.first
    assert set(easy.rows.tolist()) != set(ours.rows.tolist())
    assert all_labels.labels is plan.labels  # as a hurried user would have them: none is cut
    assert shuffled.metrics == figure(prepared, easy_fit, plan.shuffled.test)
    assert seen.metrics == figure(prepared, measured_fit, seen_rows(prepared))
    known = plan.labels.complete[plan.test, -1]
    p = np.empty(len(plan.test))
    p[plan.test_fold < 0] = answers(prepared, measured_fit, plan.unseen)
    assert measured_fit.asked is not None
    p[plan.test_fold >= 0] = measured_fit.asked[:, -1]
    y = plan.labels.outcomes[plan.test, -1].astype(np.float64)
    assert unseen.metrics == measured(y[known], p[known], plan.groups[plan.test][known])
    assert unseen.metrics == found.metrics["30"]["model"]
    assert len({one.metrics["log_loss"] for one in found.splits}) == 3
    assert len({one.metrics["n"] for one in found.splits}) == 3


def test_each_split_is_compared_with_the_base_rate_of_its_own_training(
    compared: tuple[Run, Recorded],
) -> None:
    found, _ = compared
    plan = found.prepared.plan
    assert plan.shuffled is not None
    ours = base_rates(plan.measured_labels.take(plan.measured.rows))[-1]
    easy = base_rates(plan.labels.take(plan.shuffled.folds.rows))[-1]
    assert ours != easy
    for one, rate in zip(found.splits, (easy, ours, ours), strict=True):
        share = one.metrics["base_rate"]
        wanted = -share * np.log(rate) - (1 - share) * np.log(1 - rate)
        assert one.base_rate_log_loss == pytest.approx(wanted)
    assert found.splits[-1].base_rate_log_loss == found.metrics["30"]["base_rate"]["log_loss"]


def test_who_is_on_which_side_of_each_split(compared: tuple[Run, Recorded]) -> None:
    found, recorded = compared
    prepared, plan = found.prepared, found.prepared.plan
    (known_then, ours, _), (_, easy, _) = recorded.fits
    learnt = customers(prepared, ours.rows)
    assert not customers(prepared, plan.unseen) & learnt
    assert len(seen_rows(prepared)) > 20
    assert customers(prepared, plan.seen.rows) <= learnt
    assert plan.shuffled is not None
    both_sides = customers(prepared, plan.shuffled.test) & customers(prepared, easy.rows)
    assert len(both_sides) > 20
    cutoffs = plan.examples.cutoffs
    assert set(cutoffs[plan.shuffled.test].tolist()) & set(cutoffs[easy.rows].tolist())
    (test_date,) = set(cutoffs[plan.test].tolist())
    closed = cutoffs[ours.rows][:, None] + np.array([10, 30]) * DAY
    told = known_then.labels.at_risk[ours.rows]
    assert (closed[told] <= test_date).all()


def with_newcomers(shop: Shop, at: str) -> Shop:
    """Customers more, whose first event is shortly before a date."""
    day = (parse_time(at) - parse_time(OPENED.isoformat())) // DAY
    for number in range(40):
        events: list[Row] = [
            {**event, "when": f"{at[:8]}{int(at[8:]) - 1:02d}T0{i}:00:00"}
            for i, event in enumerate(shop.customers[0]["events"][:3])
        ]
        shop.customers.append({"id": f"new-{number}", "plan": "free", "since": None, "events": events})
    assert day > 0
    shop.save_log()
    return shop


def test_customers_that_training_never_met_are_not_among_those_seen(tmp_path: Path) -> None:
    shop = log_shop(tmp_path)
    study = shop.study(LOG, *QUICK)
    date = prepare(study).plan.sentence.split()[2]
    found = run_study(with_newcomers(shop, date).study(LOG, *QUICK))
    plan = found.prepared.plan
    assert f"tested at {date}" in plan.sentence
    newcomers = {n for n, id_ in enumerate(found.prepared.dataset.ids) if id_.startswith("new-")}
    assert len(newcomers & customers(found.prepared, plan.unseen)) > 20
    seen = seen_rows(found.prepared)
    assert not newcomers & customers(found.prepared, plan.seen.rows)
    assert names(found) == ["forward", "forward, unseen customers"]
    assert found.splits[0].metrics == figure(found.prepared, found.measured, seen)


def test_a_log_too_short_to_go_forward_compares_with_shuffling_alone(tmp_path: Path) -> None:
    found = run_study(log_shop(tmp_path).study(LOG, *COMPARE, "target.horizons_days=[20, 100]"))
    assert found.prepared.plan.kind == "customers"
    assert names(found) == ["shuffled", "unseen customers, same dates"]


def test_a_table_without_duplicates_has_one_split(tmp_path: Path, recorded: Recorded) -> None:
    found = run_study(table_shop(tmp_path).study(TABLE, *COMPARE))
    assert names(found) == ["shuffled, duplicates together"]
    assert len(recorded.fits) == 1
    assert found.splits[0].metrics == found.metrics["label"]["model"]


@pytest.mark.parametrize(
    ("overrides", "ours"),
    [
        ((), "shuffled, duplicates together"),
        (("split.group=tenure",), "unseen groups"),
        (("split.time=bill_2",), "forward"),
    ],
    ids=["duplicates", "groups", "time"],
)
def test_a_table_that_is_not_dealt_row_by_row_shows_what_that_would_claim(
    overrides: tuple[str, ...], ours: str, tmp_path: Path, recorded: Recorded
) -> None:
    shop = repeated(table_shop(tmp_path)) if not overrides else table_shop(tmp_path)
    found = run_study(shop.study(TABLE, *COMPARE, *overrides))
    prepared, easy = found.prepared, found.prepared.plan.shuffled
    assert easy is not None
    assert names(found) == ["shuffled", ours]
    assert [folds for _, folds, _ in recorded.fits] == [prepared.plan.measured, easy.folds.first]
    assert found.splits[0].metrics == figure(prepared, recorded.fits[1][2], easy.test)
    assert found.splits[1].metrics == figure(prepared, recorded.fits[0][2], prepared.plan.test)
    groups = prepared.plan.groups
    assert set(groups[easy.test].tolist()) & set(groups[easy.folds.rows].tolist()) or ours == "forward"
    assert not set(groups[prepared.plan.test].tolist()) & set(groups[prepared.plan.measured.rows].tolist())


def test_a_table_of_snapshots_shows_the_customers_that_are_new_apart(
    tmp_path: Path, recorded: Recorded
) -> None:
    """Every fourth customer comes once more, later: forward in time it is not unseen."""
    shop = table_shop(tmp_path, 400)
    for n in range(0, 400, 4):
        shop.customers.append({**shop.customers[n], "bill_2": 1000.0 + n, "tenure": n / 7})
        shop.churned.append(shop.churned[n])
    shop.save_table()
    found = run_study(shop.study(TABLE, *QUICK, "split.time=bill_2", "split.test_fraction=0.4"))
    prepared, plan = found.prepared, found.prepared.plan
    ids = np.array(prepared.dataset.ids)[plan.examples.customers]
    new = plan.test[~np.isin(ids[plan.test], ids[plan.measured.rows])]
    assert 0 < len(new) < len(plan.test)
    assert names(found) == ["forward, unseen customers", "forward"]
    assert found.splits[0].metrics == figure(prepared, recorded.fits[0][2], new)


def test_nothing_is_compared_where_the_study_says_so(tmp_path: Path, recorded: Recorded) -> None:
    shop = repeated(table_shop(tmp_path))
    assert names(run_study(shop.study(TABLE, *QUICK))) == ["shuffled, duplicates together"]
    assert len(recorded.fits) == 1


def test_the_easy_split_changes_no_other_figure(shop: Shop, compared: tuple[Run, Recorded]) -> None:
    without, (found, _) = run_study(shop.study(LOG, *QUICK)), compared
    assert without.metrics == found.metrics
    assert without.verdict == found.verdict
    assert without.splits == found.splits[1:]


def test_every_baseline_is_in_the_metrics_and_the_verdict_is_about_the_best(
    compared: tuple[Run, Recorded],
) -> None:
    found, recorded = compared
    for figures in found.metrics.values():
        assert {"recency", "gradient_boosting"} <= set(recorded.baselines)
        assert list(figures) == ["model", *recorded.baselines, "base_rate"]
    losses = {who: told["log_loss"] for who, told in found.metrics["30"].items() if who != "model"}
    assert found.verdict.against == min(losses, key=losses.__getitem__)
    assert found.verdict.log_loss.value == pytest.approx(
        found.metrics["30"]["model"]["log_loss"] - min(losses.values())
    )


def test_the_figures_of_several_test_dates_stand_apart(shop: Shop) -> None:
    prepared = prepare(shop.study(LOG, "split.test_fraction=null"))
    plan = prepared.plan
    p = np.random.default_rng(0).uniform(0.1, 0.9, (len(plan.test), 2))
    known, cutoffs = plan.labels.complete[plan.test, -1], plan.examples.cutoffs[plan.test]
    found = compare_dates(prepared, p)
    assert len(found) > 1
    assert [one.date for one in found] == [format_instant(t) for t in sorted(set(cutoffs.tolist()))]
    for one, date in zip(found, sorted(set(cutoffs.tolist())), strict=True):
        at = known & (cutoffs == date)
        y = plan.labels.outcomes[plan.test[at], -1].astype(np.float64)
        wanted = measured(y, p[at, -1], plan.groups[plan.test[at]])
        figures = {name: wanted[name] for name in ("n", "positives", "base_rate", "auc", "log_loss")}
        mean = pytest.approx(p[at, -1].mean())
        assert asdict(one) == {"date": one.date, "mean_probability": mean, **figures}
    latest = cutoffs == cutoffs.max()
    last = replace(plan, test=plan.test[latest], test_fold=plan.test_fold[latest])
    assert compare_dates(replace(prepared, plan=last), p[latest]) == ()


def test_contracts_compare_splits_too(tmp_path: Path) -> None:
    found = run_study(contract_shop(tmp_path).study(CONTRACT, *COMPARE))
    assert names(found)[0] == "shuffled"
    assert names(found)[-1] in ("forward, unseen customers", "unseen customers, same dates")
    assert set(found.metrics["30"]) == {"model", "gradient_boosting", "base_rate"}
