"""A cell means the same however it is spelt: in a file of numbers, beside words, and in a request."""

import csv
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from model.predictor import Predictor
from model.scoring.as_of import AsOf
from model.scoring.score_file import score_file
from model.values.rows import customers_from_rows
from tests.training.shops import TABLE, Row, Shop, publish

SAME: Final = 1e-6  # as in tests.test_parity
LONG: Final = ("9007199254740993", "9007199254740992")  # one number to a float


def test_a_category_that_looks_like_a_number_is_one_however_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside words a column is one of texts, without them one of numbers."""
    draw, codes = np.random.default_rng(0), ["1.0", "2.50", "1e3", *LONG, "007", "A"]
    shop = Shop(tmp_path, [], [])
    for number in range(240):
        code = str(draw.choice(codes if number < 60 else codes[:5]))
        shop.customers.append({"id": str(number), "x": float(draw.normal()), "code": code})
        shop.churned.append(bool(draw.random() < {"1.0": 0.1, "2.50": 0.9, LONG[0]: 0.2}.get(code, 0.5)))
    shop.save_table()
    predictor = publish(shop, TABLE.replace("id: id}", "id: id, categorical: [code]}")).predictor

    whole = _scored(predictor, tmp_path)
    monkeypatch.setattr("model.scoring.blocks.CHUNK_ROWS", 30)
    assert _scored(predictor, tmp_path) == pytest.approx(whole, abs=SAME)
    spellings: list[list[Any]] = [["1.0", "1", 1, 1.0], ["2.50"], ["1e3", 1000], ["007"]]
    spellings += [[code, int(code)] for code in LONG]
    rows = [[{"x": 0.0, "code": code} for code in same] for same in spellings]
    found = [
        {round(p, 5) for row in same for p in _predicted(predictor, [row])}
        | {round(p, 5) for p in _predicted(predictor, same)}
        for same in rows
    ]
    assert [len(same) for same in found] == [1] * len(found)
    assert len(set.union(*found)) == len(found)


def test_a_repeated_number_is_one_however_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file beside a word, in a file of numbers and in a request; and its neighbour is another."""
    monkeypatch.setattr("training.schema.fit_schema.MIN_ROWS", 10)
    monkeypatch.setattr("training.schema.fit_schema.BINS", 2)
    draw, chances = np.random.default_rng(0), {"0.1": 0.9, "0.30": 0.1, "5": 0.9, "7.0": 0.1, "1e3": 0.9}
    shop = Shop(tmp_path, [], [])
    for number in range(240):
        rate = "unknown" if number % 97 == 0 else str(draw.choice(list(chances)))
        shop.customers.append({"id": str(number), "x": float(draw.normal()), "rate": rate})
        shop.churned.append(bool(draw.random() < chances.get(rate, 0.5)))
    shop.save_table()
    predictor = publish(shop, TABLE.replace("id: id}", "id: id, numeric: [rate]}")).predictor
    ((_, column),) = predictor.manifest.schema_.valued
    assert column.values == (0.1, 0.3, 5.0, 7.0, 1000.0)

    whole = _scored(predictor, tmp_path)
    monkeypatch.setattr("model.scoring.blocks.CHUNK_ROWS", 30)
    assert _scored(predictor, tmp_path) == pytest.approx(whole, abs=SAME)
    numbers = [None if row["rate"] == "unknown" else float(row["rate"]) for row in shop.customers]
    rows = [{**row, "rate": number} for row, number in zip(shop.customers, numbers, strict=True)]
    assert _predicted(predictor, rows) == pytest.approx(whole, abs=SAME)
    near = [{**row, "rate": np.nextafter(row["rate"], 9.0)} for row in rows if row["rate"] is not None]
    known = [p for p, number in zip(whole, numbers, strict=True) if number is not None]
    assert np.abs(np.subtract(_predicted(predictor, near), known)).min() > 10 * SAME


def _scored(predictor: Predictor, folder: Path) -> list[float]:
    """The probabilities of customers.csv."""
    out = folder / "scores.csv"
    score_file(predictor, out, customers=folder / "customers.csv", events=None, as_of=AsOf(0, "the test"))
    with out.open(encoding="utf-8", newline="") as file:
        return [float(row["probability"]) for row in csv.DictReader(file)]


def _predicted(predictor: Predictor, rows: list[Row]) -> list[float]:
    return [
        p
        for (p,) in predictor.predict(
            customers_from_rows(rows, predictor.manifest.schema_, 0)
        ).probabilities.tolist()
    ]
