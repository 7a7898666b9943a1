"""Customers and events, joined."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import DataError
from model.files.dataset import Dataset, load_dataset
from model.files.events import EventColumns
from model.times import parse_time
from tests.model.files.written import listed, write

CUSTOMERS = "id,plan,spent\n7,gold,1.5\n007,,2\nnew,iron,\n"
EVENTS = (
    "who,when,kind,amount,shop\n"
    "007,1997-03-02,buy,5,a\n"
    "x,1997-03-04,buy,6,\n"
    "7,1997-03-03,view,,b\n"
    "007,1997-03-01,buy,7,a\n"
)


def alike(n_ids: int) -> str:
    return (
        f"Of {n_ids} ids, 1 differs from another only in zeros at the start, such as '007' and '7'; "
        "each counts as a customer of its own. Spell ids alike in all files."
    )


def told(data: Dataset) -> tuple[str, ...]:
    """The notes but those on the spelling of ids."""
    return tuple(note for note in data.notes if "from another only" not in note)


def load(folder: Path, customers: str | None = None, events: str | None = None, **options: Any) -> Dataset:
    table = write(folder, customers or "", "customers.csv")
    log = write(folder, events or "", "events.csv")
    names = {field.name for field in fields(EventColumns)}
    if events:
        named = {name: options.pop(name) for name in names & options.keys()}
        options["event_columns"] = EventColumns(**{"id": "who", "time": "when", **named})
    return load_dataset(table if customers else None, log if events else None, **options)


def refusal(folder: Path, *args: str | None, **options: Any) -> str:
    with pytest.raises(DataError) as error:
        load(folder, *args, **options)
    return str(error.value)


def test_customers_and_events(tmp_path: Path) -> None:
    data = load(
        tmp_path,
        CUSTOMERS,
        EVENTS,
        customer_id="id",
        type="kind",
        values=["amount"],
        attributes=["shop"],
    )
    assert data.ids == ("7", "007", "new", "x")
    assert len(data) == 4
    assert {name: listed(column) for name, column in data.columns.items()} == {
        "id": ["7", "007", "new", None],
        "plan": ["gold", None, "iron", None],
        "spent": [1.5, 2.0, None, None],
    }
    assert data.log is not None
    assert data.log.offsets.tolist() == [0, 1, 3, 3, 4]
    assert data.log.times.tolist() == [parse_time(f"1997-03-0{day}") for day in (3, 1, 2, 4)]
    assert listed(data.log.values["amount"]) == [None, 7.0, 5.0, 6.0]
    assert {name: listed(column) for name, column in data.log.categories.items()} == {
        "kind": ["view", "buy", "buy", "buy"],
        "shop": ["b", "a", "a", None],
    }
    assert data.first_event == parse_time("1997-03-01")
    assert data.data_end == parse_time("1997-03-04")
    assert told(data) == (
        "added 1 customer from the events, whose columns are missing.",
        "found no event of 1 of 3 customers in the table.",
    )


def test_events_alone(tmp_path: Path) -> None:
    data = load(tmp_path, None, EVENTS)
    assert data.ids == ("007", "x", "7")
    assert data.columns == {}
    assert data.log is not None
    assert data.log.offsets.tolist() == [0, 2, 3, 4]
    assert (data.log.values, data.log.categories, data.notes) == ({}, {}, (alike(3),))


def test_customers_whose_events_were_all_left_out_are_nobody(tmp_path: Path) -> None:
    events = "who,when\n" + "a,1997-03-01\n" * 9 + "b,?\n"
    assert load(tmp_path, None, events).ids == ("a",)


def test_a_table_alone(tmp_path: Path) -> None:
    data = load(tmp_path, "plan,spent\ngold,1\ngold,1\n")
    assert data.ids == ("1", "2")
    assert {name: listed(column) for name, column in data.columns.items()} == {
        "plan": ["gold", "gold"],
        "spent": [1.0, 1.0],
    }
    assert (data.log, data.first_event, data.data_end, data.notes) == (None, None, None, ())


def test_a_table_alone_may_repeat_and_lack_ids(tmp_path: Path) -> None:
    data = load(tmp_path, "id,x\n007,1\n007,2\n,3\n", customer_id="id")
    assert data.ids == ("007", "007", "3")
    assert all(type(text) is str for text in data.ids)


def test_whole_number_ids_are_texts(tmp_path: Path) -> None:
    data = load(tmp_path, "id,x\n9007199254740993,1\n7,2\n", "who,when\n7,1997-03-01\n", customer_id="id")
    assert data.ids == ("9007199254740993", "7")


def test_table_columns_can_be_excluded_or_chosen(tmp_path: Path) -> None:
    assert list(load(tmp_path, CUSTOMERS, exclude=["plan"]).columns) == ["id", "spent"]
    assert list(load(tmp_path, CUSTOMERS, customer_id="id", only=["spent"]).columns) == ["id", "spent"]


def test_a_long_code_named_as_a_category_keeps_its_digits(tmp_path: Path) -> None:
    customers = "id,code,n\n1,9007199254740993,1\n2,9007199254740992,3.0\n3,3.0,\n4,,3\n"
    data = load(tmp_path, customers, customer_id="id", categorical=["code", "n"])
    assert {name: listed(column) for name, column in data.columns.items()} == {
        "id": ["1", "2", "3", "4"],
        "code": ["9007199254740993", "9007199254740992", "3", None],
        "n": ["1", "3", None, "3"],
    }


def test_customers_without_an_id_cannot_have_events(tmp_path: Path) -> None:
    data = load(tmp_path, "id,x,y\n,1,a\n7,2,b\n", EVENTS, customer_id="id")
    assert data.ids == ("7", "007", "x")
    assert listed(data.columns["x"]) == [2.0, None, None]
    assert listed(data.columns["y"]) == ["b", None, None]
    assert told(data) == (
        "left out 1 of 2 customers without 'id'.",
        "added 2 customers from the events, whose columns are missing.",
    )


def test_notes_of_both_files_are_kept(tmp_path: Path) -> None:
    data = load(tmp_path, "id,\n7,x\n", "who,when\n7,1997-03-01\n,1997-03-02\n", customer_id="id")
    assert told(data) == (
        "customers.csv: named 1 column without a name 'column 2'.",
        "left out 1 of 2 events without 'who' (row 3).",
    )


def test_repeated_ids(tmp_path: Path) -> None:
    customers = "id,x\n7,1\n8,1\n7,2\n8,2\n9,2\n"
    assert refusal(tmp_path, customers, EVENTS, customer_id="id") == (
        "'id' must name each customer once where there are events, got 2 ids in several rows, "
        "such as '7', '8'. Keep one row of each."
    )


def test_ids_that_never_meet(tmp_path: Path) -> None:
    assert refusal(tmp_path, "id,x\n08,1\n09,1\n", EVENTS, customer_id="id") == (
        "the customers and the events must have ids in common, got none: customers such as "
        "'08', '09', events of '007', 'x', '7'. Ids are compared as exact texts. " + alike(5)
    )


def test_names_that_are_needed(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "a data set needs customers or events, got neither"
    needed = "events need the names of their id and time columns, and customers beside them an id"
    assert refusal(tmp_path, CUSTOMERS, EVENTS) == needed
    with pytest.raises(DataError, match="names of their id and time columns"):
        load_dataset(None, write(tmp_path, EVENTS, "events.csv"))


def test_the_join_is_that_of_a_dictionary(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    owners = draw.integers(0, 60, 500)
    seconds = draw.integers(0, 10**6, 500)
    customers = "id,n\n" + "".join(f"c{n},{n}\n" for n in draw.permutation(40))
    events = "who,when,amount\n" + "".join(
        f"c{o},{s},{i}\n" for i, (o, s) in enumerate(zip(owners, seconds, strict=True))
    )
    data = load(tmp_path, customers, events, customer_id="id", time_format="unix", values=["amount"])
    assert data.log is not None
    amounts = np.split(data.log.values["amount"], data.log.offsets[1:-1])
    assert len(data) == 60
    for name, theirs in zip(data.ids, amounts, strict=True):
        mine = np.flatnonzero(owners == int(name[1:]))
        assert theirs.tolist() == mine[np.argsort(seconds[mine], kind="stable")].tolist()
