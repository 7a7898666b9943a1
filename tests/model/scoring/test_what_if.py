"""The smallest change of changeable fields that crosses a threshold."""

from dataclasses import replace

import numpy as np
import pytest

from model.scoring.as_of import today
from model.scoring.one_customer import OneCustomer
from model.scoring.what_if import WhatIf, what_if
from model.values.rows import rows_from_json
from tests.training.shops import Published


def ask(
    model: Published, threshold: float, *changeable: str, id_: str = "0007"
) -> tuple[float, WhatIf | None]:
    manifest = model.predictor.manifest.model_copy(update={"changeable": changeable})
    folder, predictor = model.shop.folder, replace(model.predictor, manifest=manifest)
    events = folder / "events.csv" if manifest.schema_.events else None
    one = OneCustomer.find(predictor, id_, folder / "customers.csv", events, None)
    return one.explain().probability, what_if(predictor, one.customer, threshold)


def test_one_field_is_enough_where_it_is(table_model: Published) -> None:
    p, found = ask(table_model, 0.0, "contract", "bill_3")
    assert found is None
    p, found = ask(table_model, p + 1e-9, "contract", "bill_3")  # anything that raises it a little
    assert found
    assert len(found.steps) == 1
    assert found.probability > p


def test_the_change_gives_that_probability(table_model: Published) -> None:
    p, found = ask(table_model, 0.5, "tenure", "contract", "senior", "bill_3")
    assert found
    assert (p >= 0.5) != (found.probability >= 0.5)
    columns = {
        **dict(next(row for row in table_model.shop.customers if row["id"] == "0007")),
        **{step.field: step.cell for step in found.steps},
    }
    del columns["id"]

    schema = table_model.predictor.manifest.schema_
    rows = rows_from_json([columns], schema, today("UTC").instant)
    again = table_model.predictor.predict_rows(rows).probabilities[0, -1]
    assert again == pytest.approx(found.probability, abs=1e-6)


def test_two_fields_where_one_is_not_enough(table_model: Published) -> None:
    fields = ("tenure", "bill_3", "contract")
    reached = []
    for threshold in np.linspace(0.05, 0.95, 19):
        found = ask(table_model, float(threshold), *fields)[1]
        reached.append(0 if found is None else len(found.steps))
    assert {1, 2} <= set(reached)


def test_the_history_stays_where_a_column_changes(log_model: Published) -> None:
    p, found = ask(log_model, 1.0, "plan")
    assert found is None
    up, down = (ask(log_model, p + sign * 1e-9, "plan")[1] for sign in (1, -1))
    assert up or down
