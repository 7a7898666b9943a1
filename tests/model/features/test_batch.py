"""A batch refuses tensors of another shape or kind."""

from dataclasses import fields
from typing import Any

import pytest
import torch
from torch import Tensor

from model.features.inputs import Batch
from tests.model.networks import some_batch


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
