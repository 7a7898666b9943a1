"""What a command prints: JSON alone on standard output, texts as they are, refusals on standard error."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from training.console import (
    epoch_progress,
    print_error,
    print_json,
    print_lines,
    print_metrics,
    print_table,
    row_progress,
)
from training.loop import Epoch
from training.reporting.metrics import base_rate_metrics, measure

Captured = pytest.CaptureFixture[str]


def test_json_is_one_object_with_letters_as_they_are(capsys: Captured) -> None:
    print_json({"größe": [1, None], "b": 0.25})
    out = capsys.readouterr().out
    assert "größe" in out
    assert json.loads(out) == {"größe": [1, None], "b": 0.25}


def test_json_holds_finite_numbers_only(capsys: Captured) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json({"loss": float("nan")})
    assert capsys.readouterr().out == ""


def test_lines_are_neither_wrapped_nor_read_as_markup(capsys: Captured) -> None:
    line = "a [bold]name[/bold] of 3 " + "long " * 60
    print_lines([line, "second"])
    assert capsys.readouterr().out == f"{line}\nsecond\n"


def test_a_refusal_goes_to_standard_error_as_it_is(capsys: Captured) -> None:
    message = "[/x] must be 'a' " + "and so on " * 30
    print_error(message)
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"propense: {message}\n")


def test_a_table_shows_its_cells_as_they_are(capsys: Captured) -> None:
    print_table("models", ("model", "versions"), [("churn", "1, 2"), ("[red]", "3")])
    out = capsys.readouterr().out
    assert out.startswith("models")
    assert [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line] == [
        ["churn", "1, 2"],
        ["[red]", "3"],
    ]


def test_metrics_are_shown_beside_the_base_rate_with_a_verdict(capsys: Captured) -> None:
    y, p = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.2, 0.9, 0.8, 0.1])
    compared = {"model": asdict(measure(y, p)), "base_rate": asdict(base_rate_metrics(y, 0.5))}
    print_metrics({"30": compared, "90": compared})
    out = capsys.readouterr().out
    assert "30 days: 4 test examples, 2 positive" in out
    assert "90 days: 4 test examples, 2 positive" in out
    assert out.count("On 4 test examples the model's loss is") == 1
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]
    assert ["AUC", "1.0000", "0.5000"] in rows
    assert ["Brier score", "0.0250", "0.2500"] in rows


def test_a_figure_that_one_class_does_not_define_is_a_dash(capsys: Captured) -> None:
    y = np.array([0.0, 0.0])
    compared = {"model": asdict(measure(y, y + 0.1)), "base_rate": asdict(base_rate_metrics(y, 0.2))}
    print_metrics({"label": compared})
    out = capsys.readouterr().out
    assert "label: 2 test examples, 0 positive" in out
    assert "AUC" in out
    assert " - " in out


def test_no_metrics_print_nothing(capsys: Captured) -> None:
    print_metrics({})
    assert capsys.readouterr().out == ""


def test_progress_is_silent_where_standard_error_is_no_terminal(capsys: Captured) -> None:
    with epoch_progress(2) as on_epoch:
        on_epoch("measuring", Epoch(1, 0.1, 0.5, 0.6))
        on_epoch("publishing", Epoch(1, 0.1, 0.5, 0.6))
    with row_progress("scoring") as on_rows:
        on_rows(10)
    assert capsys.readouterr() == ("", "")
