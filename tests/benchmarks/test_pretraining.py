"""The pretraining experiment: what is predicted from what, and that the best case for it shows a gain."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from model.features.inputs import Steps
from model.features.sequence import GAP, STEP_NUMBERS
from model.network.cnn import ConvEncoder
from model.network.rnn import GruEncoder
from model.network.steps import Encoder, StepReader
from model.schema import Schema
from tests.benchmarks.defaults import default_spec
from tests.benchmarks.pretraining import __main__ as command
from tests.benchmarks.pretraining import arms, next_event
from tests.benchmarks.pretraining.arms import Arm, asked_in_the_end, fit_arm
from tests.benchmarks.pretraining.encoders import started_by, state_width, step_states
from tests.benchmarks.pretraining.next_event import next_event_loss, next_of
from tests.benchmarks.pretraining.problems import PROBLEMS, labelled, order, shop, unlabelled
from tests.benchmarks.pretraining.table import compared
from training.fit import model_fit
from training.prepare import Prepared
from training.schema.fit_schema import fit_schema
from training.study.sections import FitOptions

ENCODERS: Sequence[Encoder] = (GruEncoder(5, width=6), ConvEncoder(5, channels=6))
S = len(STEP_NUMBERS) + 1


@pytest.fixture(autouse=True)
def _short_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arms, "default_options", lambda seed: FitOptions(device="cpu", seed=seed, epochs=2))


@pytest.fixture(scope="module")
def ordered(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return order(tmp_path_factory.mktemp("order"), 1500)


@pytest.mark.parametrize("encoder", ENCODERS, ids=["rnn", "cnn"])
def test_a_state_is_what_the_encoder_itself_knows_after_the_step(encoder: Encoder) -> None:
    steps = torch.randn(2, 7, 5)
    states = step_states(encoder, steps)
    assert states.shape == (2, 7, state_width(encoder))
    for length in (1, 4, 7):
        known = encoder(steps[:, :length].flatten(0, 1), torch.full((2,), length))
        assert torch.allclose(states[:, length - 1], known[:, : state_width(encoder)], atol=1e-6)


@pytest.mark.parametrize("encoder", ENCODERS, ids=["rnn", "cnn"])
def test_no_state_depends_on_a_later_step(encoder: Encoder) -> None:
    steps = torch.randn(1, 6, 5)
    changed = steps.clone()
    changed[:, 4:] += 1.0
    one, other = step_states(encoder, steps), step_states(encoder, changed)
    assert torch.equal(one[:, :4], other[:, :4])
    assert not torch.equal(one[:, 4], other[:, 4])


def sequences() -> Steps:
    """Three sequences over eight rows: rows 0 to 2, row 3 alone, rows 4 to 7."""
    numbers = np.zeros((8, S), dtype=np.float32)
    numbers[:, GAP] = [9, 1, 3, 9, 9, 1, 3, 2]
    numbers[:, -1] = [0, np.nan, 4, 7, 7, 0, np.nan, 2]
    codes = np.array([[0], [2], [3], [0], [0], [2], [2], [2]])
    return Steps(numbers, codes, np.array([0, 3, 4]), np.array([3, 4, 8]))


def test_only_steps_that_follow_another_are_predicted() -> None:
    wanted = next_of(sequences(), [4])
    assert wanted.mean.tolist() == [2.0, 2.0]
    assert wanted.rates[0].tolist() == pytest.approx([0.0, 0.0, 0.8, 0.2])
    scaled = wanted.numbers(torch.from_numpy(sequences().numbers[[1, 2, 5, 6, 7]]))
    assert scaled.nanmean(dim=0).abs().max() < 1e-6
    assert scaled.square().nanmean(dim=0).tolist() == pytest.approx([1.0, 1.0])


def test_the_blind_loss_is_the_best_constant_answer_s() -> None:
    steps, wanted = sequences(), next_of(sequences(), [4])
    follows = [1, 2, 5, 6, 7]
    codes = torch.from_numpy(steps.categories[follows])
    numbers = wanted.numbers(torch.from_numpy(steps.numbers[follows]))

    def loss(rates: Tensor) -> float:
        told = rates.log().clamp(min=-50).expand(5, -1), torch.zeros(5, 2)
        return float(next_event_loss(([told[0]], told[1]), codes, numbers))

    assert loss(wanted.rates[0]) == pytest.approx(wanted.blind, rel=1e-5)
    assert loss(torch.tensor([0.1, 0.1, 0.6, 0.2])) > wanted.blind


def test_the_start_reads_all_training_customers_and_no_one_else(tmp_path: Path) -> None:
    plan = shop(tmp_path, 600).plan
    asked = unlabelled(plan)
    train = plan.examples.take(plan.measured.rows)
    assert sorted(asked.customers.tolist()) == sorted(set(train.customers.tolist()))
    assert not np.isin(asked.customers, plan.examples.customers[plan.unseen]).any()
    for customer, cutoff in zip(asked.customers[:20], asked.cutoffs[:20], strict=True):
        assert cutoff == train.cutoffs[train.customers == customer].max()


def test_few_labels_are_of_few_customers(ordered: Prepared) -> None:
    few, more = labelled(ordered.plan, 50, seed=1), labelled(ordered.plan, 100, seed=1)
    assert len(np.unique(ordered.plan.groups[few.rows])) == 50
    assert np.isin(few.rows, more.rows).all()
    assert not np.array_equal(few.rows, labelled(ordered.plan, 50, seed=2).rows)


def test_a_started_fit_repeats(ordered: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(next_event, "STEPS", 3)
    one, same = (fit_arm(ordered, Arm("cnn", started=True), 60, seed=0) for _ in range(2))
    assert np.array_equal(one.probabilities, same.probabilities)
    assert one.losses == same.losses


def test_the_next_event_is_learnt_where_the_order_tells_it(
    ordered: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("STEPS", 130), ("MEASURED", 10), ("LEARNING_RATE", 0.012)):
        monkeypatch.setattr(next_event, name, value)
    started = fit_arm(ordered, Arm("rnn", started=True), 60, seed=0)
    assert started.losses is not None
    assert started.losses.reached < started.losses.blind - 0.02
    assert fit_arm(ordered, Arm("rnn"), 60, seed=0).losses is None


def test_a_start_reaches_every_network_of_the_bag_and_no_later_fit(ordered: Prepared) -> None:
    data, task = ordered.dataset, ordered.task
    schema = fit_schema(
        ordered.fields,
        data.columns,
        data.log,
        ordered.plan.examples,
        lookback_days=task.lookback_days,
    )

    def fill(reader: StepReader, _schema: Schema) -> None:
        for parameter in reader.parameters():
            torch.nn.init.constant_(parameter, 0.5)

    def read_alike() -> bool:
        network = vars(model_fit)["build_network"](default_spec("rnn"), schema, n_outputs=1)
        parameters = network.readers.parameters()
        return len(network.readers) > 1 and all(bool((p == 0.5).all()) for p in parameters)

    with started_by(fill):
        assert read_alike()
    assert not read_alike()


def test_without_a_difference_there_is_none(ordered: Prepared) -> None:
    labels = ordered.plan.labels.outcomes[asked_in_the_end(ordered), -1].astype(np.float64)
    told = arms.Told(np.linspace(0.1, 0.9, len(labels)), 1.0, None)
    same = compared([told, told], [told, replace(told, seconds=2.0)], labels, np.arange(len(labels)))
    assert same["log_loss"].value == 0.0


def test_the_command_writes_a_row_for_each_arm(
    ordered: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_event, "STEPS", 3)
    monkeypatch.setitem(PROBLEMS, "order alone", lambda _: ordered)
    results = tmp_path / "RESULTS.md"
    command.main(["--logs", "order alone", "--customers", "80", "--seeds", "1", "--results", str(results)])
    table = [line.strip("| ").split(" | ") for line in results.read_text().splitlines() if "| 80 |" in line]
    assert [cells[2] for cells in table] == ["mlp", "cnn", "cnn, next event", "rnn", "rnn, next event"]
    assert [cells[6] == "-" for cells in table] == [True, True, False, True, False]
    assert [cells[8] == "-" for cells in table] == [True, False, False, False, False]
