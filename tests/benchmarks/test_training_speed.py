"""The speed benchmark measures what it says, on tiny data, without a peer installed."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from model.network.batch import gather
from tests.benchmarks.training_speed import __main__ as command
from tests.benchmarks.training_speed import ours, plain
from tests.benchmarks.training_speed.alone import alone, beyond
from tests.benchmarks.training_speed.fits import WholeFit
from tests.benchmarks.training_speed.ours import OurSteps, our_fit, our_steps, parts_of, planned_epochs
from tests.benchmarks.training_speed.peers import PEERS, Sample, Trees, peer_fit
from tests.benchmarks.training_speed.plain import Rows, collate, plain_steps
from tests.benchmarks.training_speed.steps import Steps, time_steps
from tests.benchmarks.training_speed.tables import fit_cells, step_cells
from tests.benchmarks.training_speed.worlds import TYPES, WorldName, boosting_frame, make_world
from training.measure.metrics import measure

WORLDS: tuple[WorldName, ...] = ("table", "log")


def here(work: Callable[[], Any]) -> Any:
    """A piece of work in this process."""
    return work()


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "THREADS", 1)
    monkeypatch.setattr(plain, "THREADS", 1)


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_repeats_and_has_about_15_percent_positives(name: WorldName) -> None:
    one, same = make_world(name, 5000), make_world(name, 5000)
    assert np.array_equal(one.positive, same.positive)
    assert len(one.positive) == 6000
    assert one.n_train == 5000
    assert 0.12 < one.positive.mean() < 0.18


def test_a_third_of_the_table_s_20_columns_are_categories() -> None:
    frame = boosting_frame(make_world("table", 500))
    texts = [isinstance(kind, pd.CategoricalDtype) for kind in frame.dtypes]
    assert len(texts) == 20
    assert sum(texts) == 7


def test_the_order_of_events_tells_who_is_positive() -> None:
    world = make_world("log", 20_000)
    log = world.labelled.log
    assert log is not None
    last = {kind: np.zeros(log.n_customers, dtype=np.int64) for kind in TYPES}
    for kind, times in last.items():
        chosen = log.categories["type"].codes == TYPES.index(kind)
        np.maximum.at(times, log.owners[chosen], log.times[chosen])
    after = last["ticket"] > last["buy"]
    both = (last["ticket"] > 0) & (last["buy"] > 0)
    assert world.positive[both & after].mean() > 1.3 * world.positive[both & ~after].mean()


def test_boosting_reads_the_last_event_of_a_log() -> None:
    world = make_world("log", 300)
    assert world.labelled.log is not None
    frame, kinds = boosting_frame(world), world.labelled.log.categories["type"]
    last = [kinds.values[c] for c in kinds.codes[world.labelled.log.offsets[1:] - 1]]
    assert len(frame) == 360
    assert frame.iloc[:, -2].tolist() == last


def test_steps_are_counted_from_the_second_and_stopped_in_time() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    taken = 0

    def loop(n: int) -> None:
        nonlocal taken
        for _ in range(n):
            weight.grad = torch.ones(1)
            optimizer.step()
            taken += 1

    assert time_steps(lambda: loop(5), limit_s=60.0).count == 4
    assert taken == 5
    assert 3 <= time_steps(lambda: loop(10**9), limit_s=0.0).count < 10
    loop(1)
    assert taken < 20


def test_the_peak_of_a_piece_of_work_is_its_own() -> None:
    _, small = beyond(lambda: np.ones(1 << 10).sum())
    _, large = beyond(lambda: np.ones(1 << 24).sum())  # 128 MB
    if small is None or large is None:
        pytest.skip("needs /proc")
    assert small < 64 < 120 < large < 256


def test_work_alone_is_done_in_another_process() -> None:
    assert alone(os.getpid) != os.getpid()
    with pytest.raises(ZeroDivisionError):
        alone(partial(divmod, 1, 0))


def test_items_collate_into_the_batch_that_our_loop_gathers() -> None:
    parts = parts_of(make_world("log", 60), "rnn")
    rows = [3, 40, 7]
    batch, labels = collate([Rows(parts.data)[row] for row in rows])
    gathered = gather(parts.data.inputs, torch.tensor(rows))
    for field in ("numeric", "categories", "steps", "step_categories", "lengths"):
        assert torch.equal(getattr(batch, field).nan_to_num(), getattr(gathered, field).nan_to_num())
    assert torch.equal(labels, parts.data.events[rows])


def test_both_loops_take_steps_over_the_same_network() -> None:
    one, other = (
        our_steps("log", "cnn", 400, limit_s=0.0),
        plain_steps("log", "cnn", 400, limit_s=0.0),
    )
    assert one.an_epoch == 5  # 320 examples a network, 64 a batch
    assert min(one.steps.count, other.count) >= 3
    assert min(one.steps.seconds, other.seconds) > 0


def test_a_whole_fit_learns() -> None:
    fit = our_fit("table", "mlp", 2000)
    positive = make_world("table", 2000).positive
    rate = positive[:2000].mean()
    at_the_rate = measure(positive[2000:].astype(np.float64), np.full(400, rate)).log_loss
    assert 1 <= fit.rounds <= planned_epochs(2000)
    assert fit.log_loss < at_the_rate


def test_a_peer_stops_on_other_examples_than_it_learns_from(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, int] = {}

    def learn(train: Sample, stop: Sample) -> Trees:
        seen.update(train=len(train[0]), stop=len(stop[0]))
        rate = float(train[1].mean())
        return lambda rows: np.full(len(rows), rate), 3

    monkeypatch.setitem(PEERS, "json", learn)  # a module that is always there
    fit = peer_fit("json", "table", 1000)
    assert seen == {"train": 850, "stop": 150}
    assert fit is not None
    assert fit.rounds == 3
    assert 0.3 < fit.log_loss < 0.55


def test_a_peer_that_is_not_installed_has_no_fit() -> None:
    assert peer_fit("not_a_library", "table", 100) is None


def test_cells_hold_ratios() -> None:
    timed = OurSteps(Steps(10, 0.02), 50, 12.4)
    cells = step_cells(10_000, timed, Steps(4, 0.1), first=50.0)
    assert cells == ("10,000", "100.0", "2.00", "500", "5.0", "12", "10, 4")
    fit, peer = WholeFit(6.0, 9, 0.31, None), WholeFit(2.0, 300, 0.3, 1.0)
    assert fit_cells(fit, beside=[peer, None]) == ("6.0", "9", "0.3100", "-", "3.0", "-")


def test_the_command_writes_every_row_and_says_what_it_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "alone", here)
    monkeypatch.setattr(command, "STEPS_S", 0.0)
    monkeypatch.setattr(command, "HEADS", (("table", "mlp"), ("log", "rnn")))
    monkeypatch.setattr(command, "PEERS", {"not_a_library": None})
    results = tmp_path / "RESULTS.md"
    command.main(["--sizes", "300", "100", "--budget", "0", "--results", str(results)])
    text = results.read_text()
    rows = [line for line in text.splitlines() if line.startswith(("| table", "| log"))]
    assert '`make bench-train SIZES="300 100" BUDGET=0`' in text
    assert [row.split(" | ")[:3] for row in rows] == [
        ["| table", "100", "mlp"],
        ["| table", "300", "mlp"],
        ["| log", "100", "rnn"],
        ["| log", "300", "rnn"],
        ["| table", "100", "ours, mlp"],
        ["| table", "100", "not_a_library"],
        ["| table", "300", "ours, mlp"],
        ["| table", "300", "not_a_library"],
        ["| log", "100", "ours, rnn"],
        ["| log", "100", "not_a_library"],
        ["| log", "300", "ours, rnn"],
        ["| log", "300", "not_a_library"],
    ]
    assert text.count("| not run: up to ") == 4
    assert text.count("| not installed | - |") == 4
