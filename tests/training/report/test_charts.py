"""Geometry of the report's charts."""

import pytest

from training.report.charts import (
    BOX,
    Axis,
    Chart,
    Line,
    calibration_chart,
    gain_chart,
    precision_recall_chart,
    roc_chart,
    score_chart,
    training_chart,
)


def corners(series: Line) -> list[tuple[float, float]]:
    pairs = (point.split(",") for point in series.points.split())
    return [(float(x), float(y)) for x, y in pairs]


def labels(chart: Chart) -> tuple[list[str], list[str]]:
    return [t.label for t in chart.x_ticks], [t.label for t in chart.y_ticks]


HISTOGRAM = {"edges": [0.0, 0.05, 0.1], "negatives": [30, 10], "positives": [1, 1]}
BINS = [
    {"probability": 0.01, "observed": 0.02, "count": 50},
    {"probability": 0.11, "observed": 0.07, "count": 50},
]
HISTORY = [{"epoch": e, "train_loss": 0.5 / e, "validation_loss": 0.6 / e} for e in (1, 2, 3)]
CHARTS = [
    calibration_chart(BINS),
    roc_chart([(0, 0), (0.25, 0.75), (1, 1)]),
    precision_recall_chart([(0, 1), (1, 0.2)], 0.2),
    gain_chart([(0, 0), (0.5, 0.75), (1, 1)], 0.2),
    score_chart(HISTOGRAM),
    training_chart(HISTORY, 2),
    training_chart(HISTORY[:1], 1),
    calibration_chart([{"probability": 0.0, "observed": 0.0, "count": 3}]),
]


@pytest.mark.parametrize("chart", CHARTS)
def test_everything_lies_inside_the_box(chart: Chart) -> None:
    for x, y in (corner for series in chart.lines for corner in corners(series)):
        assert BOX.left <= x <= BOX.right
        assert BOX.top <= y <= BOX.bottom
    assert all(BOX.left <= tick.at <= BOX.right for tick in chart.x_ticks)
    assert all(BOX.top <= tick.at <= BOX.bottom for tick in chart.y_ticks)
    assert min(len(chart.x_ticks), len(chart.y_ticks)) >= 2
    assert max(len(chart.x_ticks), len(chart.y_ticks)) <= 12


def test_roc_goes_from_the_lower_left_to_the_upper_right() -> None:
    chance, model = (corners(series) for series in CHARTS[1].lines)
    assert chance == [(BOX.left, BOX.bottom), (BOX.right, BOX.top)]
    assert model == [(46, 208), (46 + 276 * 0.25, 208 - 198 * 0.75), (322, 10)]
    assert labels(CHARTS[1]) == (["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"],) * 2


def test_calibration_zooms_in_on_small_probabilities() -> None:
    model = CHARTS[0].lines[1]
    assert labels(CHARTS[0])[0] == ["0 %", "5 %", "10 %", "15 %", "20 %"]
    assert list(model.dots) == corners(model)
    second = (46 + 276 * 0.11 / 0.2, 208 - 198 * 0.07 / 0.2)
    assert corners(model)[1] == pytest.approx(second, abs=0.1)


def test_perfect_ranking_finds_all_at_the_base_rate() -> None:
    best = CHARTS[3].lines[1]
    assert corners(best)[1] == pytest.approx((46 + 276 * 0.2, BOX.top))


def test_histogram_is_an_outline_of_shares_of_each_class() -> None:
    negatives, positives = CHARTS[4].lines
    assert labels(CHARTS[4])[1][-1] == "80 %"
    heights = [round((BOX.bottom - y) / 198 * 0.8, 2) for _, y in corners(negatives)]
    assert heights == [0, 0.75, 0.75, 0.25, 0.25, 0]
    assert [x for x, _ in corners(positives)] == [46, 46, 184, 184, 322, 322]


def test_training_marks_the_kept_epoch_and_counts_whole_ones() -> None:
    assert CHARTS[5].marker == 184
    assert labels(CHARTS[5])[0] == ["1", "2", "3"]
    assert len(CHARTS[6].lines[0].dots) == 1


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.31, 0.55, ["0.35", "0.40", "0.45", "0.50", "0.55"]),
        (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (1.0, 60.0, ["20", "40", "60"]),
        (0.6931, 0.6933, ["0.69310", "0.69315", "0.69320", "0.69325", "0.69330"]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[str]) -> None:
    assert [tick.label for tick in Axis(low, high, 0, 1, percent=False).ticks] == expected
