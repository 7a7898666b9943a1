"""`eligible` in a response, as `propense score` and `/score` have it."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.main import create_app
from app.settings import Settings
from model.predictor import load_predictor
from model.schema import DateColumn, EventCategory, EventSchema, HistoryFeature, NumericColumn, Schema
from model.scoring.as_of import AsOf
from model.scoring.score_file import score_file
from model.store.registry import Registry
from model.task import ContractTask, Eligible, LogTask, Task
from model.times import parse_time
from tests.app.client import Client, running
from tests.app.files.forms import NDJSON, post
from tests.app.toys import AS_OF, publish, scaling

EVENTS: Final = EventSchema(
    id="id",
    time="when",
    time_format=None,
    type=EventCategory(name="kind", vocabulary=("visit", "cancel", "return")),
    values=(),
    attributes=(),
    features=(HistoryFeature(name="recency_days", scaling=scaling()),),
    max_events=8,
)
AGE: Final = NumericColumn(name="age", scaling=scaling())
JOINED: Final = DateColumn(name="joined", time_format="%d.%m.%Y", scaling=scaling())
ZONE: Final = "Europe/Berlin"
MODELS: Final[dict[str, tuple[Schema, Task]]] = {
    "cancel": (
        Schema(id="id", columns=(AGE,), events=EVENTS),
        LogTask(
            event="cancel",
            outcome="occurs",
            terminal=True,
            horizons_days=(30,),
            eligible_within_days=60,
            reactivates_within_days=3,
            returns=("return",),
            eligible=Eligible(min_events=2, min_history_days=5, max_history_days=90),
        ),
    ),
    "contract": (
        Schema(id="id", time_zone=ZONE, columns=(AGE,)),
        ContractTask(
            ends="left",
            starts="joined",
            starts_format="%d.%m.%Y",
            horizons_days=(30,),
            eligible=Eligible(min_history_days=7),
        ),
    ),
    "contract-log": (
        Schema(id="id", time_zone=ZONE, columns=(JOINED, AGE), events=EVENTS),
        ContractTask(
            ends="left",
            starts="joined",
            starts_format="%d.%m.%Y",
            horizons_days=(30, 60),
            reactivates_within_days=4,
        ),
    ),
}
DAYS: Final = [f"1997-{month}-{day:02}" for month in ("10", "11", "12") for day in range(1, 32, 3)]
DATES: Final = st.none() | st.sampled_from([*(d for d in DAYS if d != "1997-11-31"), "1998-02-01", AS_OF])
TIMES: Final = st.builds(lambda day, clock: day and day + clock, DATES, st.sampled_from(["", "T08:30:00"]))
EVENT: Final = st.fixed_dictionaries(
    {"when": TIMES.filter(bool), "kind": st.sampled_from(["visit", "cancel", "return", "other"])}
)
CUSTOMER: Final = st.fixed_dictionaries(
    {"joined": DATES, "left": TIMES, "events": st.lists(EVENT, max_size=4)}, optional={"age": st.just(3)}
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("registry")
    for name, (schema, task) in MODELS.items():
        publish(root, name, schema, task)
    return root


@pytest.fixture(scope="module")
def asked(root: Path) -> Iterator[Client]:
    with running(create_app(Settings(registry=root, watch_seconds=0))) as client:
        yield client.wait_until_loaded()


def predictions(client: Client, name: str, customers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    response = client.predict(name, {"as_of": AS_OF, "customers": customers})
    assert response.status_code == 200, response.text
    answered: list[dict[str, Any]] = response.json()["predictions"]
    return answered


def known(name: str, customers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The fields that a model may be sent."""
    schema, task = MODELS[name]
    names = {*schema.column_names, *task.dates, *(["events"] if schema.events else [])}
    return [{"id": f"c{n}"} | {k: v for k, v in row.items() if k in names} for n, row in enumerate(customers)]


