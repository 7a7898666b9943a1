import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from model.errors import StudyError
from tests.training.study.texts import CONTRACTS, EVERYTHING, LOG, SECTIONS, TABLE, refusal, write
from training.study.study import ColumnTarget, ContractTarget, read_study


@pytest.mark.parametrize(
    ("place", "value", "rule"),
    [
        ("fit.epochs", "1e3", "must be a whole number, got 1000.0"),
        ("fit.epochs", "true", "must be a whole number, got true"),
        ("fit.epochs", '"3"', 'must be a whole number, got "3"'),
        ("fit.epochs", "0", "must be greater than 0, got 0"),
        ("fit.epochs", "!!int many", "must be a plain value, got 'many' tagged int"),
        ("fit.epochs", str([9] * 50), f"must be a whole number, got [{'9, ' * 19}9,..."),
        ("fit.learning_rate", "fast", 'must be a number, got "fast"'),
        ("fit.learning_rate", "1e999", "must be a finite number, got Infinity"),
        ("fit.weight_decay", "-0.1", "must be at least 0.0, got -0.1"),
        ("fit.refit", "maybe", 'must be true or false, got "maybe"'),
        ("fit.refit", "[]", "must be true or false, got []"),
        ("fit.seed", "4294967296", "must be less than 4294967296, got 4294967296"),
        ("fit.device", "gpu", 'must be auto, cpu, mps, cuda or cuda:N, got "gpu"'),
        (
            "fit.device",
            "!!python/name:os.system ",
            "must be a plain value, got '' tagged python/name:os.system",
        ),
        ("network.head", "gru", 'must be linear, mlp, cnn or rnn, got "gru"'),
        ("network.head", "RNN", 'must be linear, mlp, cnn or rnn, got "RNN"; did you mean "rnn"?'),
        ("network.width", "5000", "must be at most 4096, got 5000"),
        ("split.time", "true", "must be text (in quotes if needed), got true"),
        ("split.time", '""', 'must not be empty, got ""'),
        ("split.time", '"\\ud800"', 'must be valid Unicode, got "\\ud800"'),
        ("split", "0.2", "must be a section of keys, got 0.2"),
    ],
)
def test_a_bad_value_is_refused_with_its_rule(tmp_path: Path, place: str, value: str, rule: str) -> None:
    section, _, key = place.partition(".")
    text = f"{TABLE}{section}: {{{key}: {value}}}\n" if key else f"{TABLE}{section}: {value}\n"
    assert refusal(write(tmp_path, text)) == f"study.yaml:8: {place}: {rule}"


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        (
            "telecom",
            "Telecom",
            "1: name: must be a lower-case letter, then at most 62 lower-case letters, digits or hyphens,"
            ' got "Telecom"',
        ),
        ("Yes", "", "7: target.positive: must be text, a number, true or false, got nothing"),
        ("Yes", "[[Yes]]", '7: target.positive: must be text, a number, true or false, got ["Yes"]'),
        ("Yes", "[]", "7: target.positive: must have at least 1 item, got []"),
        (
            "Yes",
            "None",
            '7: target.positive: must not be a spelling of a missing value, got "None"',
        ),
        ("  positive: Yes\n", "", "5: target.positive: missing; this key is required"),
        ("name: telecom\n", "", "1: name: missing; this key is required"),
        (
            "    path: customers.csv",
            "    paht: customers.csv",
            '4: data.customers.paht: unknown key; did you mean "path"?',
        ),
        (
            "    path: customers.csv",
            "    path: customers.csv\n    xyz: 1",
            "5: data.customers.xyz: unknown key; known here are"
            " path, id, exclude, categorical, numeric, dates, sequences",
        ),
        (
            "    path: customers.csv",
            "    path: customers.csv\n    exclude: surname",
            '5: data.customers.exclude: must be a list such as [a, b], got "surname"',
        ),
        (
            "    path: customers.csv",
            "    path: customers.csv\n    exclude:\n    - a\n    - ~",
            "7: data.customers.exclude[1]: must be text (in quotes if needed), got nothing",
        ),
        (
            "    path: customers.csv",
            "    path: customers.csv\n    sequences: {bill: []}",
            "5: data.customers.sequences.bill: must have at least 1 item, got []",
        ),
        (
            "    path: customers.csv",
            "    path: customers.csv\n    sequences: [a]",
            '5: data.customers.sequences: must be a section of keys, got ["a"]',
        ),
        (
            "    path: customers.csv",
            "    path: customers.csv\n    ? [a, b]\n    : c",
            "3: data.customers: a key must be plain text, got a list or a mapping",
        ),
        (
            "name: telecom",
            "name: telecom\nbase: /",
            "2: base: unknown key; known here are name, title, data, target, split, network, fit, fairness, "
            "reasons, allow_leaks, retention_days",
        ),
    ],
)
def test_a_fault_of_a_table_study_has_its_line(tmp_path: Path, right: str, wrong: str, fault: str) -> None:
    assert refusal(write(tmp_path, TABLE.replace(right, wrong))) == f"study.yaml:{fault}"


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        (
            "occurs",
            "occur",
            '8: target.outcome: must be occurs or absent, got "occur"; did you mean "occurs"?',
        ),
        ("[30, 90]", "[90, 30]", "9: target.horizons_days: must increase, got [90, 30]"),
        ("[30, 90]", "[30, 30]", "9: target.horizons_days: must increase, got [30, 30]"),
        ("[30, 90]", "[0]", "9: target.horizons_days[0]: must be greater than 0, got 0"),
        ("[30, 90]", "[]", "9: target.horizons_days: must have at least 1 item, got []"),
        ("[30, 90]", "30", "9: target.horizons_days: must be a list such as [a, b], got 30"),
        (
            "[30, 90]",
            str(list(range(1, 54))),
            "9: target.horizons_days: must have at most 52 items,"
            " got [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, ...",
        ),
        (
            "[30, 90]",
            "[30, 90]\n  cutoffs: {first: soon}",
            '10: target.cutoffs.first: must be a date such as 2011-09-10, got "soon"',
        ),
        (
            "[30, 90]",
            "[30, 90]\n  cutoffs:\n    first: 2011-09-10\n    last: 2011-09-01",
            "10: target.cutoffs: first must not be after last, got 2011-09-10 and 2011-09-01",
        ),
    ],
)
def test_a_fault_of_a_log_study_has_its_line(tmp_path: Path, right: str, wrong: str, fault: str) -> None:
    assert refusal(write(tmp_path, LOG.replace(right, wrong))) == f"study.yaml:{fault}"


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        (
            "  ends: cancelled_at\n",
            "  ends:\n",
            "7: target.ends: must be text (in quotes if needed), got nothing",
        ),
        ("[30, 90]", "[90, 30]", "8: target.horizons_days: must increase, got [90, 30]"),
        (
            "[30, 90]",
            "[30, 90]\n  start: since",
            '9: target.start: unknown key; did you mean "starts"?',
        ),
        (
            "[30, 90]",
            "[30, 90]\n  eligible: {min_history_days: -1}",
            "9: target.eligible.min_history_days: must be at least 0, got -1",
        ),
        (
            "[30, 90]",
            "[30, 90]\n  eligible: {min_event: 1}",
            '9: target.eligible.min_event: unknown key; did you mean "min_events"?',
        ),
        (
            "[30, 90]",
            "[30, 90]\n  cutoffs: {dates: [2020-02-01, 2020-01-01]}",
            "9: target.cutoffs.dates: must increase, got ['2020-02-01', '2020-01-01']",
        ),
        (
            "[30, 90]",
            "[30, 90]\n  cutoffs: {dates: [2020-02-01], last: 2020-03-01}",
            "9: target.cutoffs: dates must stand alone; leave out every_days, first and last",
        ),
        (
            "[30, 90]",
            "[30, 90]\n  reactivates_within_days: soon",
            '9: target.reactivates_within_days: must be a whole number, got "soon"',
        ),
        ("[30, 90]", "[30, 90]\n  cutoffs: 30", "9: target.cutoffs: must be a section of keys, got 30"),
    ],
)
def test_a_fault_of_a_contract_study_has_its_line(tmp_path: Path, right: str, wrong: str, fault: str) -> None:
    assert refusal(write(tmp_path, CONTRACTS.replace(right, wrong))) == f"study.yaml:{fault}"


