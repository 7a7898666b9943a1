"""What a command prints: JSON alone on standard output, texts as they are, refusals on standard error."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from training.cli import console
from training.cli.console import (
    epoch_progress,
    print_error,
    print_json,
    print_lines,
    print_table,
    row_progress,
)
from training.cli.figures import (
    print_cutoffs,
    print_learning_curve,
    print_metrics,
    print_report,
    print_splits,
)
from training.fit.loop import Epoch
from training.measure.bootstrap import Difference
from training.measure.measuring import measured
from training.measure.metrics import base_rate_metrics
from training.report.report import MEASURES
from training.run.learning_curve import LearningPoint, conclusion
from training.run.splits import SplitFigure

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


def cells(out: str) -> list[list[str]]:
    """The rows of the tables."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]


Y, P = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.2, 0.9, 0.8, 0.1])
COMPARED = {
    "model": measured(Y, P, np.arange(4)),
    "recency": measured(Y, 1 - P, np.arange(4)),
    "btyd": measured(Y, P / 2, np.arange(4)),
    "base_rate": asdict(base_rate_metrics(Y, 0.5)) | {"intervals": {}},
}


MANY = measured(np.tile(Y, 50), np.tile([0.2, 0.7, 0.4, 0.5], 50), np.arange(200))


def test_metrics_are_a_table_a_horizon_with_a_row_for_everybody(capsys: Captured) -> None:
    print_metrics({"1": COMPARED, "90": COMPARED})
    out = capsys.readouterr().out
    assert "1 day: 4 test examples, 2 positive" in out.splitlines()
    assert "90 days: 4 test examples, 2 positive" in out.splitlines()
    rows = cells(out)
    assert [row[0] for row in rows] == 2 * ["model", "95 %", "recency alone", "Pareto/NBD", "base rate"]
    assert rows[0] == ["model", "1.0000", "1.0000", "2.0000", "0.1643", "0.0250", "0.1500"]
    assert rows[4] == ["base rate", "0.5000", "0.5000", "1.0000", "0.6931", "0.2500", "0.0000"]


def test_an_interval_stands_below_the_measure(capsys: Captured) -> None:
    print_metrics({"label": {"model": MANY}})
    network, ends = cells(capsys.readouterr().out)
    low, high = MANY["intervals"]["auc"]
    assert ends[:2] == ["95 %", f"{low:.3f}-{high:.3f}".replace("0.", ".")]
    assert float(ends[1].split("-")[0]) <= float(network[1]) <= float(ends[1].split("-")[1])


def test_a_figure_that_one_class_does_not_define_is_a_dash(capsys: Captured) -> None:
    y = np.array([0.0, 0.0])
    base_rate = asdict(base_rate_metrics(y, 0.2)) | {"intervals": {}}
    print_metrics({"label": {"model": measured(y, y + 0.1, np.arange(2)), "base_rate": base_rate}})
    out = capsys.readouterr().out
    assert "label: 2 test examples, 0 positive" in out.splitlines()
    assert [row[1] for row in cells(out)] == ["-", "-", "-"]


SPLITS = [
    asdict(SplitFigure(name, MANY, 0.6931)) for name in ("shuffled", "forward", "forward, unseen customers")
]


def test_splits_stand_side_by_side_beside_the_base_rate(capsys: Captured) -> None:
    print_splits(SPLITS)
    out = capsys.readouterr().out
    assert out.startswith("The same model under other splits (the last is the study's split)\n")
    rows = cells(out)
    assert [row[0] for row in rows] == ["shuffled", "forward", "forward, unseen customers"]
    assert rows[2][1:3] == ["200", f"{MANY['auc']:.4f}"]
    assert rows[2][3] == "-".join(f"{end:.3f}" for end in MANY["intervals"]["auc"]).replace("0.", ".")
    assert rows[2][4:] == [f"{MANY['log_loss']:.4f}", "0.6931"]


def test_a_single_split_is_not_compared(capsys: Captured) -> None:
    print_splits(SPLITS[:1])
    assert capsys.readouterr().out == ""


