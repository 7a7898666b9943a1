"""What contacting the likeliest would have reached, against counts by hand."""

from pathlib import Path

import numpy as np

from model.times import DAY, parse_time
from tests.training.shops import LOG, TABLE, log_shop, table_shop
from training.prepare import prepare
from training.run.contacts import SHARES, reachable


def test_a_table_is_ranked_by_its_probabilities(tmp_path: Path) -> None:
    prepared = prepare(table_shop(tmp_path, 200).study(TABLE))
    test = prepared.plan.test
    positive = prepared.plan.labels.outcomes[test, -1]
    found = reachable(prepared, positive[:, None].astype(np.float64))
    n, positives = len(test), int(positive.sum())
    assert (found.date, found.customers, found.positives, found.silent_days) == (None, n, positives, None)
    assert [one.share for one in found.everyone] == list(SHARES)
    for one in found.everyone:
        assert one.customers == max(1, round(one.share * n))
        assert one.found == min(one.customers, positives)
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.found / positives <= one.high
    assert found.active == ()


def test_equal_probabilities_find_no_more_than_chance(tmp_path: Path) -> None:
    prepared = prepare(table_shop(tmp_path, 400).study(TABLE))
    found = reachable(prepared, np.full((len(prepared.plan.test), 1), 0.5))
    assert abs(found.everyone[-1].found / found.positives - 0.3) < 0.2


def test_customers_of_a_log_who_were_silent_for_a_horizon_are_set_apart(tmp_path: Path) -> None:
    shop = log_shop(tmp_path)
    prepared = prepare(shop.study(LOG))
    plan = prepared.plan
    found = reachable(prepared, np.random.default_rng(0).random((len(plan.test), 2)))
    assert found.date is not None
    at, silent = parse_time(found.date), 0
    asked = plan.examples.customers[plan.test[plan.examples.cutoffs[plan.test] == at]]
    for customer in asked.tolist():
        times = [parse_time(event["when"]) for event in shop.customers[customer]["events"]]
        silent += not any(at - 30 * DAY < time <= at for time in times)
    assert (found.silent_days, found.silent, found.customers) == (30, silent, len(asked))
    assert silent > 0
    assert found.active[1].customers == max(1, round(0.1 * (len(asked) - silent)))
    assert all(one.silent == 0 for one in found.active)