def test_all_faults_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """\
# A study with everything wrong.
name: Shop
data:
  customers:
    path: customers.csv
    exclud: [surname]
    numeric: [tenure]
    categorical: [tenure]
  events:
    id: customer_id
    time: date
target:
  event: purchase
  outcom: occurs
  horizons_days: [30]
split: {time: signup}
fit:
  epochs: 3
  epochs: many
""",
    )
    assert refusal(path, "fit.epoch=3", "network.layers=none").splitlines() == [
        "study.yaml:2: name: must be a lower-case letter, then at most 62 lower-case letters, digits or"
        ' hyphens, got "Shop"',
        "study.yaml:4: data.customers.id: missing; it joins a customer to the events",
        'study.yaml:6: data.customers.exclud: unknown key; did you mean "exclude"?',
        'study.yaml:7: data.customers.numeric[0]: column "tenure" is already used by'
        " data.customers.categorical[0]; keep one",
        "study.yaml:9: data.events.path: missing; this key is required",
        'study.yaml:9: data.events.type: missing; target.event "purchase" is looked up in this column',
        'study.yaml:14: target.outcom: unknown key; did you mean "outcome"?',
        "study.yaml:16: split.time: needs a target column; other studies are always tested on later cutoffs",
        "study.yaml:19: fit.epochs: written twice, first on line 18; keep one",
        'study.yaml:19: fit.epochs: must be a whole number, got "many"',
        '--set network.layers: must be a whole number, got "none"',
        '--set fit.epoch: unknown key; did you mean "epochs"?',
    ]


