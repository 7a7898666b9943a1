"""A column that outdoes all others together is a warning; one among equals is not."""

import numpy as np

from tests.training.audit.tables import Examples, clean


def with_signals(strengths: dict[str, float], n: int = 3_000) -> Examples:
    """Clean rows with independent normal columns whose means differ so much between the outcomes."""
    examples = clean(n, 0.2, 0, n_columns=8)
    rng = np.random.default_rng(9)
    for name, strength in strengths.items():
        examples.add(name, strength * examples.answer + rng.normal(size=n))
    return examples


def test_a_column_that_outdoes_all_others_is_a_warning() -> None:
    [found] = with_signals({"call": 1.6, "age": 0.5, "tenure": 0.5, "spent": 0.5}).probe()
    assert (found.probe, found.level, found.column) == ("dominates", "warning", "call")
    assert found.evidence.startswith(
        "'call' predicts better than all other columns together: its AUC alone is 0.8"
    )
    assert found.advice == (
        "Exclude what is not known at the cutoff (under data.customers, exclude: [call])."
    )


def test_one_among_equals_is_none() -> None:
    assert with_signals({"age": 1.0, "tenure": 1.0, "spent": 1.0, "visits": 1.0}).probe() == []


def test_one_that_others_repeat_is_none() -> None:
    examples = with_signals({"spent": 1.6, "age": 0.3})
    spent = examples.columns["spent"]
    assert isinstance(spent, np.ndarray)
    assert examples.add("spent_90d", spent + 0.2 * np.random.default_rng(5).normal(size=3_000)).probe() == []


def test_a_leak_beside_it_does_not_hide_it() -> None:
    examples = with_signals({"call": 1.6, "age": 0.5})
    examples.add("gone", examples.answer)
    assert [(f.probe, f.column) for f in examples.probe()] == [
        ("one_class", "gone"),
        ("states_the_label", "gone"),
        ("dominates", "call"),
    ]


def test_the_only_column_dominates_nothing() -> None:
    examples = with_signals({"call": 1.6})
    examples.columns = {"call": examples.columns["call"]}
    assert examples.probe() == []
