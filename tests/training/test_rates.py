"""Target statistics: smoothed, out of fold in training, of everybody when scoring, no help to a leak."""

import numpy as np
import pytest

from model.columns import column_of
from model.customers import Examples
from training.asked import Asked
from training.fit_schema import TableFields, fit_schema
from training.labels import Labels
from training.plan import Folds
from training.rates import MANY, WEIGHT, category_rates, out_of_fold_rates, with_rates

N = 6000


def postcodes(n_codes: int = 120) -> tuple[Asked, Folds]:
    """Customers of many postcodes, each with a probability of its own."""
    rng = np.random.default_rng(0)
    codes = rng.integers(n_codes, size=N)
    happened = rng.random(N) < rng.uniform(0.05, 0.95, n_codes)[codes]
    examples = Examples(np.arange(N), np.zeros(N, dtype=np.int64))
    asked = Asked({"postcode": column_of(f"P{c}" for c in codes)}, None, examples, Labels.of_column(happened))
    return asked, Folds(np.arange(N), rng.integers(5, size=N), np.ones(N, dtype=bool))


def test_a_rate_is_the_share_drawn_towards_that_of_everybody() -> None:
    codes, happened = np.array([0, 0, 0, 1]), np.array([1.0, 1.0, 0.0, 0.0])
    share = 3 / 6
    expected = np.array([(2 + WEIGHT * share) / (3 + WEIGHT), WEIGHT * share / (1 + WEIGHT), share])
    rates = category_rates(codes, happened, 3)
    assert 1 / (1 + np.exp(-rates)) == pytest.approx(expected)


def test_an_example_reads_the_rate_of_the_other_folds_only() -> None:
    rng = np.random.default_rng(1)
    codes, happened, fold = (
        rng.integers(7, size=300),
        rng.integers(2, size=300) * 1.0,
        rng.integers(3, size=300),
    )
    read = out_of_fold_rates(codes, happened, fold, 7)
    for f in range(3):
        others = category_rates(codes[fold != f], happened[fold != f], 7)
        assert read[fold == f] == pytest.approx(others[codes[fold == f]])
    changed = np.where(fold == 1, 1 - happened, happened)
    again = out_of_fold_rates(codes, changed, fold, 7)
    assert again[fold == 1] == pytest.approx(read[fold == 1])
    assert not np.allclose(again[fold != 1], read[fold != 1])


def test_a_category_of_one_row_tells_nothing_of_its_own_label() -> None:
    rng = np.random.default_rng(2)
    happened = rng.integers(2, size=400) * 1.0
    read = out_of_fold_rates(np.arange(400), happened, np.arange(400) % 5, 400)
    share_of_others = [happened[np.arange(400) % 5 != f].mean() for f in range(5)]
    assert np.ptp(read) < 4 * np.ptp(share_of_others) + 0.05


@pytest.mark.parametrize(("n_codes", "rated"), [(MANY - 1, 0), (MANY, 1), (120, 1)])
def test_columns_of_many_categories_get_rates(n_codes: int, rated: int) -> None:
    asked, folds = postcodes(n_codes)
    schema = fit_schema(
        TableFields(None, {"postcode": "categorical"}),
        None,
        asked.columns,
        None,
        asked.examples,
        lookback_days=1,
    )
    told, read = with_rates(schema, asked, folds)
    assert len(told.rated) == len(read) == rated
    assert schema.rated == ()
    if rated:
        assert len(told.rated[0].log_odds) == n_codes + 2
        assert read[0].dtype == np.float32
        assert abs(float(read[0].mean())) < 0.1
