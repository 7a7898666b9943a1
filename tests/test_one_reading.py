"""A cell is read alike in every form of file, by train, audit, score, evaluate and /score."""

import csv
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyarrow import parquet as pq

from model.errors import DataError
from model.files.cells import texts_from
from model.predictor import Predictions
from model.schema import BooleanColumn, CategoricalColumn, DateColumn, NumericColumn, Schema
from model.scoring.as_of import AsOf
from model.scoring.log_blocks import read_for
from model.scoring.score_file import score_file
from model.task import ColumnTask
from model.times import MISSING_TIME
from model.values.columns import Texts, absent, as_booleans, as_categories, as_dates, as_numbers
from model.values.customers import Customers
from model.values.numbers import plain_numbers
from model.values.spelling import is_no_value
from tests.app.toys import scaling
from tests.model.files.written import listed
from training.prepare import read_dataset
from training.study.study import read_study

SCHEMA: Final = Schema(
    id=None,
    columns=(
        NumericColumn(name="number", scaling=scaling()),
        NumericColumn(name="price", scaling=scaling(), spelling=".$"),
        NumericColumn(name="rate", scaling=scaling(), spelling=",%"),
        BooleanColumn(name="flag", scaling=scaling()),
        DateColumn(name="since", time_format="%d.%m.%Y", scaling=scaling()),
        DateColumn(name="due", time_format="%d %b %Y", scaling=scaling()),
        CategoricalColumn(name="plan", vocabulary=("basic", "7", "true")),
    ),
)
TASK: Final = ColumnTask(column="churn", positive="yes")
STUDY: Final = """
name: one
data:
  customers: {{path: {path}, categorical: [plan]}}
target: {{column: churn, positive: "yes"}}
"""

MISSING = st.sampled_from(["", " ", "NA", "n/a", "NaN", "null", "None", "<NA>"])
NUMBER = st.sampled_from(
    ["1", "1.0", " 2.5", "1e3", "-.5", "+4", "007", "1,5", "1_0", "inf", "-nan", "9" * 20]
)
PRICE = st.sampled_from(["$1,234.50", "(12.00)", "$5", "7", "-$3.10", "12-", "1.234,5", "5 EUR", "$", "?"])
RATE = st.sampled_from(["12,5%", "1.234,5 %", "7", "7,5", "12.5%", "-", "3 pp"])
DUE = st.sampled_from(
    [
        "14-Apr-2025",
        "14. Oktober 2025",
        "Mon, 14 Apr 2025 10:00:00 +0200",
        "2025-04-14",
        "14 de abril de 2025 9:30 PM",
        "30 Feb 2025",
        "14 Foo 2025",
    ]
)
FLAG = st.sampled_from(["yes", "No", "T", "f", "1", "0", "1.0", "0.0", "2", "TRUE"])
DATE = st.sampled_from(
    ["31.12.1996", "1997-01-02", "1997-01-02T10:00:00+02:00", "1997-01-02 10:00", "32.01.1997", "19970102"]
)
WORD = st.sampled_from(
    ["basic", " basic ", "7", "7.0", "7e0", "007", "true", 'a "b", c', "two\nlines", "größe"]
)
CELL = st.one_of(MISSING, NUMBER, FLAG, DATE, WORD)
TEXT_KINDS = st.sampled_from([pa.string(), pa.large_string(), pa.string_view(), "dictionary"])


