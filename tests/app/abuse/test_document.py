"""The API document, taken at its word: what fits it is answered as it says, what does not is refused."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from schemathesis import Config, openapi
from schemathesis.core.result import Ok
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from tests.app.abuse.conftest import Target

REJECTED: Final = ["400", "404", "405", "413", "415", "422"]
# Whether a body fits one of these is for the version or the file to say, not for the document.
UNTOLD: Final = (
    "/v1/models/{name}/versions/{version}/predict",
    "/v1/models/{name}/score",
    "/v1/models/{name}/versions/{version}/score",
)


@dataclass
class Run:
    """What schemathesis has sent, by operation, and what it did not like."""

    sent: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def take(self, event: events.EngineEvent) -> None:
        """Note an event of its engine."""
        if isinstance(event, events.ScenarioFinished):
            self.sent[event.recorder.label] += len(event.recorder.interactions)
            self.faults += faults_of(event.recorder)
        elif isinstance(event, events.NonFatalError):
            self.faults.append(f"{event.label}: {event.value}")
        elif isinstance(event, events.FatalError):
            self.faults.append(str(event.exception))


def faults_of(recorder: ScenarioRecorder) -> Iterator[str]:
    for case, checks in recorder.checks.items():
        for check in checks:
            # the filter of bodies does not act on those at the ends of their ranges
            uneven = not columns_are_even(None, recorder.cases[case].value.body)
            if uneven and check.name == "positive_data_acceptance":
                continue
            if check.status == Status.FAILURE and check.failure_info:
                told = check.failure_info
                yield f"{check.name} of {recorder.label}: {told.failure.message}\n{told.code_sample:.3000}"


def columns_are_even(_: Any, body: Any) -> bool:
    """That all have one length is beyond JSON Schema; uneven ones are told in words."""
    columns = body.get("columns") if isinstance(body, dict) else None
    listed = columns.values() if isinstance(columns, dict) else ()
    return len({len(column) for column in listed if isinstance(column, list)}) < 2


def run(port: int, seed: int | None, n_examples: int, n_walks: int) -> Run:
    """Every check of schemathesis, in all its phases."""
    config = Config.from_dict(
        {
            **({} if seed is None else {"seed": seed}),
            "generation": {"max-examples": n_examples, "database": "none"},
            "phases": {"stateful": {"generation": {"max-examples": n_walks}}},
            "checks": {"negative_data_rejection": {"expected-statuses": REJECTED}},
            "operations": [
                {"include-path": path, "checks": {"positive_data_acceptance": {"enabled": False}}}
                for path in UNTOLD
            ],
        }
    )
    schema = openapi.from_url(f"http://127.0.0.1:{port}/openapi.json", config=config)
    schema.hook("filter_body")(columns_are_even)
    told = Run()
    for event in from_schema(schema).execute():
        told.take(event)
    return told


def operations(port: int) -> set[str]:
    schema = openapi.from_url(f"http://127.0.0.1:{port}/openapi.json")
    return {found.ok().label for found in schema.get_all_operations() if isinstance(found, Ok)}


def test_the_service_does_what_its_document_says(target: Target) -> None:
    told = run(target.port, seed=0, n_examples=6, n_walks=1)
    assert told.faults == []
    assert operations(target.port) <= told.sent.keys()
    for name in ("churn", "purchase"):
        assert told.sent[f"POST /v1/models/{name}/predict"] > 50


@pytest.mark.heavy
def test_the_service_does_what_its_document_says_ten_thousand_times(target: Target) -> None:
    told = run(target.port, seed=None, n_examples=1_500, n_walks=400)
    assert told.sent.total() >= 10_000
    assert told.faults == []
