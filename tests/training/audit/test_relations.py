"""Columns that reveal the label beside another: distances of dates, the split's time, target encodings."""

import numpy as np

from tests.training.audit.tables import outcomes
from training.audit.feature import Outcomes, random_folds
from training.audit.relations import probe_carried_forward, probe_dates, probe_encoded

RNG = np.random.default_rng(0)
ROWS = outcomes(1_000, 0.3, RNG)
OUTCOMES = Outcomes(ROWS.positive, ROWS.groups, random_folds(ROWS.groups, ROWS.positive, seed=0))
ARRIVAL = RNG.uniform(0, 700, 1_000)
AHEAD = RNG.uniform(1, 60, 1_000)


def test_a_status_before_the_arrival_for_positives_only_is_a_leak() -> None:
    status = ARRIVAL + np.where(ROWS.positive, AHEAD, -3)
    [found] = probe_dates({"arrival": ARRIVAL, "booked": ARRIVAL + AHEAD, "status": status}, OUTCOMES)
    assert (found.probe, found.level) == ("date_distance", "leak")
    assert "its distance from" in found.evidence
    assert {"arrival", "status"} == {
        each for each in ("arrival", "status", "booked") if each in found.evidence
    }


def test_honest_dates_are_none() -> None:
    assert probe_dates({"arrival": ARRIVAL, "booked": ARRIVAL + AHEAD * (1 + ROWS.positive)}, OUTCOMES) == []


def test_the_age_of_a_row_follows_the_time_of_the_split() -> None:
    months = np.floor((700 - ARRIVAL) / 30)
    found = probe_carried_forward(
        {"age": months, "visits": AHEAD, "year": np.full(1_000, 2.0)}, "issued", ARRIVAL
    )
    assert [(f.probe, f.level, f.column) for f in found] == [("follows_time", "warning", "age")]
    assert "'age' falls with 'issued'" in found[0].evidence


def test_a_mean_of_the_label_by_category_is_a_leak_and_an_estimate_is_none() -> None:
    town = RNG.integers(0, 40, 1_000)
    rows = np.bincount(town)
    mean = np.bincount(town, weights=ROWS.positive) / rows
    earlier = np.clip(RNG.binomial(rows, 0.3) / rows, 0.01, 0.99)
    found = probe_encoded({"mean": mean[town], "earlier": earlier[town], "share": AHEAD / 61}, ROWS.positive)
    assert [(f.probe, f.level, f.column) for f in found] == [("target_encoding", "leak", "mean")]
