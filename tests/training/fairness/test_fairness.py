"""Fairness of a run and of files: which columns, which threshold, and a column kept for this alone."""

from pathlib import Path

import numpy as np
import pytest

from model.errors import PropenseError
from model.scoring.as_of import AsOf
from tests.training.shops import TABLE, Published, Shop, table_shop
from training.fairness.fairness import fairness_of_run
from training.prepare import prepare
from training.run.evaluate import evaluate_files

BY = "fairness.groups=[contract]"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return table_shop(tmp_path, 200)


def test_a_run_reports_its_groups(table_model: Published) -> None:
    found = table_model.trained.report["fairness"]
    assert found is not None
    (column,) = found["columns"]
    assert (column["column"], column["is_read"], found["horizon"]) == ("contract", True, "label")
    assert sum(group["examples"] for group in column["groups"]) == table_model.trained.report["split"]["test"]
    assert {group["name"] for group in column["groups"]} >= {"monthly", "one year", "missing"}
    assert column["sentences"][0] == "The model reads 'contract'."


def test_the_highest_tenth_is_selected_unless_the_study_has_a_threshold(shop: Shop) -> None:
    prepared = prepare(shop.study(TABLE, BY))
    n = len(prepared.plan.test)
    probabilities = np.arange(n)[:, None] / n
    found = fairness_of_run(prepared, probabilities)
    assert found is not None
    assert (found["threshold"], found["is_stated"]) == ((n - round(n / 10)) / n, False)
    stated = fairness_of_run(prepare(shop.study(TABLE, BY, "fairness.threshold=0.25")), probabilities)
    assert stated is not None
    assert (stated["threshold"], stated["is_stated"]) == (0.25, True)
    selected = [g["figures"]["selected"]["value"] * g["examples"] for g in stated["columns"][0]["groups"]]
    assert sum(selected) == pytest.approx((probabilities >= 0.25).sum())


def test_an_excluded_column_is_kept_for_fairness_and_out_of_the_network(shop: Shop) -> None:
    study = shop.study(TABLE, BY, "data.customers.exclude=[contract, senior]")
    prepared = prepare(study)
    assert "contract" not in prepared.fields.kinds
    assert {c.name: c.kind for c in prepared.columns}["contract"] == "fairness"
    assert "senior" not in prepared.dataset.columns
    found = fairness_of_run(prepared, np.full((len(prepared.plan.test), 1), 0.5))
    assert found is not None
    assert not found["columns"][0]["is_read"]


def test_a_study_without_groups_has_no_fairness(shop: Shop) -> None:
    assert fairness_of_run(prepare(shop.study(TABLE)), np.zeros((0, 1))) is None


def test_a_group_that_is_no_column_is_refused_with_the_nearest_name(shop: Shop) -> None:
    with pytest.raises(PropenseError, match=r"has no column 'contrat'; did you mean 'contract'\?"):
        prepare(shop.study(TABLE, "fairness.groups=[contrat]"))


def test_files_are_measured_by_the_groups_that_they_have(table_model: Published, tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 120, seed=3)
    at = AsOf(1_700_000_000_000_000, "the test")
    measured = evaluate_files(
        table_model.predictor, customers=shop.folder / "customers.csv", events=None, as_of=at
    )
    (column,) = measured["fairness"]["columns"]
    assert sum(group["examples"] for group in column["groups"]) == 120
    assert column["proxies"] is None
