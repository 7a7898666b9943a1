"""A file of scores appears whole or not at all."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from model.errors import DataError
from model.files.writers import open_scores, score_schema, score_table
from model.values.columns import Texts

SCHEMA = score_schema(["30"], eligible=True)


def rows(*ids: str) -> pa.Table:
    """A row for each id, and one that could not be read."""
    places, n = np.array([*range(len(ids)), -1]), len(ids)
    why = Texts(np.full(n, -1, dtype=np.int32), ("has left",))
    return score_table([*ids, None], np.full((n, 1), 0.1), ["30"], why, places, {n: "row 9 must be read"})


def write(path: Path, blocks: Iterable[pa.Table]) -> None:
    with open_scores(path, ["30"], eligible=True) as writer:
        for block in blocks:
            writer.write_table(block)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


HEAD = "customer_id,probability,probability_30d,eligible,not_eligible_because,error\n"
UNREAD = ',,,,,"row 9 must be read"\n'


@pytest.mark.parametrize("name", ["out.csv", "OUT.CSV"])
def test_csv(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, [rows("007", 'a "b", c'), rows("größer")])
    assert (tmp_path / name).read_text(encoding="utf-8") == (
        f'{HEAD}"007",0.1,0.1,true,,\n"a ""b"", c",0.1,0.1,true,,\n{UNREAD}"größer",0.1,0.1,true,,\n{UNREAD}'
    )
    assert names(tmp_path) == [name]


def expected(*ids: str) -> list[dict[str, object]]:
    nothing = dict.fromkeys(["probability", "probability_30d", "eligible", "not_eligible_because", "error"])
    good = {**nothing, "probability": 0.1, "probability_30d": 0.1, "eligible": True}
    bad = {**nothing, "error": "row 9 must be read"}
    found: list[dict[str, object]] = [{"customer_id": id_, **good} for id_ in ids]
    return [*found, {"customer_id": None, **bad}]


def test_parquet_an_arrow_stream_and_json_lines_hold_the_same(tmp_path: Path) -> None:
    for name in ("out.parquet", "out.arrows", "out.ndjson"):
        write(tmp_path / name, [rows("007"), rows("8")])
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert table.to_pylist() == [*expected("007"), *expected("8")]
    assert table.schema.equals(SCHEMA)
    assert pa.ipc.open_stream((tmp_path / "out.arrows").read_bytes()).read_all() == table
    lines = (tmp_path / "out.ndjson").read_text().splitlines()
    assert [json.loads(line) for line in lines] == table.to_pylist()
    assert names(tmp_path) == ["out.arrows", "out.ndjson", "out.parquet"]


def test_no_row_at_all_is_a_file_with_a_header(tmp_path: Path) -> None:
    write(tmp_path / "out.csv", [])
    assert (tmp_path / "out.csv").read_text() == HEAD


def test_a_file_that_was_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("old " * 1_000)
    write(tmp_path / "out.csv", [rows("1")])
    assert (tmp_path / "out.csv").read_text() == f'{HEAD}"1",0.1,0.1,true,,\n{UNREAD}'


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.ndjson", "out.arrows"])
def test_an_error_half_way_leaves_what_was_there(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("old")
    with pytest.raises(ZeroDivisionError):
        write(tmp_path / name, (rows(str(1 // left)) for left in (1, 0)))
    assert (tmp_path / name).read_text() == "old"
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("name", ["out.txt", "out", "out.csv.gz", ".csv"])
def test_another_suffix_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError) as caught:
        write(tmp_path / name, [rows("1")])
    assert str(caught.value) == f"--out must end in one of .csv, .parquet, .ndjson, .arrows, got {name!r}"
    assert names(tmp_path) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--out must lie in a folder that is there, got .*nowhere/out\.csv"):
        write(tmp_path / "nowhere" / "out.csv", [rows("1")])
