"""The table of columns: what was read of each, and what was not."""

from collections.abc import Sequence

import numpy as np

from model.files.dates import date_formats
from model.files.table import RawTable
from model.values.columns import Column, column_of
from model.values.history import EventLog
from training.schema.column_facts import ColumnFacts, event_facts, table_facts
from training.schema.kinds import infer_kinds


def facts(values: Sequence[object], name: str = "x", use: str | None = None) -> ColumnFacts:
    columns: dict[str, Column] = {name: column_of(values)}
    dates, uses = date_formats(columns), {name: use} if use else {}
    kinds = infer_kinds(RawTable(columns, len(values), ()), dates=dates, skip=uses)
    (told,) = table_facts(columns, kinds, uses, dates, "UTC")
    return told


def test_numbers() -> None:
    plain = facts([1.5, None, 2500, 7])
    assert plain == ColumnFacts("x", "numeric", "", 0.25, "1.5 to 2,500", "1.5")
    assert facts(["1,5 €", "2,5 €"]) == ColumnFacts(
        "x", "numeric", "decimal comma, €", 0.0, "1.5 to 2.5", "1,5 €"
    )
    spelt = facts(["$1,000.50", "$2"] * 50 + ["?", ""])
    assert (spelt.read_as, spelt.values, spelt.example) == ("$", "2 to 1,000.5", "$1,000.50")
    assert (spelt.unread, spelt.unread_example) == (1, "?")


def test_dates_and_booleans() -> None:
    dates = facts(["13/05/2024", "01/06/2024"] * 10 + ["never"])
    assert (dates.kind, dates.read_as, dates.values) == ("date", "%d/%m/%Y", "2024-05-13 to 2024-06-01")
    assert (dates.unread, dates.unread_example, dates.missing_share) == (1, "never", 0.0)
    assert facts(["yes", "no", "no", "no"]).values == "yes in 25.0%"
    assert facts(["2024-01-01", "", "2024-02-01"], use="end").values == "2024-01-01 to 2024-02-01"


def test_a_text_that_few_have_is_not_shown() -> None:
    plans = facts(["basic"] * 6 + ["plus"] * 5 + ["of one alone"])
    assert (plans.values, plans.example) == ("3 distinct: basic, plus", "")
    ids = facts([f"c{n}" for n in range(60)])
    assert (ids.kind, ids.values, ids.example) == ("left out", "", "")
    assert ids.left_out == "it looks like an id: 60 distinct texts in 60 rows"
    assert facts(["a", "b"], use="id").values == "2 distinct"


def test_the_fields_of_events() -> None:
    log = EventLog.build(
        np.zeros(6, dtype=np.int64),
        np.arange(6),
        n_customers=1,
        values={"amount": column_of([1, 2, None, 4, 5, 6])},  # type: ignore[dict-item]
        categories={"shop": column_of(["north"] * 6)},  # type: ignore[dict-item]
    )
    amount, shop = event_facts(log, {"amount": ".$"})
    assert (amount.kind, amount.values, amount.missing_share) == ("event value", "1 to 6", 1 / 6)
    assert (shop.kind, shop.values) == ("event category", "1 distinct")  # of one customer