def test_a_learning_curve_is_shown_with_its_conclusion(capsys: Captured) -> None:
    points = [
        LearningPoint(0.5, 1200, 100, COMPARED["recency"], None),
        LearningPoint(1.0, 2400, 200, COMPARED["model"], Difference(-0.1, -0.2, -0.05)),
    ]
    report = {
        "learning_curve": [asdict(point) for point in points],
        "learning_conclusion": conclusion(tuple(points)),
    }
    print_learning_curve(report)
    out = capsys.readouterr().out
    assert cells(out) == [
        ["50.0%", "1,200", "100", "0.0000", "1.9560"],
        ["100.0%", "2,400", "200", "1.0000", "0.1643"],
    ]
    assert out.splitlines()[-1].endswith("more customers are likely to help.")


def test_texts_stand_to_the_left_and_numbers_to_the_right(capsys: Captured) -> None:
    print_table("t", ("name", "role", "n"), [("a", "b", "1"), ("long", "longer", "100")], texts=2)
    rows = [line for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert rows == ["│ a    │ b      │   1 │", "│ long │ longer │ 100 │"]


@pytest.mark.parametrize("name", ["table_model", "log_model"])
def test_a_report_is_told_once_and_in_order(
    name: str, request: pytest.FixtureRequest, capsys: Captured
) -> None:
    report = request.getfixturevalue(name).trained.report
    print_report(report)
    out = capsys.readouterr().out
    told = [report["question"], report["audit"]["split"], "test examples, ", report["verdict"]["sentences"]]
    places = [out.index(text) for text in told]
    assert places == sorted(places)
    assert out.count(report["audit"]["split"]) == 1
    lines = [line for line in out.splitlines() if line.endswith(".")]
    assert len(lines) == len(set(lines))


def test_no_metrics_print_nothing(capsys: Captured) -> None:
    print_metrics({})
    assert capsys.readouterr().out == ""


def test_progress_is_silent_where_standard_error_is_no_terminal(capsys: Captured) -> None:
    with epoch_progress() as on_epoch:
        on_epoch("measuring", Epoch(1, 2, 0.1, 0.5, 0.6))
        on_epoch("publishing", Epoch(1, 2, 0.1, 0.5, 0.6))
    with row_progress("scoring") as on_rows:
        on_rows(10)
    assert capsys.readouterr() == ("", "")


def test_a_narrow_table_keeps_every_interval(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    interval = {key: [1.234, 1.567] for key in COMPARED["model"]["intervals"]}
    wide = {"model": {**COMPARED["model"], "intervals": interval}, "gradient boosting": COMPARED["recency"]}
    for columns in ("80", None):
        monkeypatch.setenv("COLUMNS", columns) if columns else monkeypatch.delenv("COLUMNS", raising=False)
        print_metrics({"90": wide})
        out = capsys.readouterr().out
        assert max(map(len, out.splitlines())) <= 80
        assert out.count("1.234-1.567") == len(MEASURES)


def test_sentences_are_broken_at_blanks_where_the_width_is_known(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_lines(["some words " * 20])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(lines).split() == ["some", "words"] * 20


def test_many_cutoffs_are_folded(capsys: Captured) -> None:
    rates = {n: 0.9 if n == 17 else 0.01 if n == 20 else 0.5 for n in range(40)}
    rows = [
        {
            "cutoff": f"day {n:02}",
            "role": "test" if n == 30 else "train",
            "eligible": 5000 if n == 25 else 1000 + n,
            "positives": {"30": 7},
            "rates": {"30": rates[n]},
            "masked": {"30": 0},
            "refused": {},
        }
        for n in range(40)
    ]
    print_cutoffs(rows)
    out = capsys.readouterr().out
    assert [row[0] for row in cells(out)] == [f"day {n:02}" for n in (0, 1, 17, 20, 25, 30, 38, 39)]
    assert "32 cutoffs between them are not shown; --json and the report have all." in out


def test_without_a_terminal_progress_is_a_line_now_and_then(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "EVERY", 0.001)
    with epoch_progress() as on_epoch:
        err = ""
        while "reading and checking the data\n" not in err:
            err += capsys.readouterr().err
        on_epoch("measuring", Epoch(3, 40, 0.5, 0.3, 0.25))
        while "measuring: epoch 3 of at most 40, validation loss 0.2500\n" not in err:
            err += capsys.readouterr().err
