"""The first sentences of a report: a title in business words, and advice that follows the verdict."""

from typing import Any

import pytest

from model.task import ColumnTask, ContractTask, LogTask, Task
from training.report.headline import made_title, of_whom, recommendation


@pytest.mark.parametrize(
    ("task", "title", "whom"),
    [
        (
            ColumnTask(column="Churn", positive=("Yes", "y")),
            "Which customers will have Churn “Yes” or “y”?",
            "with Churn “Yes” or “y”",
        ),
        (
            LogTask(event="cancel", outcome="occurs", horizons_days=(30, 90)),
            "Which customers will have a “cancel” event within 90 days?",
            "with a “cancel” event",
        ),
        (
            LogTask(outcome="absent", horizons_days=(1,)),
            "Which customers will have no event within 1 day?",
            "with no event",
        ),
        (
            ContractTask(ends="until", horizons_days=(90,)),
            "Which running contracts will end within 90 days?",
            "whose contract ended",
        ),
    ],
)
def test_a_title_is_made_from_the_target(task: Task, title: str, whom: str) -> None:
    assert (made_title(task), of_whom(task)) == (title, whom)


@pytest.mark.parametrize(
    ("verdict", "advice"),
    [
        ({"outcome": "beats", "against": "recency"}, "Use it"),
        ({"outcome": "trails", "against": "gradient_boosting"}, "Use it"),
        ({"outcome": "beats", "against": "base_rate"}, "Use it"),
        ({"outcome": "equals", "against": "base_rate"}, "Do not act on these probabilities."),
        ({"outcome": "equals", "against": "recency", "fault": "One outcome."}, "Do not use this version."),
    ],
)
def test_the_advice_follows_the_verdict(verdict: dict[str, Any], advice: str) -> None:
    first, why = recommendation({"verdict": {"fault": "", **verdict}})
    assert first.startswith(advice)
    assert why
