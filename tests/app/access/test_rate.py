import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.key_file import new_key
from app.access.keyring import Bucket, Caller


def passed(bucket: Bucket, instants: list[float]) -> int:
    return sum(bucket.take(now) == 0 for now in instants)


@pytest.mark.parametrize("rate", [0.5, 3, 100, 2000])
@pytest.mark.parametrize("overload", [3, 10])
def test_what_passes_is_the_rate_within_5_percent(rate: float, overload: float) -> None:
    draw, seconds = random.Random(0), max(10.0, 500 / rate)
    key, _ = new_key("web", ("predict",), rate=rate)
    bucket = Caller.of(key, None).bucket
    assert bucket
    n = int(rate * seconds * overload)
    n_passed = passed(bucket, sorted(7000 + draw.uniform(0, seconds) for _ in range(n)))
    assert n_passed == pytest.approx(rate * seconds, rel=0.05)


def test_a_client_that_keeps_to_its_rate_is_never_refused() -> None:
    draw = random.Random(0)
    key, _ = new_key("web", ("predict",), rate=5)
    bucket = Caller.of(key, None).bucket
    assert bucket
    instants = [7000 + number / 5 + draw.uniform(0, 0.19) for number in range(1000)]
    assert passed(bucket, instants) == 1000


def test_a_burst_passes_and_then_the_rate() -> None:
    bucket = Bucket(rate=10, burst=5)
    assert passed(bucket, [100.0] * 50) == 5
    assert bucket.take(100.0) == pytest.approx(0.1)
    assert bucket.take(100.05) == pytest.approx(0.05)
    assert bucket.take(100.1 + 1e-9) == 0
    assert passed(bucket, [1000.0] * 50) == 5  # however long it was left alone


def test_who_waits_as_told_passes() -> None:
    bucket, now = Bucket(rate=7, burst=1), 3.0
    for _ in range(1000):
        if wait := bucket.take(now):
            now += wait
            assert bucket.take(now) == 0


@given(
    st.floats(0.1, 1000),
    st.floats(1, 50),
    st.lists(st.floats(0, 10), min_size=1, max_size=60),
)
def test_no_window_holds_more_than_its_tokens(rate: float, burst: float, gaps: list[float]) -> None:
    """Against a bucket that is refilled token by token."""
    bucket, tokens, now, last = Bucket(rate, burst), burst, 50.0, 50.0
    for gap in gaps:
        now += gap / rate
        tokens = min(burst, tokens + (now - last) * rate)
        last, took = now, bucket.take(now) == 0
        if abs(tokens - 1) > 1e-6 * (1 + rate):  # at the very edge either may be right
            assert took == (tokens > 1)
        tokens -= took
