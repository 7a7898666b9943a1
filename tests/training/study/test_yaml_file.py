from pathlib import Path

import pytest

from tests.training.study.texts import TABLE, refusal, write
from training.study.sections import CustomersSource
from training.study.study import ColumnTarget, read_study


def test_overrides_replace_make_and_remove(tmp_path: Path) -> None:
    study = read_study(
        write(tmp_path, f"{TABLE}fit:\n"),
        [
            "fit.epochs=3",
            "network={head: rnn}",
            "network.width=32",
            "data.customers.path=other.csv",
            "data.customers.sequences.bill=[a, b]",
            "target.positive=No",
            "data.events=",
        ],
    )
    assert (study.fit.epochs, study.network.head, study.network.width) == (3, "rnn", 32)
    assert study.data.customers == CustomersSource(path="other.csv", sequences={"bill": ("a", "b")})
    assert study.data.events is None
    assert study.target == ColumnTarget(column="Churn", positive="No")


def test_an_override_can_turn_a_bad_file_into_a_good_one(tmp_path: Path) -> None:
    assert read_study(write(tmp_path, f"{TABLE}fit: {{epochs: many}}\n"), ["fit.epochs=3"]).fit.epochs == 3


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        ("fit.epochs", "--set takes KEY=VALUE such as fit.epochs=3, got 'fit.epochs'"),
        ("=3", "--set takes KEY=VALUE such as fit.epochs=3, got '=3'"),
        ("fit..epochs=3", "--set takes KEY=VALUE such as fit.epochs=3, got 'fit..epochs=3'"),
        ("name.first=a", "--set name.first: name is not a section of keys"),
        ("network.width=", "--set network.width: must be a whole number, got nothing"),
        ("fit={epochs: a}", '--set fit: fit.epochs: must be a whole number, got "a"'),
        ("fit={epochs: 1, epochs: 2}", "--set fit: fit.epochs: written twice; keep one"),
        (
            "data.events.id=x",
            "--set data.events.id: data.events.path: missing; this key is required\n"
            "--set data.events.id: data.events.time: missing; this key is required",
        ),
        (
            "fit=[1",
            "--set fit: not valid YAML: while parsing a flow sequence, expected ',' or ']',"
            " but got '<stream end>'",
        ),
        (
            "fit.device=@a",
            "--set fit.device: not valid YAML: while scanning for the next token,"
            " found character '@' that cannot start any token; put the text in quotes",
        ),
    ],
)
def test_a_bad_override_is_named(tmp_path: Path, override: str, fault: str) -> None:
    path = write(tmp_path, TABLE.replace("customers.csv", "customers.csv\n    id: id"))
    assert refusal(path, override) == fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name: a\ndata: b: c\n", "study.yaml:2: not valid YAML: mapping values are not allowed here"),
        (
            "name: a\ntime_format: %Y\n",
            "study.yaml:2: not valid YAML: while scanning for the next token,"
            " found character '%' that cannot start any token; put the text in quotes",
        ),
        (
            "a: &a 1\nb: *a\n",
            "study.yaml:2: not valid YAML: a study must not use aliases; write the value out",
        ),
        (
            "a: 1\n--- \nb: 2\n",
            "study.yaml:2: not valid YAML: expected a single document in the stream,"
            " but found another document",
        ),
        ("a: 1\nb: \x07\n", "study.yaml:2: not valid YAML: the character U+0007 is not allowed"),
        ("# only a comment\n- a\n", "study.yaml:2: a study must be keys with values, such as name: churn"),
    ],
)
def test_what_is_no_study_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    assert refusal(write(tmp_path, text)) == fault


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    absent, empty, foreign = tmp_path / "absent.yaml", tmp_path / "empty.yaml", tmp_path / "foreign.yaml"
    empty.write_text("# nothing\n")
    foreign.write_bytes("name: café\n".encode("latin-1"))
    assert refusal(absent) == (
        f"the study {absent} cannot be read: No such file or directory; name a YAML file"
    )
    assert refusal(tmp_path) == f"the study {tmp_path} cannot be read: Is a directory; name a YAML file"
    assert refusal(empty) == f"the study {empty} is empty; it needs at least name, data and target"
    assert refusal(foreign) == f"the study {foreign} must be UTF-8 text; save it as UTF-8"


def test_a_fault_stays_on_its_line_whatever_the_key(tmp_path: Path) -> None:
    text = f'{TABLE}"a\\r\\nb": 1\n'
    (line,) = refusal(write(tmp_path, text)).splitlines()
    assert line.startswith("study.yaml:8: a\\r\\nb: unknown key; ")


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    assert read_study(write(tmp_path, f"\ufeff{TABLE}")).name == "telecom"
