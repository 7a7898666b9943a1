"""Columns named like the label or an outcome, and harmless names that only look like it."""

import numpy as np
import pytest

from tests.training.audit.tables import clean


def named(name: str, label: str | None, *, aggregate: bool = False) -> list[str]:
    """Words that gave a column of that name away."""
    examples = clean(300, 0.2, 0, n_columns=3).add(name, np.arange(300.0) % 7)
    found = examples.probe(label=label, aggregates=(name,) if aggregate else ())
    return [f.evidence.split("(by '")[1].split("'")[0] for f in found if f.probe == "named_like_label"]


@pytest.mark.parametrize(
    ("name", "label", "word"),
    [
        ("churn_score", "Churn", "churn"),
        ("ChurnScore", "y", "churn"),
        ("CHURN REASON", None, "churn"),
        ("date_unregistration", "final_result", "unregistration"),
        ("ExitDate", "y", "exit"),
        ("cancelled.at", None, "cancelled"),
        ("canceledAt", None, "canceled"),
        ("readmitted2", "hospital_readmitted", "readmitted"),
        ("predicted_value", "y", "predicted"),
        ("accountClosed", "Status", "closed"),
        ("Left", "y", "left"),
    ],
)
def test_a_telling_name_is_found(name: str, label: str | None, word: str) -> None:
    assert named(name, label) == [word]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Contract", "Churn"),
        ("Complains", "Churn"),
        ("ExitRates", "Revenue"),
        ("days_left", "y"),
        ("previous_cancellations", "is_canceled"),
        ("customer_age", "Customer Status"),
        ("payment_date", "next_month_date"),
        ("score", "y"),
        ("leftover_units", "y"),
        ("yield", "y"),
    ],
)
def test_a_harmless_name_is_none(name: str, label: str) -> None:
    assert named(name, label) == []


def test_the_subject_that_many_columns_share_is_no_telling_word() -> None:
    examples = clean(300, 0.2, 0, n_columns=3)
    for name in ("loan_amount", "loan_grade", "loan_rate"):
        examples.add(name, np.arange(300.0) % 7)
    assert examples.probe(label="loan_status") == []


def test_the_name_of_an_aggregate_is_that_of_an_event() -> None:
    assert named("count[churn]_30d", "churn", aggregate=True) == []


def test_a_name_is_a_warning_where_the_column_tells_something_and_else_a_note() -> None:
    examples = clean(1_000, 0.3, 0)
    noise = np.random.default_rng(9).normal(size=1_000)
    examples.add("churn_score", 0.8 * examples.answer + noise).add("churn_code", np.arange(1_000.0) % 7)
    warning, note = examples.probe(label="Churn")
    assert (warning.level, warning.column) == ("warning", "churn_score")
    assert warning.evidence.startswith(
        "The name 'churn_score' resembles the label 'Churn' (by 'churn'); its AUC alone is 0.6"
    )
    assert (note.level, note.column) == ("note", "churn_code")
