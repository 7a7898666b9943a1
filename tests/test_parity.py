"""A customer's probability is the same in training, batch scoring, the Predictor and the service."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from app.main import create_app
from app.settings import Settings
from model.predictor import Predictor, load_predictor
from model.probability import Probabilities
from model.store.registry import Registry
from model.times import format_instant, parse_time
from model.values.rows import customers_from_rows
from tests.app.client import Client, running
from tests.training.cli.commands import runner
from tests.training.shops import LOG, TABLE, WIDE, Row, Shop, log_shop, table_shop, write_csv
from training.baselines.compare import Baselines
from training.measure.measuring import MODEL, measure_horizons
from training.prepare import Prepared, prepare
from training.publish.publish import train
from training.question.labels import Labels
from training.study.study import Study

# The tolerance is that of float32: a batch of another size may add in another order.
SAME: Final = 1e-6

LIFE: Final = LOG.replace("  lookback_days: 90\n", "")
ABSENT: Final = (
    LIFE.replace("  customers: {path: customers.csv, id: id}\n", "")
    .replace("time: when,", "time: when, time_format: unix,")
    .replace("  event: buy\n  outcome: occurs\n", "  outcome: absent\n  gap_days: 2\n")
)
BERLIN: Final = LIFE.replace("data:\n", "data:\n  time_zone: Europe/Berlin\n")  # its clocks change in March
# Each head, and each kind of data; `tests/model/test_predictor.py` has all pairs of them.
CASES: Final = {
    "table-linear": TABLE,
    "table-mlp": TABLE,
    "table-cnn": TABLE,  # columns as tokens
    "wide-mlp": WIDE,
    "wide-rnn": WIDE,
    "log-linear": LOG,
    "log-cnn": LOG,
    "log-rnn": LOG,
    "unix-mlp": ABSENT,  # a log alone, its times in seconds, and the outcome that nothing happens
    "berlin-mlp": BERLIN,
    "berlin-rnn": BERLIN,
}


@dataclass(frozen=True)
class Evaluation:
    """The test customers of one training run, and what the run itself gave them.

    Attributes:
        rows: N customers, as a request has them.
        probabilities: (N, K).
        as_of: when they were asked about.
    """

    rows: list[Row]
    probabilities: Probabilities
    as_of: str
    predictor: Predictor

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.rows]


def unix_shop(folder: Path) -> Shop:
    """A log alone, its times in seconds since 1970; requests say them in ISO 8601 all the same."""
    shop = log_shop(folder)
    rows: list[Row] = []
    for customer in [row for row in shop.customers if row["events"]]:
        for event in customer["events"]:
            seconds = datetime.fromisoformat(event["when"]).replace(tzinfo=UTC).timestamp()
            rows.append({"who": customer["id"], **event, "when": seconds})
    write_csv(folder / "events.csv", rows)
    (folder / "customers.csv").unlink()
    return shop


def evaluate(shop: Shop, text: str, name: str, registry: Registry) -> Evaluation:
    """Train, and listen in on the evaluation."""
    heard: dict[str, Any] = {}

    def listened_to_prepare(study: Study, **more: Any) -> Prepared:
        heard["prepared"] = prepare(study, **more)
        return heard["prepared"]  # type: ignore[no-any-return]

    def listened_to_measured(
        names: Any, labels: Labels, answers: dict[str, Probabilities], rates: Any, groups: Any
    ) -> Any:
        heard["probabilities"] = answers[MODEL]
        return measure_horizons(names, labels, answers, rates, groups)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("training.publish.publish.prepare", listened_to_prepare)
        patched.setattr("training.run.run.baseline_probabilities", lambda *_, **__: Baselines({}))
        patched.setattr("training.audit.audit.findings_of", lambda _: ([], []))
        patched.setattr("training.run.run.measure_horizons", listened_to_measured)
        head = f"network.head={name.partition('-')[2]}"
        asked = (f"name={name}", head, "fit.refit=false")
        trained = train(shop.study(text, *asked), registry)
    plan, ids = heard["prepared"].plan, heard["prepared"].dataset.ids
    asked = plan.examples.take(plan.unseen)  # the others have answers out of fold
    (as_of,) = set(asked.cutoffs.tolist())
    rows = {row["id"]: row for row in shop.customers}
    return Evaluation(
        [rows[ids[customer]] for customer in asked.customers],
        heard["probabilities"][plan.test_fold < 0],
        format_instant(as_of),
        load_predictor(trained.folder),
    )


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def evaluations(
    registry: Path,
    tmp_path_factory: pytest.TempPathFactory,
    real_steps: int,  # noqa: ARG001
) -> dict[str, Evaluation]:
    """One training run for each case, all in one registry."""
    makers = {"table": table_shop, "wide": table_shop, "log": log_shop, "unix": unix_shop, "berlin": log_shop}
    shops = {kind: make(tmp_path_factory.mktemp(kind)) for kind, make in makers.items()}
    return {
        name: evaluate(shops[name.partition("-")[0]], text, name, Registry(registry))
        for name, text in CASES.items()
    }


@pytest.fixture(scope="module")
def client(registry: Path, evaluations: dict[str, Evaluation]) -> Iterator[Client]:
    """The service over all of them."""
    assert evaluations
    with running(create_app(Settings(registry=registry))) as client:
        yield client.wait_until_loaded()


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, evaluations: dict[str, Evaluation]) -> tuple[str, Evaluation]:
    return request.param, evaluations[request.param]


Case = tuple[str, Evaluation]


def request_rows(evaluation: Evaluation) -> list[Row]:
    """The rows with the fields that the model knows."""
    schema = evaluation.predictor.manifest.schema_
    known = {schema.id or (schema.events.id if schema.events else "id"), *schema.column_names, "events"}
    rows = [{"who": row["id"], **row} for row in evaluation.rows]
    return [{name: value for name, value in row.items() if name in known} for row in rows]


def test_there_is_something_to_compare(case: Case) -> None:
    """Customers differ, cells are missing, and histories go on after the question."""
    name, evaluation = case
    assert len(evaluation.rows) >= 10
    assert np.ptp(evaluation.probabilities[:, -1]) > 0.05
    if name.startswith(("table", "wide")):
        assert any(None in row.values() for row in evaluation.rows)
    else:
        events = [event for row in evaluation.rows for event in row["events"]]
        assert any(None in event.values() for event in events)
        assert any(parse_time(event["when"]) > parse_time(evaluation.as_of) for event in events)


def test_batch_scores_are_those_of_the_evaluation(
    case: Case,
    registry: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, evaluation = case
    run, out = runner(monkeypatch, capsys), tmp_path / "out.csv"
    ran = run("score", name, "--out", out, "--as-of", evaluation.as_of, "--registry", registry)
    assert (ran.status, ran.err) == (0, "")
    horizons = evaluation.predictor.manifest.task.output_names
    columns = [f"probability_{horizon}d" for horizon in horizons] or ["probability"]
    with out.open(encoding="utf-8", newline="") as file:
        scores = {row["customer_id"]: [float(row[c]) for c in columns] for row in csv.DictReader(file)}
    scored = np.array([scores[id_] for id_ in evaluation.ids])
    assert scored == pytest.approx(evaluation.probabilities, abs=SAME)


def test_the_predictor_gives_rows_the_probabilities_of_the_evaluation(case: Case) -> None:
    _, evaluation = case
    schema, as_of = evaluation.predictor.manifest.schema_, parse_time(evaluation.as_of)
    together = evaluation.predictor.predict(customers_from_rows(evaluation.rows, schema, as_of)).probabilities
    assert together == pytest.approx(evaluation.probabilities, abs=SAME)
    for row, wanted in list(zip(evaluation.rows, evaluation.probabilities, strict=True))[:6]:
        (alone,) = evaluation.predictor.predict(customers_from_rows([row], schema, as_of)).probabilities
        assert alone == pytest.approx(wanted, abs=SAME)


def test_the_service_answers_with_the_probabilities_of_the_evaluation(case: Case, client: Client) -> None:
    name, evaluation = case
    body = {"as_of": evaluation.as_of, "customers": request_rows(evaluation)}
    answer = client.predict(name, body)
    assert answer.status_code == 200, answer.text
    predictions = answer.json()["predictions"]
    assert [one["customer_id"] for one in predictions] == evaluation.ids
    assert [one["probability"] for one in predictions] == pytest.approx(
        evaluation.probabilities[:, -1], abs=SAME
    )
    for k, horizon in enumerate(evaluation.predictor.manifest.task.output_names):
        assert [one["horizons"][horizon] for one in predictions] == pytest.approx(
            evaluation.probabilities[:, k], abs=SAME
        )
