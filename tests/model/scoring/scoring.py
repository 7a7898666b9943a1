"""Scores of the files that a model was trained on, as tests read them."""

import csv
from pathlib import Path
from typing import Any

from model.scoring.as_of import AsOf
from model.scoring.score_file import Summary, score_file
from tests.training.shops import Published

LATE = "2022-07-01"


def score(model: Published, out: Path, **changes: Any) -> Summary:
    """Score the files that the model was trained on."""
    folder = model.shop.folder
    log = model.predictor.manifest.schema_.events is not None
    options: dict[str, Any] = {
        "customers": folder / "customers.csv",
        "events": folder / "events.csv" if log else None,
        "as_of": None,
    }
    options |= changes
    if isinstance(options["as_of"], int):
        options["as_of"] = AsOf(options["as_of"], "the test")
    return score_file(model.predictor, out, **options)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def probabilities(path: Path) -> dict[str, float]:
    return {row["customer_id"]: float(row["probability"]) for row in read(path)}
