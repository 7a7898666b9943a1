"""A time without an offset is one of the study's zone in files and in requests alike."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from app.main import create_app
from app.settings import Settings
from model.features.encode import encode
from model.files.dataset import Dataset, load_dataset
from model.files.events import EventColumns
from model.predictor import Predictor, load_predictor
from model.schema import Schema
from model.scoring.as_of import today
from model.task import LogTask
from model.times import format_instant, parse_time
from model.values.customers import Examples
from model.values.rows import customers_from_rows
from tests.app.client import Client, running
from tests.app.toys import publish
from tests.training.cli.commands import runner
from tests.training.shops import Row, write_csv
from training.schema.fit_schema import ModelFields, fit_schema
from training.study.sections import EventsSource

ZONE: Final = "Europe/Berlin"
AS_OF: Final = "2021-11-15"
FORMAT: Final = "%d.%m.%Y"
SAME: Final = 1e-6  # float32, in batches of other sizes
TASK: Final = LogTask(outcome="occurs", horizons_days=(30, 90))
FIELDS: Final = ModelFields(
    id="id",
    kinds={"since": "date"},
    date_formats={"since": FORMAT},
    time_zone=ZONE,
    events=EventsSource(path="-", id="who", time="when", values=("amount",)),
    max_events=8,
)

Spelling = Callable[[str], str]
SPELLINGS: Final[dict[str, Spelling]] = {
    "without an offset": lambda text: text,
    "with the zone's": lambda text: _aware(text).isoformat(),
    "in UTC": lambda text: _aware(text).astimezone(ZoneInfo("UTC")).isoformat(),
    "in New York's": lambda text: _aware(text).astimezone(ZoneInfo("America/New_York")).isoformat(),
}


def _aware(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


@dataclass(frozen=True)
class Asked:
    """Customers in files and as rows of requests, and a model with random weights that reads both."""

    folder: Path
    rows: list[Row]
    dataset: Dataset
    predictor: Predictor

    @property
    def schema(self) -> Schema:
        return self.predictor.manifest.schema_

    @property
    def examples(self) -> Examples:
        return asked_at(self.dataset, AS_OF, ZONE)

    def spelt(self, spelling: Spelling) -> list[Row]:
        """The rows with their times in another spelling."""
        return [
            {
                **row,
                "since": spelling(row["since"]),
                "events": [{**event, "when": spelling(event["when"])} for event in row["events"]],
            }
            for row in self.rows
        ]


def asked_at(dataset: Dataset, day: str, zone: str) -> Examples:
    return Examples(np.arange(len(dataset)), np.full(len(dataset), parse_time(day, zone=zone)))


def made_up_customers() -> list[Row]:
    """Events at every hour of the days on which Berlin's clocks change, and in between."""
    draw = np.random.default_rng(0)
    days = [datetime(2021, 3, 28), datetime(2021, 10, 31), datetime(2021, 7, 1)]  # noqa: DTZ001 - Berlin's
    rows: list[Row] = []
    for number in range(40):
        times = [days[draw.integers(3)] + timedelta(minutes=int(draw.integers(0, 1440))) for _ in range(9)]
        events = [{"when": t.isoformat(), "amount": float(draw.integers(1, 9))} for t in times]
        since = (days[0] + timedelta(days=int(draw.integers(-300, 200)))).date().isoformat()
        rows.append({"id": f"c{number}", "since": since, "events": events})
    return rows


def read(folder: Path, time_zone: str) -> Dataset:
    return load_dataset(
        folder / "customers.csv",
        folder / "events.csv",
        customer_id="id",
        event_columns=EventColumns("who", "when", values=["amount"]),
        time_zone=time_zone,
    )


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    folder, rows = tmp_path_factory.mktemp("berlin"), made_up_customers()
    write_csv(folder / "customers.csv", [{"id": row["id"], "since": row["since"]} for row in rows])
    write_csv(folder / "events.csv", [{"who": row["id"], **event} for row in rows for event in row["events"]])
    dataset = read(folder, ZONE)
    examples = asked_at(dataset, AS_OF, ZONE)
    schema = fit_schema(FIELDS, dataset.columns, dataset.log, examples, lookback_days=365)
    publish(folder / "registry", "berlin", schema, TASK)
    return Asked(folder, rows, dataset, load_predictor(folder / "registry" / "berlin" / "1"))


@pytest.fixture(scope="module")
def client(asked: Asked) -> Iterator[Client]:
    with running(create_app(Settings(registry=asked.folder / "registry"))) as client:
        yield client.wait_until_loaded()


