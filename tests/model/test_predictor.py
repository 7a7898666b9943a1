"""A checkpoint is loaded as the network that was written, or refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import CheckpointError, DeviceError
from model.predictor import load_predictor
from model.probability import Probabilities
from model.schema import CategoricalColumn, Schema
from model.scorer import Scorer
from model.store.checkpoint import write_checkpoint
from model.store.golden import synthetic_rows
from model.store.manifest import Golden, HeadName, Manifest
from model.times import days, format_instant
from tests.model.networks import (
    AS_OF,
    HEADS,
    REPEATED,
    SCHEMAS,
    customers_of,
    random_scorer,
    random_weights,
    some_rows,
    spec,
)
from tests.model.stored import refusal

PAIRS = [(head, kind) for head in HEADS for kind in SCHEMAS]
every_head = pytest.mark.parametrize(("head", "kind"), PAIRS, ids=["-".join(pair) for pair in PAIRS])


def scores(scorer: Scorer, rows: list[dict[str, Any]]) -> Probabilities:
    customers = customers_of(scorer.schema, rows)
    return scorer.score(customers.columns, customers.log, customers.examples())


def golden_of(scorer: Scorer) -> Golden:
    rows = synthetic_rows(scorer.schema, AS_OF)
    answers = scores(scorer, list(rows)).tolist()
    return Golden(
        as_of=format_instant(AS_OF), customers=rows, probabilities=tuple(tuple(answer) for answer in answers)
    )


def written(folder: Path, scorer: Scorer, **changes: Any) -> Path:
    """A checkpoint of a scorer; `changes` replace whole fields of its manifest."""
    fields: dict[str, Any] = {
        "task": scorer.task,
        "schema": scorer.schema,
        "network": scorer.spec,
        "calibration": scorer.calibration,
        "golden": golden_of(scorer),
    }
    manifest = Manifest(
        name="churn",
        version=1,
        created="1998-01-01T00:00:00Z",
        metrics={},
        provenance={},
        **{**fields, **changes},
    )
    write_checkpoint(folder, manifest, scorer.weights, {})
    return folder


def shifted(golden: Golden, by: float) -> Golden:
    """The golden answers with one of them moved."""
    first, *others = golden.probabilities
    return golden.model_copy(update={"probabilities": ((first[0] + by, *first[1:]), *others)})


# --- what comes back


@every_head
def test_a_checkpoint_gives_the_scores_of_the_network_that_was_written(
    head: HeadName, kind: str, tmp_path: Path
) -> None:
    scorer, rows = random_scorer(head, kind), some_rows(SCHEMAS[kind], 20, seed=1)
    predictor = load_predictor(written(tmp_path / "1", scorer), name="churn", version=1)
    got = predictor.predict(customers_of(scorer.schema, rows)).probabilities
    assert got.shape == (20, scorer.task.n_outputs)
    np.testing.assert_allclose(got, scores(scorer, rows), rtol=0, atol=1e-7)
    assert predictor.manifest.name == "churn"


def test_each_customer_is_asked_about_at_their_own_cutoff(tmp_path: Path) -> None:
    predictor = load_predictor(written(tmp_path / "1", random_scorer("mlp", "log")))
    row = {"tenure": 3, "events": [{"date": "1997-06-01", "amount": 5.0, "kind": "buy"}]}
    customers = customers_of(SCHEMAS["log"], [row, row])
    cutoffs = np.array([AS_OF, AS_OF - days(200)])
    now, before = predictor.predict(replace(customers, cutoffs=cutoffs)).probabilities
    assert np.abs(now - before).max() > 1e-4
    np.testing.assert_allclose(now, predictor.predict(customers).probabilities[0], rtol=0, atol=1e-7)


def test_golden_answers_may_differ_in_the_last_digits(tmp_path: Path) -> None:
    scorer = random_scorer("cnn", "log")
    load_predictor(written(tmp_path / "1", scorer, golden=shifted(golden_of(scorer), 5e-6)))


# --- what is refused


def refused(folder: Path) -> str:
    return refusal(lambda: load_predictor(folder))


@every_head
def test_other_golden_answers_are_refused(head: HeadName, kind: str, tmp_path: Path) -> None:
    scorer = random_scorer(head, kind)
    folder = written(tmp_path / "1", scorer, golden=shifted(golden_of(scorer), 0.001))
    assert refused(folder) == (
        "the golden customers must get their stored probabilities within 1e-05, got a difference of 0.001. "
        "This machine or version computes otherwise: train again here."
    )


@every_head
def test_the_weights_of_another_network_are_refused(head: HeadName, kind: str, tmp_path: Path) -> None:
    golden = golden_of(random_scorer(head, kind, seed=1))
    folder = written(tmp_path / "1", random_scorer(head, kind), golden=golden)
    assert "golden customers must get their stored probabilities" in refused(folder)


def test_golden_answers_of_another_shape_are_refused(tmp_path: Path) -> None:
    scorer = random_scorer("mlp", "log")
    golden = golden_of(scorer)
    for number, probabilities in enumerate(
        ((), golden.probabilities[:-1], tuple(p[:1] for p in golden.probabilities))
    ):
        changed = golden.model_copy(update={"probabilities": probabilities})
        text = refused(written(tmp_path / str(number), scorer, golden=changed))
        assert "within 1e-05, got a difference of inf. This" in text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"as_of": "soon"}, "a time must have ISO 8601 such as 1997-03-01, got 'soon'"),
        ({"customers": ({"events": [{}]},)}, "row 1: event 1: date is required, as a time in ISO 8601"),
    ],
)
def test_golden_customers_that_cannot_be_read_are_refused(
    changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    scorer = random_scorer("mlp", "log")
    folder = written(tmp_path / "1", scorer, golden=golden_of(scorer).model_copy(update=changes))
    assert refused(folder) == f"the golden customers must be readable: {reason}"


def test_a_history_feature_that_is_no_longer_made_is_refused(tmp_path: Path) -> None:
    scorer = random_scorer("mlp", "log")
    schema = SCHEMAS["log"].model_copy(deep=True)
    assert schema.events
    first = schema.events.features[0].model_copy(update={"name": "novelty"})
    events = schema.events.model_copy(update={"features": (first, *schema.events.features[1:])})
    folder = written(tmp_path / "1", scorer, schema=schema.model_copy(update={"events": events}))
    assert refused(folder) == (
        "the golden customers must be readable: this Propense must compute the history features ['novelty']. "
        "Train the model again."
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 32},
        {"embedding": 8},
        {"folds": 2},
        {"members": 3},
        {"layers": 3},
        {"piecewise": False},
    ],
)
def test_weights_of_other_shapes_are_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    folder = written(tmp_path / "1", random_scorer("mlp", "table"), network=spec("mlp", **changes))
    text = refused(folder)
    assert text.startswith("the weights must fit the network of the manifest: ")
    assert " must have the shape " in text


@pytest.mark.parametrize(("head", "named"), [("cnn", "rnn"), ("mlp", "cnn"), ("rnn", "mlp")])
def test_the_weights_of_another_head_are_refused(head: HeadName, named: HeadName, tmp_path: Path) -> None:
    folder = written(tmp_path / "1", random_scorer(head, "log"), network=spec(named))
    text = refused(folder)
    assert text.startswith("the weights must fit the network of the manifest: ")
    assert "readers.0." in text


def test_the_weights_of_another_vocabulary_are_refused(tmp_path: Path) -> None:
    schema = SCHEMAS["table"]
    fewer = schema.model_copy(update={"columns": schema.columns[:-1]})
    text = refused(written(tmp_path / "1", random_scorer("mlp", "table"), schema=fewer))
    assert text.startswith("the weights must fit the network of the manifest: ")


def with_values(*values: float) -> Schema:
    """The table with other repeated numbers."""
    schema = SCHEMAS["table"]
    charges = schema.columns[0].model_copy(update={"values": values})
    return schema.model_copy(update={"columns": (charges, *schema.columns[1:])})


def test_the_weights_of_another_number_of_repeated_numbers_are_refused(tmp_path: Path) -> None:
    text = refused(written(tmp_path / "1", random_scorer("mlp", "table"), schema=with_values(0.0, 2.5)))
    assert text.startswith("the weights must fit the network of the manifest: ")


def test_other_repeated_numbers_give_other_golden_answers(tmp_path: Path) -> None:
    assert REPEATED == (0.0, 2.5, 10.0)
    folder = written(tmp_path / "1", random_scorer("mlp", "table"), schema=with_values(0.0, 2.75, 10.0))
    assert "golden customers must get their stored probabilities" in refused(folder)


def test_other_rates_give_other_golden_answers(tmp_path: Path) -> None:
    """The made-up customers between them have every one of a few categories, one unknown and none."""
    charges, plan, *others = SCHEMAS["table"].columns
    assert isinstance(plan, CategoricalColumn)
    assert plan.rates
    for code, rate in enumerate(plan.rates.log_odds):
        moved = (*plan.rates.log_odds[:code], rate + 0.5, *plan.rates.log_odds[code + 1 :])
        rates = plan.rates.model_copy(update={"log_odds": moved})
        columns = (charges, plan.model_copy(update={"rates": rates}), *others)
        schema = SCHEMAS["table"].model_copy(update={"columns": columns})
        folder = written(tmp_path / str(code), random_scorer("mlp", "table"), schema=schema)
        assert "golden customers must get their stored probabilities" in refused(folder), code


@pytest.mark.parametrize("name", ["tokens.categories.offsets", "tokens.valued"])
def test_positions_are_not_taken_from_a_file(name: str, tmp_path: Path) -> None:
    scorer = random_scorer("mlp", "table")
    forged = replace(scorer, weights={**scorer.weights, name: np.array([10**6])})
    assert refused(written(tmp_path / "1", forged)) == (
        f"the weights must fit the network of the manifest: {name} must have the shape of nothing, got (1,)"
    )


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "1", random_scorer("mlp", "table"))
    with pytest.raises(CheckpointError, match="must be of purchase version 1"):
        load_predictor(folder, name="purchase")
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert "weights.safetensors is damaged or exchanged" in refused(folder)


def test_a_device_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path / "1", random_scorer("mlp", "table"))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    with pytest.raises(DeviceError) as error:
        load_predictor(folder, device="cuda")
    assert str(error.value) == "device must be one of auto, cpu on this machine, got 'cuda'"


# --- cuda


@pytest.mark.gpu
@every_head
def test_cuda_scores_as_the_cpu_does(head: HeadName, kind: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "1", random_scorer(head, kind))
    customers = customers_of(SCHEMAS[kind], some_rows(SCHEMAS[kind], 200, seed=1))
    here, there = (load_predictor(folder, device=name) for name in ("cpu", "cuda"))
    assert there.scorer.device == "cuda"
    np.testing.assert_allclose(
        there.predict(customers).probabilities,
        here.predict(customers).probabilities,
        rtol=0,
        atol=1e-4,
    )


@pytest.mark.gpu
@every_head
def test_a_checkpoint_written_on_cuda_loads_on_the_cpu(head: HeadName, kind: str, tmp_path: Path) -> None:
    made = load_predictor(written(tmp_path / "1", random_scorer(head, kind)), device="cuda").scorer
    folder = written(tmp_path / "2", made)
    read = load_predictor(folder, device="cpu").scorer.weights
    for name, weight in random_weights(head, kind).items():
        np.testing.assert_array_equal(read[name], weight)
