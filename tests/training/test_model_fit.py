"""From examples to a calibrated network: each slice has its one use, and a seed repeats."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.columns import Column, column_of
from model.customers import Examples
from model.errors import DeviceError
from model.manifest import NetworkSpec
from model.task import ColumnTask
from training.fit_schema import TableFields
from training.labels import Labels
from training.loop import Epoch, best_epoch
from training.model_fit import BATCH_SIZES, Asked, Fitted, Options, Reading, fit_model, refit_model
from training.plan import Refit, Slices

N: Final = 400
ROWS: Final = np.arange(N, dtype=np.int64)
SLICES: Final = Slices(train=ROWS[:240], validation=ROWS[240:300], calibration=ROWS[300:360])  # rest: test
SPEC: Final = NetworkSpec(head="mlp", width=8, layers=1, dropout=0.2, embedding=2, members=2)
READING: Final = Reading(
    ColumnTask(column="left", positive="1"), TableFields(None, {"a": "numeric", "b": "numeric"}), None, SPEC
)
OPTIONS: Final = Options(
    device="cpu", epochs=3, patience=3, batch_size=32, learning_rate=0.02, weight_decay=0.0, seed=0
)


def asked(*, flip: np.ndarray[Any, Any] | None = None, unread: np.ndarray[Any, Any] | None = None) -> Asked:
    """Who leaves has a positive `a`; flipped rows have the other label, unread ones odd values."""
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=N), draw.normal(size=N)
    left = a + draw.normal(size=N) > 0
    if flip is not None:
        left[flip] = ~left[flip]
    if unread is not None:
        a[unread], b[unread] = 1e6, np.nan
    columns: dict[str, Column] = {"a": column_of(a.tolist()), "b": column_of(b.tolist())}
    return Asked(columns, None, Examples(ROWS, np.zeros(N, dtype=np.int64)), Labels.of_column(left))


def fitted(about: Asked | None = None, *, slices: Slices = SLICES, **changes: Any) -> Fitted:
    options = replace(OPTIONS, **changes)
    return fit_model(about or asked(), slices, READING, options, on_epoch=lambda _: None)


def refitted(history: tuple[Epoch, ...], about: Asked | None = None, **changes: Any) -> Fitted:
    train = np.concatenate([SLICES.train, SLICES.validation])
    return refit_model(
        about or asked(),
        Refit(train=train, calibration=SLICES.calibration),
        READING,
        replace(OPTIONS, **changes),
        history=history,
        on_epoch=lambda _: None,
    )


def same_weights(one: Fitted, other: Fitted) -> bool:
    """Whether two networks agree to the bit."""
    mine, theirs = one.scorer.network.state_dict(), other.scorer.network.state_dict()
    assert mine.keys() == theirs.keys()
    return all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_what_was_learnt_ranks_unseen_customers() -> None:
    about = asked()
    fit = fitted(about, epochs=10)
    probabilities = fit.scorer.score(about.columns, None, about.examples)[360:, 0]
    left = about.labels.events[360:, 0]
    assert probabilities[left].mean() > probabilities[~left].mean() + 0.2
    assert not fit.scorer.network.training
    assert fit.seconds > 0


def test_a_seed_repeats_to_the_bit_and_another_does_not() -> None:
    one, same, other = fitted(), fitted(), fitted(seed=1)
    assert same_weights(one, same)
    assert one.scorer.calibration == same.scorer.calibration
    assert one.history == same.history
    assert not same_weights(one, other)


def test_the_caller_s_random_state_is_neither_read_nor_touched() -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    one = fitted()
    refitted(one.history)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(8)
    assert same_weights(one, fitted())


def test_test_rows_change_nothing() -> None:
    one, other = fitted(), fitted(asked(flip=ROWS[360:], unread=ROWS[360:]))
    assert same_weights(one, other)
    assert one.scorer == replace(other.scorer, network=one.scorer.network)
    assert one.history == other.history


def test_calibration_labels_change_the_calibration_alone() -> None:
    one, other = fitted(), fitted(asked(flip=SLICES.calibration[::2]))
    assert same_weights(one, other)
    assert one.history == other.history
    assert one.scorer.calibration != other.scorer.calibration


def test_validation_labels_change_the_validation_loss_but_no_step() -> None:
    one, other = fitted(), fitted(asked(flip=SLICES.validation))
    assert [e.train_loss for e in one.history] == [e.train_loss for e in other.history]
    assert all(a.validation_loss < b.validation_loss for a, b in zip(one.history, other.history, strict=True))


def test_statistics_come_from_the_training_slice() -> None:
    held_out = ROWS[240:]
    assert fitted(asked(unread=held_out)).scorer.schema == fitted().scorer.schema
    assert fitted(asked(unread=ROWS[:1])).scorer.schema != fitted().scorer.schema


def test_a_refit_reads_validation_too_and_runs_as_long_as_was_best() -> None:
    history = (Epoch(1, 0.02, 0.6, 0.5), Epoch(2, 0.02, 0.5, 0.6), Epoch(3, 0.02, 0.4, 0.7))
    one = refitted(history)
    assert best_epoch(history) == 1
    assert one.history == history
    assert same_weights(one, refitted(history[:1]))
    assert not same_weights(one, refitted(history, asked(flip=SLICES.validation)))
    assert same_weights(one, refitted(history, asked(flip=SLICES.calibration, unread=ROWS[360:])))
    assert one.scorer.schema != fitted().scorer.schema


def test_a_refit_repeats_for_a_seed() -> None:
    history = (Epoch(1, 0.02, 0.6, 0.5),)
    assert same_weights(refitted(history), refitted(history))
    assert not same_weights(refitted(history), refitted(history, seed=1))


def test_a_device_that_is_not_here_is_refused() -> None:
    absent = next(
        name for name in ("mps", "cuda:99") if name != "mps" or not torch.backends.mps.is_available()
    )
    with pytest.raises(DeviceError, match=f"got '{absent}'"):
        fitted(device=absent)


@given(st.integers(0, 2_000_000), st.integers(0, 2_000_000))
def test_an_automatic_batch_size_is_a_power_of_two_that_grows_with_the_data(some: int, more: int) -> None:
    automatic = replace(OPTIONS, batch_size=None)
    few, many = (automatic.batch_of(np.empty(n, dtype=np.int64)) for n in sorted((some, more)))
    assert few <= many
    assert BATCH_SIZES[0] <= few
    assert many <= BATCH_SIZES[1]
    assert few & (few - 1) == 0


def test_a_batch_size_that_was_asked_for_is_kept() -> None:
    assert replace(OPTIONS, batch_size=7).batch_of(ROWS) == 7
