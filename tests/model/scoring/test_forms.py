"""One score in every form of file."""

import csv
import io
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from model.predictor import Predictor, load_predictor
from model.scoring.as_of import AsOf
from model.scoring.score_file import score_file
from model.times import parse_time
from model.values.columns import parse_number
from tests.app.toys import AS_OF, CONTRACTS, TABLE_SCHEMA, TABLE_TASK, publish
from tests.model.files.written import written

N = 500
SAME = 1e-6


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """Cells as people write them."""
    draw = np.random.default_rng(0)
    spellings: dict[str, list[str]] = {
        "Total Charges": ["0", "2.50", " 7.5", "1e1", "", "NA", "-3", "+4", "007", "0.1"],
        "contract": [*CONTRACTS[:5], "never seen", "", "n/a", " contract 1 "],
        "copy": ["1", "1.0", "2.50", "true", "True", "", "01"],
        "_senior": ["yes", "No", "T", "0", "1", ""],
        "since": ["31.12.1996", "1997-01-02", "1997-01-02T10:00:00+02:00", "", "01.01.2030"],
        "bill_1": ["1", "2", "3.5", "None"],
        "bill_2": ["", "4"],
    }
    columns = {name: draw.choice(texts, N).tolist() for name, texts in spellings.items()}
    return [{"customer_id": f"c{n}", **{name: cells[n] for name, cells in columns.items()}} for n in range(N)]


def csv_of(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    root = tmp_path_factory.mktemp("registry")
    publish(root, "churn", TABLE_SCHEMA, TABLE_TASK)
    return load_predictor(root / "churn" / "1")


def probabilities(predictor: Predictor, file: Path) -> list[float]:
    """The scores of a file, which are the same with and without rows being rejected."""
    found = []
    for reject in (True, False):
        out = file.with_name("scores.csv")
        score_file(predictor, out, customers=file, as_of=AsOf(parse_time(AS_OF), "the test"), reject=reject)
        with out.open(encoding="utf-8", newline="") as written:
            rows = list(csv.DictReader(written))
        assert {row["error"] for row in rows} == {""}
        found.append([float(row["probability"]) for row in rows])
    assert found[0] == found[1]
    return found[0]


def test_every_form_has_the_scores_of_the_csv_file(
    predictor: Predictor, rows: list[dict[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "file.csv").write_bytes(csv_of(rows))
    wanted = probabilities(predictor, tmp_path / "file.csv")
    assert np.ptp(wanted) > 0.1
    texts = pa.table({name: [row[name] for row in rows] for name in rows[0]})
    numbers = {
        name: pa.array([_number(row[name]) for row in rows]) for name in ("Total Charges", "bill_1", "bill_2")
    }
    typed = pa.table(
        {name: numbers.get(name, texts[name].combine_chunks().dictionary_encode()) for name in rows[0]}
    )
    for table in (texts, typed):
        for suffix in ("arrows", "parquet", "ndjson"):
            file = written(tmp_path / f"file.{suffix}", table)
            assert probabilities(predictor, file) == pytest.approx(wanted, abs=SAME)


def test_a_file_and_its_parts_have_the_same_scores(
    predictor: Predictor, rows: list[dict[str, str]], tmp_path: Path
) -> None:
    table = pa.table({name: [row[name] for row in rows] for name in rows[0]})
    whole = probabilities(predictor, written(tmp_path / "file.parquet", table))
    (tmp_path / "parts").mkdir()
    for number in range(3):
        part = table.slice(number * 200, 200)
        written(tmp_path / "parts" / f"part-{number}.parquet", part)
    assert probabilities(predictor, tmp_path / "parts") == pytest.approx(whole, abs=SAME)


def _number(text: str) -> float | None:
    number = parse_number(text)
    return None if math.isnan(number) else number