def cells(usual: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    """Columns of six cells, most of them as the column should have them."""
    return st.lists(usual, min_size=6, max_size=6) | st.lists(usual | CELL, min_size=6, max_size=6)


TABLES = st.fixed_dictionaries(
    {
        "number": cells(NUMBER | MISSING),
        "price": cells(PRICE | MISSING),
        "rate": cells(RATE | MISSING),
        "due": cells(DUE | MISSING),
        "flag": cells(FLAG | MISSING),
        "since": cells(DATE | MISSING),
        "plan": cells(WORD | MISSING),
    }
)


def write(path: Path, columns: dict[str, list[Any]], kinds: dict[str, Any]) -> Path:
    """A file in the form of its suffix; `kinds` are the Arrow types of the columns."""
    columns = {**columns, "churn": ["yes"] * len(columns["number"])}
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows(
                [[*columns], *zip(*columns.values(), strict=True)]
            )
    elif path.suffix == ".ndjson":
        objects = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
        path.write_text("".join(json.dumps(row) + "\n" for row in objects))
    else:
        table = pa.table({name: _array(values, kinds.get(name)) for name, values in columns.items()})
        if path.suffix == ".parquet":
            pq.write_table(table, path)
        else:
            with pa.ipc.new_stream(path, table.schema) as stream:
                stream.write_table(table, max_chunksize=4)
    return path


def _array(values: list[Any], kind: Any) -> Any:
    return pa.array(values).dictionary_encode() if kind == "dictionary" else pa.array(values, kind)


def meaning(columns: Any) -> dict[str, list[object]]:
    """What the model reads of the columns."""
    return {
        **{name: listed(as_numbers(columns[name])) for name in ("number", "price", "rate")},
        "flag": listed(as_booleans(columns["flag"])),
        "since": as_dates(columns["since"], "%d.%m.%Y", "UTC").tolist(),
        "due": as_dates(columns["due"], "%d %b %Y", "UTC").tolist(),
        "plan": listed(as_categories(columns["plan"])),
    }


def readings(path: Path) -> dict[str, dict[str, list[object]]]:
    """What each way of reading makes of a file, with the notes of both ways of scoring."""
    study = path.with_name("study.yaml")
    study.write_text(STUDY.format(path=path.name))
    trained = read_dataset(read_study(study)).columns
    evaluated = read_for(SCHEMA, path, None).columns
    # training finds no such spelling where all cells are plain numbers
    spelt = {name: form for name, form in SCHEMA.spellings.items() if isinstance(trained[name], Texts)}
    plain = {n: plain_numbers(trained[n], spelt[n]) if n in spelt else evaluated[n] for n in SCHEMA.spellings}
    (score, notes), (rejecting, rejected) = (scored(path, reject=reject) for reject in (False, True))
    return {
        "train and audit": meaning({**trained, **plain}),
        "evaluate": meaning(evaluated),
        "score": meaning(score),
        "/score": meaning(rejecting),
        "notes": {"score": notes, "/score": rejected},
    }


def scored(path: Path, *, reject: bool) -> tuple[Any, list[object]]:
    """The columns that a predictor gets, and the notes, or the refusal."""
    got: list[Customers] = []

    def predict(customers: Customers) -> Predictions:
        got.append(customers)
        N = len(customers)
        inputs = (
            np.zeros((N, len(SCHEMA.numeric)), np.float32),
            np.zeros((N, len(SCHEMA.categorical)), np.int64),
        )
        return Predictions(np.full((N, 1), 0.5), *inputs)

    manifest = SimpleNamespace(schema_=SCHEMA, task=TASK)
    predictor: Any = SimpleNamespace(manifest=manifest, predict=predict, n_reasons=0)
    out, as_of = path.with_name("out.csv"), AsOf(0, "the test")
    try:
        notes = score_file(predictor, out, customers=path, as_of=as_of, reject=reject).notes
    except DataError as refusal:  # most of a column cannot be read
        notes = (str(refusal),)
    (customers,) = got
    return customers.columns, [note.replace(path.name, "the file") for note in notes]


def unscored(path: Path) -> list[bool]:
    """Whether each row of the last file of scores has an error."""
    with path.with_name("out.csv").open(encoding="utf-8", newline="") as file:
        return [row["error"] != "" for row in csv.DictReader(file)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TABLES, TEXT_KINDS, TEXT_KINDS)
def test_texts_are_read_alike(tmp_path: Path, columns: dict[str, list[str]], number: Any, plan: Any) -> None:
    kinds = {"number": number, "plan": plan}
    found: dict[tuple[str, str], dict[str, list[object]]] = {}
    for suffix in ("csv", "ndjson", "arrows", "parquet"):
        file = write(tmp_path / f"t.{suffix}", columns, kinds)
        found |= {(suffix, way): read for way, read in readings(file).items()}
        assert unscored(file) == expected_errors(columns)
    first, notes = found["csv", "train and audit"], found["csv", "notes"]
    wrong = {key: read for key, read in found.items() if read != (notes if key[1] == "notes" else first)}
    assert wrong == {}


def expected_errors(columns: dict[str, list[str]]) -> list[bool]:
    """Whether a row has a cell that is there and cannot be read, by the definition of each kind."""
    texts = {name: texts_from(pa.array(values)) for name, values in columns.items()}
    said = {name: ~absent(column) & ~marks(column) for name, column in texts.items()}
    plain = {name: plain_numbers(texts[name], form) for name, form in SCHEMA.spellings.items()}
    bad = np.zeros(len(columns["number"]), dtype=bool)
    for name in ("number", "price", "rate"):
        bad |= said[name] & np.isnan(as_numbers(plain.get(name, texts[name])))
    bad |= said["flag"] & np.isnan(as_booleans(texts["flag"]))
    for column in SCHEMA.columns:
        if isinstance(column, DateColumn):
            instants = as_dates(texts[column.name], column.time_format, "UTC")
            bad |= said[column.name] & (instants == MISSING_TIME)
    return bad.tolist()


def marks(column: Texts) -> NDArray[np.bool_]:
    """Which cells are marks of nothing."""
    return np.array([*map(is_no_value, column.values), False])[column.codes]


CLOCKS: Final = [datetime(1997, 1, 2, 3), None, datetime(1996, 12, 31)]  # noqa: DTZ001 - naive is meant
TYPED: Final = {
    "int64": pa.array([1, None, 3], pa.int64()),
    "uint8": pa.array([1, None, 0], pa.uint8()),
    "float16": pa.array([1.5, None, 0.0], pa.float16()),
    "float32": pa.array([0.1, None, 1.0], pa.float32()),
    "double": pa.array([0.1, None, float("nan")]),
    "decimal": pa.array([Decimal("7.50"), None, Decimal("0.10")], pa.decimal128(5, 2)),
    "bool": pa.array([True, None, False]),
    "date32": pa.array([date(1997, 1, 2), None, date(1996, 12, 31)]),
    "date64": pa.array([date(1997, 1, 2), None, date(1996, 12, 31)], pa.date64()),
    "time32": pa.array([time(9, 30), None, time(0, 0)], pa.time32("s")),
    "time64": pa.array([time(9, 30), None, time(0, 0)], pa.time64("us")),
    **{f"timestamp {unit}": pa.array(CLOCKS, pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")},
    "zoned": pa.array([datetime(1997, 1, 2, tzinfo=UTC), None, None], pa.timestamp("us", "Asia/Tokyo")),
    "null": pa.nulls(3),
    "dictionary of numbers": pa.array([1.5, None, 1.5]).dictionary_encode(),
    "dictionary of views": pa.array(["a", None, "a"], pa.string_view()).dictionary_encode(),
}


@pytest.mark.parametrize("kind", TYPED)
def test_typed_columns_are_read_alike(tmp_path: Path, kind: str) -> None:
    array = TYPED[kind]
    spelt = texts_from(array)
    texts = [spelt.values[code] if code >= 0 else "" for code in spelt.codes]
    names, others = ("number", "flag", "since", "plan"), ("price", "rate", "due")
    csv_file = write(
        tmp_path / "t.csv", {**dict.fromkeys(names, texts), **dict.fromkeys(others, [""] * 3)}, {}
    )
    found = {("csv", way): read for way, read in readings(csv_file).items()}
    table = pa.table(
        {**dict.fromkeys(names, array), **dict.fromkeys(others, pa.nulls(3)), "churn": ["yes"] * 3}
    )
    if kind not in ("float16", "dictionary of views"):  # which Parquet does not have
        pq.write_table(table, tmp_path / "t.parquet")
        found |= {("parquet", way): read for way, read in readings(tmp_path / "t.parquet").items()}
    with pa.ipc.new_stream(tmp_path / "t.arrows", table.schema) as stream:
        stream.write_table(table)
    found |= {("arrows", way): read for way, read in readings(tmp_path / "t.arrows").items()}
    found = {key: read for key, read in found.items() if key[1] != "notes"}  # they show a cell as it is typed
    first = found["csv", "train and audit"]
    assert {key: read for key, read in found.items() if read != first} == {}
