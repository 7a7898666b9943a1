"""The tables, drawn from records made up: means, ranks and gaps that can be checked by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from tests.benchmarks.quality.records import MEASURES, RESAMPLES, Record
from tests.benchmarks.quality.table import render


def _record(
    case: str,
    model: str,
    auc: float,
    loss: float,
    *,
    seed: int = 0,
    cut: str = "",
    fit: float = 1.0,
) -> Record:
    measures = {**dict.fromkeys(MEASURES, 0.01), "auc": auc, "log_loss": loss}
    spread = np.linspace(-0.1, 0.1, RESAMPLES)
    ours = model.startswith("propense-")
    return Record(
        case,
        "log" if case.startswith("log") else "table",
        model,
        seed,
        cut,
        "d",
        (800, 200, 50),
        "2024-01-01",
        measures,
        {name: (measures[name] + spread).tolist() for name in ("auc", "log_loss")},
        fit,
        9.0 if ours else None,
        "linear" if ours else None,
    )


def _silent(case: str, model: str, reason: str) -> Record:
    return Record(case, "table", model, 0, "", "d", (800, 200, 50), "2024-01-02", reason=reason)


@pytest.fixture
def lines() -> list[str]:
    records = [
        _record("log", "propense-mlp", 0.70, 0.52, cut="2024-02-01", fit=3.0),
        _record("log", "propense-mlp", 0.78, 0.50, cut="2024-03-01", fit=5.0),
        _record("log", "propense-rnn", 0.72, 0.53, cut="2024-03-01", fit=5.0),
        _record("log", "catboost", 0.75, 0.50, cut="2024-02-01", fit=2.0),
        _record("log", "catboost", 0.75, 0.50, cut="2024-03-01", fit=2.0),
        _record("log", "pareto", 0.60, 0.60, cut="2024-02-01"),
        _record("table", "propense-mlp", 0.80, 0.40, seed=0),
        _record("table", "propense-mlp", 0.90, 0.30, seed=1),
        _record("table", "catboost", 0.84, 0.36, fit=4.0),
        _silent("table", "pareto", "asks about purchases"),
    ]
    return render(records, {"oulad": "oulad/events.csv is not in the folder of the data"})


def _cells(lines: Sequence[str], heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by their first cell."""
    start = next(n for n, line in enumerate(lines) if line.startswith(heading))
    below = lines[start + 1 :]
    stop = next((n for n, line in enumerate(below) if line.startswith("#")), len(below))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in below[:stop] if line.startswith("|")]
    return {row[0]: row[1:] for row in rows[2:]}


def test_a_case_has_a_row_a_model_with_means_over_seeds(lines: list[str]) -> None:
    assert [line for line in lines if line.startswith("### ")] == [
        *("### table (table)", "### log (log)", "### Mean ranks", "### Propense minus the best peer"),
    ]
    rows = _cells(lines, "### table")
    assert list(rows) == ["Propense", "CatBoost"]
    assert rows["Propense"][0] == "**0.8500**"
    assert rows["Propense"][3] == "**0.3500**"
    assert rows["Propense"][-3:] == ["1.0", "9.0", "2"]
    assert rows["CatBoost"][-3:] == ["4.0", "", "1"]
    assert rows["CatBoost"][1] == "0.7450 to 0.9350"
    low, high = map(float, rows["Propense"][1].split(" to "))
    assert low < 0.75
    assert high > 0.95  # the seeds differ by more than the rows
    assert "800 training examples, 200 test examples, 50 of them positive." in lines


def test_a_log_has_means_over_its_dates_and_each_date(lines: list[str]) -> None:
    rows = _cells(lines, "### log")
    assert list(rows)[:4] == ["Propense", "Propense, study with rnn", "CatBoost", "Pareto/NBD"]
    assert rows["Propense"][0] == "0.7400"
    assert rows["Propense"][-3:] == ["4.0", "9.0", "1"]
    assert rows["2024-02-01"] == ["0.5200", "0.5000", "0.0100", "0.0100"]
    assert "Propense published linear in 2 of 2 runs." in " ".join(lines)


def test_ranks_are_means_over_the_cases_a_model_answers(lines: list[str]) -> None:
    assert _cells(lines, "### Mean ranks") == {
        "Propense": ["1.50", "1.50", "1.50", "2"],
        "CatBoost": ["1.50", "1.50", "1.50", "2"],
        "Pareto/NBD": ["3.00", "3.00", "3.00", "1"],
    }


def test_the_gap_is_to_the_best_peer_of_each_measure(lines: list[str]) -> None:
    assert _cells(lines, "### Propense minus") == {
        "table": ["+0.0100", "-0.0100", "+0.0000", "0.25"],
        "log": ["-0.0100", "+0.0100", "+0.0000", "2.00"],
    }


def test_what_is_missing_is_told(lines: list[str]) -> None:
    assert "- Pareto/NBD: asks about purchases." in lines
    assert "**oulad** was left out: oulad/events.csv is not in the folder of the data." in lines


def test_without_records_the_reasons_are_left() -> None:
    lines = render([], {"a": "a.csv is not in the folder of the data"})
    assert lines[-2:] == ["**a** was left out: a.csv is not in the folder of the data.", ""]
    assert not any(line.startswith("#") for line in lines)
