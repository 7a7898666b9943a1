"""Inputs in words."""

import numpy as np
import pytest

from model.features.encode import encode
from model.reasons.groups import InputNames
from model.reasons.words import Said, Words, number_text, with_usual
from model.schema import HistoryFeature, Schema
from model.values.rows import customers_from_rows
from tests.model.build import tiny_scaling
from tests.model.networks import AS_OF, LOG, TABLE

SENTENCES = {
    "recency_days": ("last event 4 days ago", "no event"),
    "recency[buy]_days": ("last buy 4 days ago", "no buy"),
    "tenure_days": ("first event 4 days ago", "no event"),
    "count_30d": ("events in 30 days: 4", "count_30d: missing"),
    "count[buy]_lifetime": ("buy events in all: 4", "count[buy]_lifetime: missing"),
    "sum(amount)_30d": ("amount in 30 days: 4", "sum(amount)_30d: missing"),
    "sum(amount)[buy]_365d": ("amount of buy in 365 days: 4", "sum(amount)[buy]_365d: missing"),
    "largest(amount)": ("largest amount: 4", "no amount"),
    "recency_share": ("silent for 400 % of the time since the first event", "no event"),
    "mean_gap_days": ("an event every 4 days", "one event or none"),
    "cutoff_year_sin": ("the time of the year", "cutoff_year_sin: missing"),
}


def words_of(schema: Schema) -> Words:
    return Words.of(schema, InputNames.of(schema, with_steps=False))


@pytest.mark.parametrize("name", SENTENCES)
def test_an_aggregate_has_a_sentence(name: str) -> None:
    assert LOG.events
    events = LOG.events.model_copy(update={"features": (HistoryFeature(name=name, scaling=tiny_scaling()),)})
    schema = LOG.model_copy(update={"events": events, "columns": ()})
    words = words_of(schema)
    texts = []
    for raw in (4.0, np.nan):
        scaled = (np.arcsinh((raw - 5.0) / 2.0) - 0.1) / 0.9
        texts.append(words._number(name, 0, float(scaled)).text)
    assert tuple(texts) == SENTENCES[name]


def test_columns_are_said_as_they_were_sent() -> None:
    row = {"Total Charges": 7.25, "plan": "größer", "senior": True, "since": "1997-12-01"}
    customers = customers_from_rows([row, {"plan": "gold", "Total Charges": 1e9}], TABLE, AS_OF)
    inputs = encode(
        TABLE, customers.columns, None, customers.examples(), lookback_days=None, with_steps=False
    )
    words = words_of(TABLE)
    said = [words.say(name, inputs, 0).text for name in row]
    assert said == ["Total Charges: 7.25", "plan: größer", "senior: yes", "since: 30 days ago"]
    said = [words.say(name, inputs, 1).text for name in row]
    assert said[1:] == ["plan: a new value", "senior: missing", "since: missing"]
    assert said[0].startswith("Total Charges: at least ")


def test_what_is_usual_stands_behind() -> None:
    assert with_usual(Said("4", "plan: 4"), Said("none", "no plan"), "usual") == "plan: 4 (usual: none)"
    assert with_usual(Said("none", "no plan"), Said("4", "plan: 4"), "usual") == "no plan (usual: plan: 4)"
    assert with_usual(Said("", "the season"), Said("", ""), "usual") == "the season"


def test_numbers_are_short() -> None:
    numbers = [0.0, -0.00001, 0.5, 34.00002, 70.35, 1889.5, -2e6, 123.456]
    assert list(map(number_text, numbers)) == ["0", "0", "0.5", "34", "70.35", "1,890", "-2,000,000", "123.5"]