def written(folder: Path, rows: list[dict[str, Any]]) -> tuple[Path, Path]:
    """A file of customers and one of events, as files of training are spelt."""
    tables: dict[str, list[dict[str, Any]]] = {"customers": [], "events": []}
    for row in rows:
        day = row.get("joined")
        spelt = {"joined": day and ".".join(reversed(day.split("-"))), "left": row.get("left"), "age": 1}
        tables["customers"].append({"id": row["id"], **spelt})
        tables["events"] += [{"id": row["id"], **event} for event in row.get("events", [])]
    heads = {"customers": ["id", "joined", "left", "age"], "events": ["id", "when", "kind"]}
    paths = {name: folder / f"{name}.csv" for name in tables}
    for name, path in paths.items():
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, heads[name])
            writer.writeheader()
            writer.writerows(tables[name])
    return paths["customers"], paths["events"]


@pytest.mark.parametrize("name", MODELS)
@given(customers=st.lists(CUSTOMER, min_size=1, max_size=6))
def test_a_response_and_both_ways_of_scoring_a_file_agree_on_who_is_eligible(
    name: str,
    asked: Client,
    root: Path,
    tmp_path_factory: pytest.TempPathFactory,
    customers: list[dict[str, Any]],
) -> None:
    rows, folder = known(name, customers), tmp_path_factory.mktemp("scored")
    given = [one.get("not_eligible_because") for one in predictions(asked, name, rows)]
    sent = post(asked, "\n".join(map(json.dumps, rows)), NDJSON, name)
    scored = list(map(json.loads, sent.text.splitlines()))
    assert [one["not_eligible_because"] for one in scored] == given
    assert [one["eligible"] for one in scored] == [why is None for why in given]
    people, events = written(folder, rows)
    has_log = bool(MODELS[name][0].events) and any(row["events"] for row in rows)
    if MODELS[name][0].events and not has_log:
        return  # a log without events is refused
    score_file(
        load_predictor(Registry(root).folder(name, 1)),
        folder / "out.csv",
        customers=people,
        events=events if has_log else None,
        as_of=AsOf(parse_time(AS_OF, zone=MODELS[name][0].time_zone), "the test"),
    )
    with (folder / "out.csv").open(newline="") as file:
        assert [row["not_eligible_because"] or None for row in csv.DictReader(file)] == given


def test_who_has_left_keeps_a_probability_and_the_reason_is_given(asked: Client) -> None:
    visits = [{"when": "1997-11-01", "kind": "visit"}, {"when": "1997-12-01", "kind": "visit"}]
    stays, left, new = predictions(
        asked,
        "cancel",
        [{"events": visits}, {"events": [*visits, {"when": "1997-12-10", "kind": "cancel"}]}, {"events": []}],
    )
    assert (stays["eligible"], left["eligible"], new["eligible"]) == (True, False, False)
    assert "not_eligible_because" not in stays
    assert (left["not_eligible_because"], new["not_eligible_because"]) == ("has left", "not yet a customer")
    assert 0 < left["probability"] < 1


def test_a_date_of_a_contract_is_a_field_though_the_model_reads_no_such_column(asked: Client) -> None:
    by_row = predictions(
        asked, "contract", [{"joined": "1997-01-01"}, {"joined": "1997-01-01", "left": AS_OF}]
    )
    assert [one["eligible"] for one in by_row] == [True, False]
    body = {"as_of": AS_OF, "columns": {"joined": ["1997-01-01"] * 2, "left": [None, "1997-12-01"]}}
    by_column = asked.predict("contract", body).json()["predictions"]
    assert [one["eligible"] for one in by_column] == [True, False]
    refused = asked.predict("contract", {"customers": [{"left": "soon"}]})
    assert refused.status_code == 422
    assert "left" in refused.json()["detail"]


def test_a_model_of_a_column_says_nothing(client: Client) -> None:
    (one,) = client.predict("churn", {"customers": [{}]}).json()["predictions"]
    assert "eligible" not in one
