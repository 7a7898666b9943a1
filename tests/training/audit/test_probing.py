"""Which probe is asked of which study."""

from pathlib import Path

import numpy as np
import pytest

from model.errors import DataError
from tests.training.shops import LOG, TABLE, Shop, log_shop, table_shop
from training.audit.audit import audit
from training.audit.findings import Finding
from training.prepare import prepare


def found(shop: Shop, text: str, *overrides: str) -> dict[str, Finding]:
    study = shop.study(text, *overrides)
    return {f.probe: f for f in audit(prepare(study)).findings}


def test_a_split_without_rows_to_judge_on_is_told_as_training_would_refuse_it(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 6)
    shop.churned[:] = [True, False] * 3
    shop.save_table()
    told = found(shop, TABLE, "split.test_fraction=0.01")["nobody_to_judge"]
    assert (told.level, told.column) == ("warning", None)
    assert told.evidence == "Training needs examples for early stopping and for the test, got 6 and 0."
    assert told.advice == "Add customers, or change split.test_fraction."


@pytest.mark.parametrize(("split", "told"), [("group: shop", False), ("time: shop", True)])
def test_behaviour_changes_only_where_the_test_is_later(split: str, told: bool, tmp_path: Path) -> None:
    """Ten shops, opened one after another, of which the later ones lose more."""
    shop = table_shop(tmp_path, 2_000)
    for number, row in enumerate(shop.customers):
        row["shop"] = number % 10
    draw = np.random.default_rng(0)
    shop.churned[:] = [bool(draw.random() < 0.05 + 0.08 * row["shop"]) for row in shop.customers]
    shop.save_table()
    assert ("target_shift" in found(shop, TABLE, f"split={{{split}}}")) == told


def test_an_event_type_may_be_allowed_and_a_misspelt_one_is_told(tmp_path: Path) -> None:
    shop = log_shop(tmp_path)
    assert "one_value_for_all_cutoffs" in found(shop, LOG, "allow_leaks=[visit]")
    with pytest.raises(DataError, match=r"got 'vsit'. Did you mean 'visit'\?"):
        found(shop, LOG, "allow_leaks=[vsit]")
