"""A shift is the largest difference in logits between cutoffs that are large enough to tell."""

from typing import Any

import pytest

from training.measure.base_rate_shift import base_rate_shift


def row(role: str, rate: float, *, eligible: int = 1_000) -> dict[str, Any]:
    return {
        "role": role,
        "eligible": eligible,
        "masked": {"30": 0, "90": 0},
        "rates": {"30": 0.01, "90": rate},
    }


def test_the_rates_of_training_and_test_and_what_their_largest_shift_does() -> None:
    found = base_rate_shift([row("train", 0.5), row("train and test", 0.6), row("test", 0.75)])
    assert found is not None
    assert (found["horizon_days"], found["train"], found["test"]) == (90, (0.5, 0.6), (0.6, 0.75))
    # Odds of 1 become 3, so odds of 1/4 become 1/12 or 3/4.
    assert found["becomes"] == pytest.approx([1 / 13, 3 / 7])


@pytest.mark.parametrize(
    "other",
    [row("train", 0.9, eligible=99), row("train", 0.0), row("published model only", 0.9)],
    ids=["few", "one outcome", "unread"],
)
def test_one_cutoff_alone_shows_no_shift(other: dict[str, Any]) -> None:
    assert base_rate_shift([row("train", 0.5), other]) is None


def test_an_unknown_window_is_no_rate() -> None:
    masked = row("train", 0.5) | {"rates": {"30": 0.01}, "masked": {"30": 0, "90": 1_000}}
    assert base_rate_shift([masked, row("test", 0.6)]) is None
