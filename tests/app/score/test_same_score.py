"""One score, whatever form a file has, and whether the service or `propense score` reads it."""

import csv
import io
import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from model.scoring.score_file import score_file
from model.times import parse_time
from model.values.columns import parse_number
from tests.app.score.conftest import ARROW, CSV, NDJSON, PARQUET, Serve, scored
from tests.app.score.test_arrow import stream
from tests.app.score.test_parquet import file
from tests.app.toys import AS_OF, CONTRACTS

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


def probabilities(content: bytes) -> list[float]:
    told = list(csv.DictReader(io.StringIO(content.decode())))
    assert {one["error"] for one in told} == {""}
    return [float(one["probability"]) for one in told]


def test_a_csv_file_has_the_scores_of_propense_score(
    served: Serve, rows: list[dict[str, str]], tmp_path: Path
) -> None:
    model = served("churn")
    content = csv_of([{name: row[name] for name in row if name != "customer_id"} for row in rows])
    (tmp_path / "customers.csv").write_bytes(content)
    out = tmp_path / "scores.csv"
    score_file(
        model.predictor, out, customers=tmp_path / "customers.csv", events=None, as_of=parse_time(AS_OF)
    )
    with out.open(encoding="utf-8", newline="") as written:
        wanted = [float(row["probability"]) for row in csv.DictReader(written)]
    assert np.ptp(wanted) > 0.1
    assert probabilities(scored(model, CSV, [content])) == pytest.approx(wanted, abs=SAME)


def test_every_form_has_the_scores_of_the_csv_file(served: Serve, rows: list[dict[str, str]]) -> None:
    model, content = served("churn"), csv_of(rows)
    wanted = probabilities(scored(model, CSV, [content]))
    texts = pa.table({name: [row[name] for row in rows] for name in rows[0]})
    numbers = {
        name: pa.array([_number(row[name]) for row in rows]) for name in ("Total Charges", "bill_1", "bill_2")
    }
    typed = pa.table(
        {name: numbers.get(name, texts[name].combine_chunks().dictionary_encode()) for name in rows[0]}
    )
    for table in (texts, typed):
        told = pa.ipc.open_stream(scored(model, ARROW, [stream(table)])).read_all().to_pylist()
        assert [one["error"] for one in told] == [None] * N
        assert [one["probability"] for one in told] == pytest.approx(wanted, abs=SAME)
        told = pq.read_table(io.BytesIO(scored(model, PARQUET, [file(table)]))).to_pylist()
        assert [one["probability"] for one in told] == pytest.approx(wanted, abs=SAME)


def test_lines_have_the_scores_of_the_csv_file(served: Serve, rows: list[dict[str, str]]) -> None:
    model, kept = served("churn"), ("Total Charges", "contract", "copy", "bill_1")
    few = [{name: row[name] if name in kept else "" for name in row} for row in rows]
    lines = [
        {"contract": row["contract"], "copy": row["copy"]}
        | {name: _number(row[name]) for name in ("Total Charges", "bill_1")}
        for row in few
    ]
    content = "\n".join(json.dumps(line) for line in lines).encode()
    told = [json.loads(line)["probability"] for line in scored(model, NDJSON, [content]).splitlines()]
    assert told == pytest.approx(probabilities(scored(model, CSV, [csv_of(few)])), abs=SAME)


def _number(text: str) -> float | None:
    number = parse_number(text)
    return None if math.isnan(number) else number
