"""What the facts of an audit read like."""

from typing import Any

import pytest

from training.audit.sentences import audit_sentences, shown_horizons

EXAMPLES = {"train": 1_000, "judged": 600, "test": 250}
TABLE: dict[str, Any] = {
    "customers": 1_500,
    "time_zone": "UTC",
    "log": None,
    "split": "tested on 20% of the rows",
    "examples": EXAMPLES,
    "label": {
        "column": "churn",
        "values": [
            {"value": "Yes", "count": 100, "counts_as": "positive"},
            {"value": "yes", "count": 49, "counts_as": "positive"},
            {"value": "No", "count": 1_341, "counts_as": "negative"},
            {"value": None, "count": 8, "counts_as": "excluded"},
            {"value": "?", "count": 2, "counts_as": "excluded"},
        ],
    },
    "rows": 1_490,
    "positives": 149,
    "rate": 0.1,
}


def cutoff(date: str, rates: dict[str, float], masked: dict[str, int], **refused: int) -> dict[str, Any]:
    return {"cutoff": date, "rates": rates, "masked": masked, "refused": refused}


LOG: dict[str, Any] = {
    "customers": 1,
    "time_zone": "Europe/Berlin",
    "log": {
        "events": 2_000,
        "first_event": "2023-01-01",
        "last_event": "2023-12-31",
        "duplicate_events": 1_234,
        "gaps": [{"after": "2023-03-01", "before": "2023-03-12", "days": 10}],
    },
    "split": "tested at 2023-06-01",
    "examples": EXAMPLES,
    "observed_from": "2023-01-01",
    "observed_until": "2023-12-31",
    "understood": ["'cancel' is a terminal event."],
    "cutoffs": [
        cutoff("2023-04-01", {"30": 0.05, "90": 0.10}, {"30": 0, "90": 0}, **{"not yet a customer": 1_100}),
        cutoff(
            "2023-05-01",
            {"30": 0.07, "90": 0.30},
            {"30": 1, "90": 2},
            **{"has left": 5, "not yet a customer": 4},
        ),
        cutoff("2023-06-01", {"30": 0.06, "90": 0.20}, {"30": 0, "90": 3}),
        cutoff("2023-12-01", {"30": 0.06}, {"30": 0, "90": 1_000}),
    ],
    "never_asked": {"customers": 1, "reasons": {"has left": 1}},
    "came_back": {"within_days": 180, "of": "ending", "left": 1_000, "back": 50, "share": 0.05},
}


def test_a_table() -> None:
    assert audit_sentences(TABLE) == [
        "1,500 customers. Times without an offset are read in UTC.",
        "Values of 'churn': 'Yes' (100), 'yes' (49) count as positive; 'No' (1,341) count as negative; "
        "blank (8), '?' (2) are excluded. Spellings that differ in case, blanks or accents count as one.",
        "149 of 1,490 rows are positive (10.0%).",
        "Split: tested on 20% of the rows. Examples: 1,000 for training (600 of them also for early stopping "
        "and calibration), 250 for the test.",
    ]


def test_a_log() -> None:
    assert audit_sentences(LOG) == [
        "1 customer. Times without an offset are read in Europe/Berlin.",
        "2,000 events from 2023-01-01 to 2023-12-31, with 1,234 exact duplicates.",
        "No events for 10 days, between 2023-03-01 and 2023-03-12.",
        "'cancel' is a terminal event.",
        "Never eligible: 1 customer; reasons at the latest cutoff: has left (1).",
        "Not eligible, summed over 4 cutoffs: not yet a customer (1,104), has left (5).",
        "Examples with an incomplete window (beyond the data, or the customer left in the gap): "
        "1 at 30 days, 1,005 at 90 days.",
        "Positive within 90 days: 10.0% at 2023-04-01, 20.0% at 2023-06-01; over all cutoffs 10.0% to 30.0%.",
        "Of 1,000 endings that count as gone, 50 (5.0%) were followed by a return within 180 days, twice the "
        "longest horizon.",
        "Split: tested at 2023-06-01. Examples: 1,000 for training (600 of them also for early stopping and "
        "calibration), 250 for the test.",
    ]


def text_of(**changes: Any) -> str:
    return " ".join(audit_sentences({**LOG, **changes}))


def test_a_shift_of_the_base_rate_is_told_by_what_it_does() -> None:
    shift = {"train": (0.5, 0.6), "test": (0.75, 0.75), "probability": 0.2, "becomes": [1 / 13, 3 / 7]}
    assert (
        "Base rate: 50.0% to 60.0% at the training cutoffs, 75.0% at the test. A shift of this size turns a "
        "probability of 20.0% into 7.7% or 42.9%."
    ) in text_of(base_rate_shift=shift)


def test_empty_facts_give_no_sentence() -> None:
    text = text_of(
        cutoffs=[cutoff("2023-04-01", {"90": 0.1}, {"90": 0})],
        never_asked={"customers": 0, "reasons": {}},
        came_back=None,
    )
    for words in ("ligible", "incomplete", "Positive within", "gone", "Observed"):
        assert words not in text


def test_what_was_observed_is_told_where_it_is_not_the_log() -> None:
    assert "Observed from 2022-05-01 to 2023-12-31." in text_of(observed_from="2022-05-01")
    assert "Observed from 2023-01-01 to 2023-12-31." in text_of(log=None)


def test_nobody_was_followed_for_long_enough() -> None:
    back = {"within_days": 720, "of": "example", "left": 0, "back": 0, "share": None}
    assert (
        "No customer who counts as gone was observed for 720 days, twice the longest horizon: the share of "
        "returns is not known." in text_of(came_back=back)
    )


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], []),
        (["30"], ["30"]),
        (list("123"), list("123")),
        (list("1234"), list("134")),
        (list("12345"), list("135")),
    ],
)
def test_of_many_horizons_three_are_shown(names: list[str], shown: list[str]) -> None:
    assert shown_horizons(names) == shown
