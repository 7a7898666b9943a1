"""Whom a comparison asks about where customers have contracts, or a table lies beside a log."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.errors import ComparisonError
from tests.training.champions import champion_of, ids, training_customers
from tests.training.shops import CONTRACT, CONTRACT_LOG, LOG, TABLE, Shop, contract_shop, log_shop, table_shop
from training.prepare import Prepared, prepare
from training.publish.comparison import Comparison, compare_on_unseen
from training.publish.unseen import unseen

BESIDE_A_LOG = LOG[: LOG.index("target:")] + 'target: {column: churn, positive: "Yes"}\n'
GROUPED = LOG + "split: {group: region}\n"


def compared(
    build: Callable[[int], Shop], text: str, *sizes: int, seed: int = 3
) -> tuple[Prepared, Prepared, Comparison]:
    """The data before and after the customers became more and were dealt anew, and what may be compared."""
    settings = [("split.test_fraction=0.5", f"split.seed={number}") for number in (0, seed)]
    before, after = (prepare(build(n).study(text, *more)) for n, more in zip(sizes, settings, strict=True))
    comparison = compare_on_unseen(champion_of(before), after)
    asked = after.plan.examples.customers[comparison.rows]
    assert not ids(after, asked) & (
        ids(before, training_customers(before)) | ids(after, training_customers(after))
    )
    return before, after, comparison


@pytest.mark.parametrize("text", [CONTRACT, CONTRACT_LOG], ids=["alone", "log"])
def test_contracts(tmp_path: Path, text: str) -> None:
    before, after, comparison = compared(lambda n: contract_shop(tmp_path, n), text, 780, 1300)
    assert before.plan.kind == after.plan.kind == "forward"
    assert 0.4 < len(comparison.rows) / len(after.plan.unseen) < 0.6
    (date,) = comparison.test_dates
    assert date in after.plan.sentence


def test_a_person_with_several_contracts_is_one_customer(tmp_path: Path) -> None:
    def repeated(n: int) -> Shop:
        shop = contract_shop(tmp_path, n)
        for number, row in enumerate(shop.customers):
            row["id"] = f"{number % (n // 2):04d}"
        shop.save_log()
        return shop

    _, after, comparison = compared(repeated, CONTRACT, 2000, 2000)
    asked = ids(after, after.plan.examples.customers[comparison.rows])
    assert len(asked) == len(np.unique(comparison.groups)) < len(comparison.rows)


def test_contracts_without_an_id_are_refused(tmp_path: Path) -> None:
    """They are called by their numbers, which a new file deals anew."""
    prepared = prepare(contract_shop(tmp_path, 300).study(CONTRACT.replace(", id: id", ", exclude: [id]")))
    with pytest.raises(
        ComparisonError, match="the same id column, got none in version 1 and none in the study"
    ):
        compare_on_unseen(champion_of(prepared), prepared)


def test_a_table_beside_a_log(tmp_path: Path) -> None:
    """Rows that are equal are no duplicates there: their events tell them apart."""

    def labelled(n: int) -> Shop:
        shop = log_shop(tmp_path, n)
        for row in shop.customers:
            row |= {"plan": "free", "since": None, "churn": "Yes" if len(row["events"]) < 10 else "No"}
        shop.save_log()
        return shop

    before, after, comparison = compared(labelled, BESIDE_A_LOG, 300, 500)
    assert before.plan.kind == "rows"
    assert 0.4 < len(comparison.rows) / len(after.plan.unseen) < 0.6
    assert comparison.test_dates == ()


def test_that_a_group_may_have_changed_is_told(tmp_path: Path) -> None:
    def regional(n: int) -> Shop:
        shop = log_shop(tmp_path, n)
        for number, row in enumerate(shop.customers):
            row["region"] = f"r{number % 90}"
        shop.save_log()
        return shop

    *_, comparison = compared(regional, GROUPED, 300, 400)
    assert comparison.sentence.endswith(
        "They are recognised by their present 'region': a customer with another value then may be a "
        "training customer."
    )


def test_a_test_without_examples_is_refused(tmp_path: Path) -> None:
    prepared = prepare(log_shop(tmp_path, 100).study(LOG))
    nobody = np.empty(0, dtype=np.int64)
    plan = replace(prepared.plan, test=nobody, test_fold=nobody)
    with pytest.raises(ComparisonError, match="got 0 positive and 0 negative ones"):
        compare_on_unseen(champion_of(prepared), replace(prepared, plan=plan))


def test_a_row_without_its_group_goes_by_its_id_if_that_is_the_same(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 400)
    for number, row in enumerate(shop.customers):
        row["contract"] = None if number % 2 else f"c{number}"
        row["number"] = f"n{row['id']}"
    shop.save_table()
    text, half = TABLE + "split: {group: contract}\n", "split.test_fraction=0.5"
    champion, renamed = (
        champion_of(prepare(shop.study(text, half))),
        text.replace("id: id", "id: number, exclude: [id]"),
    )
    for study, without_group in ((text, True), (renamed, False)):
        after = prepare(shop.study(study, half))
        asked = after.plan.examples.customers[after.plan.unseen[unseen(champion, after)]]
        assert (asked % 2 == 0).any()
        assert (asked % 2 == 1).any() == without_group