def test_faults_are_of_one_form_only(tmp_path: Path) -> None:
    assert refusal(
        write(tmp_path, TABLE.replace("  column: Churn\n  positive: Yes", "  colum: Churn"))
    ).splitlines() == [
        "study.yaml:5: target.positive: missing; this key is required",
        'study.yaml:6: target.colum: unknown key; did you mean "column"?',
    ]


def test_a_misspelt_section_is_not_missing_too(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, TABLE.replace("customers:", "customer:"))) == (
        'study.yaml:3: data.customer: unknown key; did you mean "customers"?'
    )


def edits(word: str) -> st.SearchStrategy[str]:
    """One letter left out, put in, or replaced."""
    letters, spots = st.sampled_from("abcdefghijklmnopqrstuvwxyz_"), st.integers(0, len(word) - 1)
    left_out = spots.map(lambda i: word[:i] + word[i + 1 :])
    put_in = st.builds(lambda i, c: word[:i] + c + word[i:], spots, letters)
    replaced = st.builds(lambda i, c: word[:i] + c + word[i + 1 :], spots, letters)
    return left_out | put_in | replaced


def distance(a: str, b: str) -> int:
    """Levenshtein's."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


@given(
    place=st.sampled_from([(*place, key) for place, model in SECTIONS.items() for key in model.model_fields]),
    data=st.data(),
)
def test_a_misspelling_by_one_letter_gets_the_right_suggestion(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str, ...], data: st.DataObject
) -> None:
    *outer, key = place
    wrong = data.draw(edits(key))
    forms = (ColumnTarget, ContractTarget) if outer == ["target"] else ()
    models = [SECTIONS[tuple(outer)], *forms]
    others = {name for model in models for name in model.model_fields} - {key}
    assume(wrong not in {"", key} and all(distance(wrong, other) > 2 for other in others))
    raw = json.loads(json.dumps(EVERYTHING))
    section = raw
    for step in outer:
        section = section[step]
    section[wrong] = section.pop(key)
    lines = refusal(write(tmp_path_factory.getbasetemp(), json.dumps(raw))).splitlines()
    assert f'study.yaml:1: {".".join([*outer, wrong])}: unknown key; did you mean "{key}"?' in lines
    assert not any(": missing; this key is required" in line for line in lines)


PLACES = [(*place, key) for place, model in SECTIONS.items() for key in model.model_fields if key != "split"]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@given(place=st.sampled_from(PLACES), value=ANYTHING)
def test_any_value_anywhere_is_a_study_or_a_list_of_faults(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str, ...], value: Any
) -> None:
    raw = json.loads(json.dumps(EVERYTHING))
    section = raw
    for step in place[:-1]:
        section = section[step]
    section[place[-1]] = value
    try:
        read_study(write(tmp_path_factory.getbasetemp(), json.dumps(raw)))
    except StudyError as error:
        for line in str(error).splitlines():
            assert line.startswith("study.yaml:1: ")
            assert "is not allowed here" not in line
