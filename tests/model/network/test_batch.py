"""A batch is gathered from flat arrays: the steps, their ages, and zeros as padding."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from model.features.inputs import Inputs, Steps
from model.features.sequence import AGE, GAP
from model.network.batch import Batch, gather
from tests.model.networks import some_batch

NUMBERS = np.arange(12, dtype=np.float32).reshape(6, 2) + 1
CATEGORIES = np.arange(6)[:, None] + 10
TIMES = np.array([1.0, 2.0, 4.0, 1.0, 8.0, 9.0])


def inputs(starts: list[int], ends: list[int], cutoffs: list[float] | None, *, columns: int = 1) -> Inputs:
    n = len(starts)
    ages = None if cutoffs is None else (TIMES, np.array(cutoffs))
    return Inputs(
        numeric=np.arange(n * columns, dtype=np.float32).reshape(n, columns),
        categories=np.arange(n)[:, None] + 100,
        steps=Steps(NUMBERS.copy(), CATEGORIES, np.array(starts), np.array(ends), ages),
    )


def test_events_get_their_age_and_lose_the_gap_before_the_first() -> None:
    batch = gather(inputs([0, 4, 1], [3, 4, 3], [4.5, 9.0, 4.0]), torch.tensor([2, 0, 1]))
    assert batch.lengths.tolist() == [2, 3, 0]
    assert batch.numeric.tolist() == [[2.0], [0.0], [1.0]]
    assert batch.categories.tolist() == [[102], [100], [101]]
    days = np.array([[2, 0, 0], [3.5, 2.5, 0.5], [0, 0, 0]])
    np.testing.assert_allclose(batch.steps[..., AGE], np.log1p(days), rtol=1e-6)
    np.testing.assert_array_equal(batch.steps[..., GAP], [[np.nan, 6, 0], [np.nan, 4, 6], [0, 0, 0]])
    assert batch.step_categories[..., 0].tolist() == [[11, 12, 0], [10, 11, 12], [0, 0, 0]]


def test_the_shared_rows_stay_as_they_were() -> None:
    made = inputs([0, 0], [3, 2], [4.5, 3.0])
    assert made.steps
    gather(made, torch.tensor([0, 1]))
    np.testing.assert_array_equal(made.steps.numbers, NUMBERS)


def test_a_series_keeps_its_numbers() -> None:
    batch = gather(inputs([0, 3], [3, 6], None), torch.tensor([1, 0]))
    np.testing.assert_array_equal(batch.steps, [NUMBERS[3:], NUMBERS[:3]])
    assert batch.lengths.tolist() == [3, 3]


def test_an_event_at_the_cutoff_has_age_zero() -> None:
    batch = gather(inputs([0], [3], [4.0 - 1e-12]), torch.tensor([0]))
    assert batch.steps[0, 2, AGE] == 0


def test_batches_without_steps_events_or_rows() -> None:
    made = inputs([2, 4], [2, 4], [4.0, 9.0])
    for rows in ([0, 1], []):
        batch = gather(made, torch.tensor(rows, dtype=torch.int64))
        assert batch.steps.shape == (len(rows), 0, 2)
        assert batch.step_categories.shape == (len(rows), 0, 1)
    bare = gather(Inputs(made.numeric, made.categories), torch.tensor([1, 1, 0]))
    assert bare.steps.shape == bare.step_categories.shape == (3, 0, 0)
    assert bare.lengths.tolist() == [0, 0, 0]
    assert len(made) == 2


spans = st.lists(st.integers(0, 6).flatmap(lambda i: st.tuples(st.just(i), st.integers(i, 6))), min_size=1)


@given(spans, st.data())
def test_the_inputs_of_some_examples_are_those_of_the_examples(
    spans: list[tuple[int, int]], data: st.DataObject
) -> None:
    made = inputs([s for s, _ in spans], [e for _, e in spans], [9.0] * len(spans))
    rows = np.array(data.draw(st.lists(st.integers(0, len(spans) - 1), max_size=6)), dtype=np.int64)
    got = gather(made.take(rows), torch.arange(len(rows)))
    wanted = gather(made, torch.from_numpy(rows))
    for field in fields(got):
        one, other = getattr(got, field.name), getattr(wanted, field.name)
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


@given(spans, st.data())
def test_a_batch_holds_each_examples_own_steps_and_nothing_else(
    spans: list[tuple[int, int]], data: st.DataObject
) -> None:
    made = inputs([s for s, _ in spans], [e for _, e in spans], None)
    rows = data.draw(st.lists(st.integers(0, len(spans) - 1), max_size=6))
    batch = gather(made, torch.tensor(rows, dtype=torch.int64))
    for position, row in enumerate(rows):
        start, end = spans[row]
        own = int(batch.lengths[position])
        assert own == end - start
        np.testing.assert_array_equal(batch.steps[position, :own], NUMBERS[start:end])
        assert not batch.steps[position, own:].any()
        np.testing.assert_array_equal(batch.step_categories[position, :own], CATEGORIES[start:end])
        assert not batch.step_categories[position, own:].any()


# --- a batch of tensors


def tensors(**changes: Tensor) -> dict[str, Any]:
    plain = {
        "numeric": torch.zeros(2, 3),
        "categories": torch.zeros(2, 1, dtype=torch.int64),
        "steps": torch.zeros(2, 4, 5),
        "step_categories": torch.zeros(2, 4, 0, dtype=torch.int64),
        "lengths": torch.zeros(2, dtype=torch.int64),
    }
    return {**plain, **changes}


def test_a_batch_counts_its_rows() -> None:
    assert len(Batch(**tensors())) == 2


@pytest.mark.parametrize(
    ("name", "tensor", "rule", "got"),
    [
        ("numeric", torch.zeros(2), "torch.float32 of shape (2, None)", "torch.float32 of (2,)"),
        (
            "numeric",
            torch.zeros(2, 3, dtype=torch.float64),
            "torch.float32 of shape (2, None)",
            "torch.float64 of (2, 3)",
        ),
        (
            "categories",
            torch.zeros(3, 1, dtype=torch.int64),
            "torch.int64 of shape (2, None)",
            "torch.int64 of (3, 1)",
        ),
        (
            "categories",
            torch.zeros(2, 1, dtype=torch.int32),
            "torch.int64 of shape (2, None)",
            "torch.int32 of (2, 1)",
        ),
        ("steps", torch.zeros(1, 4, 5), "torch.float32 of shape (2, 4, None)", "torch.float32 of (1, 4, 5)"),
        (
            "step_categories",
            torch.zeros(2, 3, 0, dtype=torch.int64),
            "torch.int64 of shape (2, 4, None)",
            "torch.int64 of (2, 3, 0)",
        ),
        ("lengths", torch.zeros(2), "torch.int64 of shape (2,)", "torch.float32 of (2,)"),
    ],
)
def test_other_shapes_and_kinds_are_refused(name: str, tensor: Tensor, rule: str, got: str) -> None:
    with pytest.raises(ValueError, match=name) as error:
        Batch(**tensors(**{name: tensor}))
    assert str(error.value) == f"{name} must be {rule}, got {got}"


def test_a_batch_that_is_there_already_is_not_copied() -> None:
    batch = Batch(**tensors())
    assert batch.to(torch.device("cpu")) is batch


def test_every_tensor_goes_along() -> None:
    moved = some_batch("log").to(torch.device("meta"))
    assert {getattr(moved, field.name).device.type for field in fields(moved)} == {"meta"}


@pytest.mark.parametrize("n_rows", [1, 4, 6])
def test_a_batch_splits_into_its_rows_in_order(n_rows: int) -> None:
    batch = some_batch("log", 12)
    parts = batch.split(n_rows)
    assert [len(part) for part in parts] == [n_rows] * (12 // n_rows)
    for field in fields(batch):
        joined = torch.cat([getattr(part, field.name) for part in parts])
        torch.testing.assert_close(joined, getattr(batch, field.name), rtol=0, atol=0, equal_nan=True)


def test_what_is_left_over_is_a_smaller_batch() -> None:
    assert [len(part) for part in some_batch("series", 5).split(2)] == [2, 2, 1]
    assert [len(part) for part in some_batch("table", 3).split(9)] == [3]


@pytest.mark.gpu
def test_a_batch_on_cuda_holds_the_same_numbers() -> None:
    batch = some_batch("log")
    moved = batch.to(torch.device("cuda"))
    for field in fields(batch):
        there, here = getattr(moved, field.name), getattr(batch, field.name)
        assert there.is_cuda
        torch.testing.assert_close(there.cpu(), here, rtol=0, atol=0, equal_nan=True)