def features(schema: Schema, columns: Any, log: Any, examples: Examples) -> np.ndarray:
    return encode(schema, columns, log, examples, lookback_days=365, with_steps=True).numeric


def test_the_files_hold_the_instants_of_the_zone(asked: Asked) -> None:
    assert asked.schema.time_zone == ZONE
    assert asked.dataset.log
    wanted = sorted(
        parse_time(_aware(event["when"]).isoformat()) for row in asked.rows for event in row["events"]
    )
    assert sorted(asked.dataset.log.times.tolist()) == wanted


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_features_of_files_and_of_requests_are_equal(asked: Asked, spelling: Spelling) -> None:
    as_of = parse_time(spelling(AS_OF), zone=ZONE)
    customers = customers_from_rows(asked.spelt(spelling), asked.schema, as_of)
    of_requests = features(asked.schema, customers.columns, customers.log, customers.examples())
    of_files = features(asked.schema, asked.dataset.columns, asked.dataset.log, asked.examples)
    np.testing.assert_array_equal(of_requests, of_files)


def test_the_zone_is_seen_in_the_features(asked: Asked) -> None:
    """Else the test above would compare nothing."""
    utc = read(asked.folder, "UTC")
    schema = asked.schema.model_copy(update={"time_zone": "UTC"})
    in_utc = features(schema, utc.columns, utc.log, asked_at(utc, AS_OF, "UTC"))
    in_zone = features(asked.schema, asked.dataset.columns, asked.dataset.log, asked.examples)
    assert np.abs(in_utc - in_zone).max() > 1e-3


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_the_service_answers_with_the_probabilities_of_the_files(
    asked: Asked, client: Client, spelling: Spelling
) -> None:
    of_files = asked.predictor.scorer.score(asked.dataset.columns, asked.dataset.log, asked.examples)
    assert np.ptp(of_files[:, -1]) > 0.01
    body = {"as_of": spelling(AS_OF), "customers": asked.spelt(spelling)}
    answer = client.predict("berlin", body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["as_of"] == AS_OF  # midnight of Berlin, however it was spelt
    predictions = answer.json()["predictions"]
    assert [one["probability"] for one in predictions] == pytest.approx(of_files[:, -1], abs=SAME)


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_so_does_batch_scoring(
    asked: Asked,
    spelling: Spelling,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = ("--customers", asked.folder / "customers.csv", "--events", asked.folder / "events.csv")
    place = ("--registry", asked.folder / "registry", "--out", tmp_path / "out.csv", "--json")
    run = runner(monkeypatch, capsys)
    ran = run("score", "berlin", "--as-of", spelling(AS_OF), *files, *place)
    assert ran.status == 0, ran.err
    assert ran.told["as_of"] == AS_OF
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        scored = {row["customer_id"]: float(row["probability"]) for row in csv.DictReader(file)}
    of_files = asked.predictor.scorer.score(asked.dataset.columns, asked.dataset.log, asked.examples)
    assert [scored[id_] for id_ in asked.dataset.ids] == pytest.approx(of_files[:, -1], abs=SAME)


def test_today_begins_at_midnight_of_the_zone() -> None:
    """What a table is asked at."""
    for zone in ("Pacific/Apia", "America/Havana"):
        day = datetime.now(ZoneInfo(zone)).date()
        told = format_instant(today(zone).instant, zone)
        assert told in {day.isoformat(), datetime.now(ZoneInfo(zone)).date().isoformat()}


def test_the_answer_tells_an_instant_that_reads_back_as_itself(asked: Asked, client: Client) -> None:
    for as_of in ("2021-11-15T00:00:00Z", "2021-10-31T02:30:00+01:00", "2021-06-01T08:00"):
        told = client.predict("berlin", {"as_of": as_of, "customers": asked.rows[:1]}).json()["as_of"]
        assert parse_time(told, zone=ZONE) == parse_time(as_of, zone=ZONE)
        assert told == format_instant(parse_time(as_of, zone=ZONE), ZONE)


def test_the_document_names_the_zone_and_its_example_works(client: Client) -> None:
    document = client.get("/openapi.json").json()
    event = document["components"]["schemas"]["BerlinEvent"]["properties"]["when"]
    assert event["description"] == (
        "a time in ISO 8601 such as 1997-03-01; without an offset it is a time of Europe/Berlin"
    )
    body = document["paths"]["/v1/models/berlin/predict"]["post"]["requestBody"]
    example = body["content"]["application/json"]["example"]
    assert client.predict("berlin", example).status_code == 200
