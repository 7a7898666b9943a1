"""Leaks planted in whole studies: training refuses them, and trains where they are allowed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.training.audit.planted import CANCEL, cancel_shop
from tests.training.cli.commands import SETTINGS, Run
from tests.training.shops import TABLE, Shop, table_shop
from training.audit.findings import yaml_list

Planted = tuple[Shop, str]


def noisy_label(folder: Path) -> Planted:
    """A column that is the label but for one row in a hundred."""
    shop = table_shop(folder, 400)
    draw = np.random.default_rng(0)
    for row, churned in zip(shop.customers, shop.churned, strict=True):
        row["fee"] = 30.0 * (churned != (draw.random() < 0.01))
    shop.save_table()
    return shop, TABLE


def filled_for_leavers(folder: Path) -> Planted:
    """A column that one leaver in two has, and nobody else."""
    shop = table_shop(folder, 400)
    draw = np.random.default_rng(0)
    for row, churned in zip(shop.customers, shop.churned, strict=True):
        row["reason"] = str(draw.choice(["price", "moved"])) if churned and draw.random() < 0.5 else None
    shop.save_table()
    return shop, TABLE


def day_of_leaving(folder: Path) -> Planted:
    """The day of the cancellation that the label is compiled from, in the table of today."""
    return cancel_shop(folder, 900, left_on=True), CANCEL


def notice(folder: Path) -> Planted:
    """An event type that comes some days before every cancellation."""
    return cancel_shop(folder, goodbye=True), CANCEL


EXCLUDE = "Exclude what is not known at the cutoff (under data.customers, exclude: [{}])"
LEAKS = [
    (noisy_label, "fee", "'fee' nearly determines the label: its value alone has an AUC of 0.9", EXCLUDE),
    (filled_for_leavers, "reason", "'reason' is filled in ", EXCLUDE),
    (day_of_leaving, "left_on", "'left_on' is empty in ", EXCLUDE),
    (
        notice,
        "recency[goodbye]_days",
        "'recency[goodbye]_days' is filled in ",
        "If its events are part of the outcome, name them under target.event, raise target.gap_days, or "
        "leave them out of the log",
    ),
]


@pytest.mark.parametrize(("plant", "column", "evidence", "advice"), LEAKS)
def test_a_leak_is_refused_and_an_allowed_one_is_trained_on(
    plant: Callable[[Path], Planted], column: str, evidence: str, advice: str, run: Run, tmp_path: Path
) -> None:
    shop, text = plant(tmp_path)
    train = [
        "train",
        shop.study_file(text),
        "--registry",
        tmp_path / "r",
        *SETTINGS,
        "--set",
        "fit.refit=false",
    ]
    refused = run(*train)
    assert (refused.status, refused.out) == (1, "")
    head, *leaks = refused.err.splitlines()
    assert head == f"propense: a column must not reveal the label, got '{column}':"
    told = next(leak for leak in leaks if leak.startswith(f"- {column}: {evidence}"))
    assert advice.format(column) in told
    assert f"allow what is known (allow_leaks: {yaml_list([column])})." in told
    assert not (tmp_path / "r").exists()
    allowed = run(*train, "--set", f'allow_leaks=["{column}"]', "--json")
    assert (allowed.status, allowed.told["version"]) == (0, 1)
    found = [f for f in allowed.told["audit"]["findings"] if f["column"] == column]
    assert ("warning", "The study allows this (allow_leaks).") in [(f["level"], f["advice"]) for f in found]


def test_the_notice_in_the_gap_is_a_warning_as_no_model_reads_it(run: Run, tmp_path: Path) -> None:
    shop = cancel_shop(tmp_path, goodbye=True)
    told = run("audit", shop.study_file(CANCEL), "--set", "target.gap_days=7", "--json").told
    assert told["refused"] is False
    found = [(f["probe"], f["level"], f["column"]) for f in told["findings"]]
    notes = [(name, "note", None) for name in ("older_than_the_log", "one_value_for_all_cutoffs")]
    assert found == [("event_within", "warning", "goodbye"), *notes]


@pytest.mark.parametrize("text", [TABLE, CANCEL])
def test_an_account_number_is_a_warning(text: str, run: Run, tmp_path: Path) -> None:
    shop = table_shop(tmp_path) if text is TABLE else cancel_shop(tmp_path)
    numbers = np.random.default_rng(0).permutation(2_000)
    for row, number in zip(shop.customers, numbers.tolist(), strict=False):
        row["account"] = 40_000_000 + number
    (shop.save_table if text is TABLE else shop.save_log)()
    told = run("audit", shop.study_file(text), "--json").told
    assert told["refused"] is False
    [found] = [f for f in told["findings"] if f["column"] == "account"]
    assert (found["probe"], found["level"]) == ("near_unique", "warning")
    assert found["advice"] == "Exclude what only identifies rows (under data.customers, exclude: [account])."
