"""Whom a comparison asks about: nobody that either fit has learnt from, however the customers were dealt."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import ComparisonError
from tests.training.champions import champion_of, ids, training_customers
from tests.training.shops import LOG, TABLE, Row, Shop, log_shop, table_shop
from training.prepare import Prepared, prepare
from training.publish.unseen import unseen
from training.split.plan_table import order_of

NAMELESS = TABLE.replace(", id: id", ", exclude: [id]")
GROUPED = TABLE + "split: {group: contract}\n"
TIMED = TABLE + "split: {time: since}\n"

CONTENTS = ("tenure", "contract", "senior", "since", "bill_1", "bill_2", "bill_3", "late_2", "late_3")


def compared(shop: Shop, text: str, grow: Callable[[], object]) -> tuple[Prepared, Prepared, list[int]]:
    """The data before and after they grew, and the customers that may be compared."""
    before = prepare(shop.study(text))
    grow()
    after = prepare(shop.study(text))
    mask = unseen(champion_of(before), after)
    assert mask.shape == (len(after.plan.unseen),)
    return before, after, after.plan.examples.customers[after.plan.unseen[mask]].tolist()


def check_unseen(before: Prepared, after: Prepared, customers: list[int]) -> None:
    asked = ids(after, customers)
    assert len(asked) >= 10
    assert not asked & ids(before, training_customers(before))
    assert not asked & ids(after, training_customers(after))


def reordered(shop: Shop) -> None:
    order = np.random.default_rng(1).permutation(len(shop.customers)).tolist()
    shop.customers[:] = [shop.customers[i] for i in order]
    shop.churned[:] = [shop.churned[i] for i in order]
    shop.save_table()


@pytest.mark.parametrize("days", ["every", "short"])
def test_customers_of_a_log(tmp_path: Path, days: str) -> None:
    shop = log_shop(tmp_path, 300)
    text = LOG if days == "every" else LOG.replace("[10, 30]", "[10, 100]")
    before, after, customers = compared(shop, text, lambda: log_shop(tmp_path, 500))
    assert before.plan.kind == ("forward" if days == "every" else "customers")
    check_unseen(before, after, customers)


def test_groups_of_a_log(tmp_path: Path) -> None:
    def regional(n: int) -> Shop:
        shop = log_shop(tmp_path, n)
        for number, row in enumerate(shop.customers):
            row["region"] = None if number % 9 == 0 else f"r{number % 40}"
        shop.save_log()
        return shop

    text = LOG + "split: {group: region}\n"
    before, after, customers = compared(regional(300), text, lambda: regional(500))
    check_unseen(before, after, customers)
    group = after.dataset.columns["region"].take(np.array(customers))
    seen = before.dataset.columns["region"].take(training_customers(before))
    assert not named(group) & named(seen)


def named(column: Any) -> set[str]:
    return {column.values[code] for code in column.codes if code >= 0}


def test_rows_with_ids(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 300)
    check_unseen(*compared(shop, TABLE, lambda: reordered(table_shop(tmp_path, 500))))


def test_a_row_without_its_id_counts_as_seen(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 300)

    def forget_ids() -> None:
        for row in shop.customers[::2]:
            row["id"] = None
        shop.save_table()

    before, after, customers = compared(shop, TABLE, forget_ids)
    check_unseen(before, after, customers)
    assert all(customer % 2 for customer in customers)


def held(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in CONTENTS)


def test_a_new_row_that_doubles_one_learnt_from_counts_as_seen(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 200)

    def double() -> None:
        for copy in (1, 2, 3):
            for row, label in list(zip(shop.customers[:200], shop.churned[:200], strict=True)):
                shop.customers.append({**row, "id": f"{row['id']}-{copy}"})
                shop.churned.append(label)
        shop.save_table()

    before, after, customers = compared(shop, TABLE, double)
    learnt = {held(shop.customers[i]) for i in training_customers(before)}
    assert learnt
    assert not {held(shop.customers[i]) for i in customers} & learnt
    tested = after.plan.examples.customers[after.plan.unseen]
    assert {held(shop.customers[i]) for i in tested} & learnt  # the challenger's test alone would not do


@pytest.mark.parametrize("odd", [False, True])
def test_rows_without_ids_are_known_by_what_they_hold(tmp_path: Path, odd: bool) -> None:
    """Even where one odd cell makes a column of numbers one of texts."""
    shop = table_shop(tmp_path, 300)
    grown = table_shop(tmp_path, 500)

    def grow() -> None:
        reordered(grown)
        if odd:
            grown.customers[-1]["tenure"] = "many"
            grown.save_table()

    shop.save_table()
    before, after, customers = compared(shop, NAMELESS, grow)
    assert len(customers) >= 10
    asked = {held(grown.customers[i]) for i in customers}
    assert not asked & {held(shop.customers[i]) for i in training_customers(before)}
    assert not asked & {held(grown.customers[i]) for i in training_customers(after)}


def test_groups_of_a_table(tmp_path: Path) -> None:
    def regional(n: int) -> Shop:
        shop = table_shop(tmp_path, n)
        for number, row in enumerate(shop.customers):
            row["contract"] = None if number % 9 == 0 else f"c{number % 40}"
        shop.save_table()
        return shop

    before, after, customers = compared(regional(300), GROUPED, lambda: reordered(regional(500)))
    check_unseen(before, after, customers)
    asked = after.dataset.columns["contract"].take(np.array(customers))
    assert not named(asked) & named(before.dataset.columns["contract"].take(training_customers(before)))


def test_time_in_a_table(tmp_path: Path) -> None:
    def dated(n: int) -> Shop:
        shop = table_shop(tmp_path, n)
        for row in shop.customers:
            row["since"] = row["since"] or "2022-03-01"
        shop.save_table()
        return shop

    before, after, customers = compared(dated(300), TIMED, lambda: reordered(dated(500)))
    check_unseen(before, after, customers)
    then, now = (order_of(p.dataset, "since", "UTC") for p in (before, after))
    assert now[customers].min() > then[training_customers(before)].max()


def test_another_seed_leaves_only_those_that_both_held_out(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 400)
    before, after = prepare(shop.study(TABLE)), prepare(shop.study(TABLE, "split.seed=5"))
    mask = unseen(champion_of(before), after)
    assert 0 < mask.sum() < len(mask) / 2
    asked = ids(after, after.plan.examples.customers[after.plan.unseen[mask]])
    assert not asked & ids(before, training_customers(before))


def refused(before: Prepared, after: Prepared) -> str:
    with pytest.raises(ComparisonError) as caught:
        unseen(champion_of(before), after)
    return str(caught.value)


def test_another_id_is_refused(tmp_path: Path) -> None:
    before = prepare(table_shop(tmp_path, 100).study(TABLE))
    shop = table_shop(tmp_path, 100)
    for row in shop.customers:
        row["number"] = f"n{row['id']}"
    shop.save_table()
    assert refused(before, prepare(shop.study(TABLE.replace("id: id", "id: number")))) == (
        "both models must have the same id column, got 'id' in version 1 and 'number' in the study."
    )
    assert refused(before, prepare(shop.study(NAMELESS))) == (
        "both models must have the same id column, got 'id' in version 1 and none in the study."
    )


@pytest.mark.parametrize(("text", "column"), [(GROUPED, "contract"), (TIMED, "since"), (NAMELESS, "tenure")])
def test_a_column_that_dealt_the_rows_and_is_gone_is_refused(tmp_path: Path, text: str, column: str) -> None:
    shop = table_shop(tmp_path, 100)
    for row in shop.customers:
        row["since"] = row["since"] or "2022-03-01"
    shop.save_table()
    before = prepare(shop.study(text))
    gone = f"[id, {column}]" if text is NAMELESS else f"[{column}]"
    after = prepare(shop.study(TABLE if text is not NAMELESS else text, f"data.customers.exclude={gone}"))
    assert refused(before, after) == (
        f"the data must have the column {column!r} that identifies rows in version 1, got none: the file "
        "lacks it, or the study excludes it."
    )


def test_rows_without_a_time_are_refused(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 100)
    before_gaps = [row["since"] for row in shop.customers]
    for row in shop.customers:
        row["since"] = row["since"] or "2022-03-01"
    shop.save_table()
    before = prepare(shop.study(TIMED))
    for row, since in zip(shop.customers, before_gaps, strict=True):
        row["since"] = since
    shop.save_table()
    assert refused(before, prepare(shop.study(TABLE))).startswith(
        "version 1 is split by 'since': split.time 'since' must be a date or a number in every row, got"
    )
