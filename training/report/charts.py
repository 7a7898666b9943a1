"""The geometry of the charts; the template of the report draws them as inline SVG."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

Points = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Box:
    """The plot area within the drawing, in SVG units."""

    width: int = 340
    height: int = 250
    left: int = 46
    right: int = 322
    top: int = 10
    bottom: int = 208


BOX: Final = Box()


@dataclass(frozen=True)
class Tick:
    """A labelled position on an axis, in SVG units."""

    at: float
    label: str


@dataclass(frozen=True)
class Line:
    """One line: its points in SVG, a style of the template, and a label for the legend.

    `bars` are intervals: x, and y from and to.
    """

    points: str
    style: str
    label: str
    filled: bool = False
    dots: tuple[tuple[float, float], ...] = ()
    bars: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True)
class Chart:
    """One chart; later lines are drawn over earlier ones."""

    title: str
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    marker: float | None = None


@dataclass(frozen=True)
class Axis:
    """A linear axis from `low` to `high`, drawn between two SVG coordinates."""

    low: float
    high: float
    start: float
    stop: float
    percent: bool = True
    least_step: float = 0.0

    def __call__(self, value: float) -> float:
        """Return the SVG coordinate of a value."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.stop - self.start), 1)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """About five round values."""
        step = _round_step(max((self.high - self.low) / 5, self.least_step))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(Tick(self(i * step), self._label(i * step, step)) for i in range(first, last + 1))

    def _label(self, value: float, step: float) -> str:
        shown, step = (value * 100, step * 100) if self.percent else (value, step)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        return f"{shown:.{decimals}f}" + (" %" if self.percent else "")


def calibration_chart(bins: Sequence[Mapping[str, Any]]) -> Chart:
    """Draw the observed share of positives against the mean probability of each bin, with its interval."""
    points = [(b["probability"], b["observed"]) for b in bins]
    ends = [_share_interval(b["observed"], b["count"]) for b in bins]
    top = _round_top(max(*(p for p, _ in points), *(high for _, high in ends)))
    x, y = _axes((0, top), (0, top))
    model = _line(x, y, points, "model", "model, 10 groups of equal size, 95 % intervals", dots=True)
    bars = tuple((x(p), y(low), y(high)) for (p, _), (low, high) in zip(points, ends, strict=True))
    return _chart(
        "Calibration: observed share of positives by probability",
        ("mean probability", "share of positives"),
        (x, y),
        _line(x, y, [(0, 0), (top, top)], "reference", "perfect calibration"),
        replace(model, bars=bars),
    )


def _share_interval(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n examples (Wilson 1927)."""
    z = 1.96
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def roc_chart(points: Points) -> Chart:
    """Draw the true against the false positive rate."""
    x, y = _axes((0, 1), (0, 1))
    return _chart(
        "ROC curve",
        ("false positive rate", "true positive rate"),
        (x, y),
        _line(x, y, [(0, 0), (1, 1)], "reference", "chance"),
        _line(x, y, points, "model", "model"),
    )


def precision_recall_chart(points: Points, base_rate: float) -> Chart:
    """Draw precision against recall; a random ranking has the base rate as its precision."""
    x, y = _axes((0, 1), (0, 1))
    return _chart(
        "Precision and recall",
        ("recall", "precision"),
        (x, y),
        _line(x, y, [(0, base_rate), (1, base_rate)], "reference", "at random"),
        _line(x, y, points, "model", "model"),
    )


def gain_chart(points: Points, base_rate: float) -> Chart:
    """Draw the share of positives found against the share of customers contacted."""
    x, y = _axes((0, 1), (0, 1))
    return _chart(
        "Gain: positives found by contacting the highest probabilities first",
        ("share of customers contacted", "share of positives found"),
        (x, y),
        _line(x, y, [(0, 0), (1, 1)], "reference", "at random"),
        _line(x, y, [(0, 0), (base_rate, 1), (1, 1)], "best", "perfect ranking"),
        _line(x, y, points, "model", "model"),
    )


def score_chart(histogram: Mapping[str, Any]) -> Chart:
    """Draw the histogram of the probabilities of each class, as shares of the class."""
    edges = histogram["edges"]
    shares = {side: _shares(histogram[side]) for side in ("negatives", "positives")}
    x, y = _axes((0, _round_top(edges[-1])), (0, _round_top(max(map(max, shares.values())))))
    steps = {side: _steps(edges, heights) for side, heights in shares.items()}
    return _chart(
        "Probabilities by outcome",
        ("probability", "share of each class"),
        (x, y),
        _line(x, y, steps["negatives"], "negative", "negative examples", filled=True),
        _line(x, y, steps["positives"], "positive", "positive examples", filled=True),
    )


@dataclass(frozen=True)
class ReachBar:
    """A bar of the chart of contacts, as shares of the width: found, of these still active, and at random."""

    label: str
    found: float
    active: float
    at_random: float


def reach_chart(reaches: Sequence[Mapping[str, Any]], positives: int) -> tuple[ReachBar, ...]:
    """Draw the share of the positives that contacting the likeliest customers reaches."""
    return tuple(
        ReachBar(
            f"{one['share']:.0%}".replace("%", "\N{NO-BREAK SPACE}%"),
            one["found"] / positives,
            (one["found"] - one["silent_found"]) / positives,
            one["share"],
        )
        for one in reaches
    )


def training_chart(history: Sequence[Mapping[str, Any]], best_epoch: int) -> Chart:
    """Draw the loss by epoch, with a marker at the epoch whose weights are kept."""
    losses = [epoch[name] for epoch in history for name in ("train_loss", "validation_loss")]
    epochs = [epoch["epoch"] for epoch in history]
    margin = (max(losses) - min(losses)) * 0.05 or 0.01
    x = Axis(min(epochs), max(epochs) + (len(epochs) == 1), BOX.left, BOX.right, False, least_step=1)
    y = Axis(min(losses) - margin, max(losses) + margin, BOX.bottom, BOX.top, percent=False)
    drawn = {n: [(e["epoch"], e[n]) for e in history] for n in ("train_loss", "validation_loss")}
    return _chart(
        "Loss by epoch; the kept epoch is marked",
        ("epoch", "loss"),
        (x, y),
        _line(x, y, drawn["train_loss"], "reference", "training", dots=len(history) == 1),
        _line(x, y, drawn["validation_loss"], "model", "validation", dots=len(history) == 1),
        marker=x(best_epoch),
    )


def _chart(
    title: str, labels: tuple[str, str], axes: tuple[Axis, Axis], *lines: Line, marker: float | None = None
) -> Chart:
    x, y = axes
    return Chart(title, *labels, x.ticks, y.ticks, lines, marker)


def _axes(x: tuple[float, float], y: tuple[float, float]) -> tuple[Axis, Axis]:
    return Axis(*x, BOX.left, BOX.right), Axis(*y, BOX.bottom, BOX.top)


def _line(
    x: Axis, y: Axis, points: Points, style: str, label: str, *, filled: bool = False, dots: bool = False
) -> Line:
    placed = tuple((x(a), y(b)) for a, b in points)
    text = " ".join(f"{a:g},{b:g}" for a, b in placed)
    return Line(text, style, label, filled, placed if dots else ())


def _steps(edges: Sequence[float], heights: Sequence[float]) -> list[tuple[float, float]]:
    """The outline of a histogram, from the axis up and back to it."""
    tops = [(edge, h) for i, h in enumerate(heights) for edge in (edges[i], edges[i + 1])]
    return [(edges[0], 0.0), *tops, (edges[-1], 0.0)]


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5 x 10^k that is not below `least`."""
    power: float = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))


def _round_top(value: float) -> float:
    """A round end for an axis from 0, at or above a share; 1 for a share of nearly 0."""
    if value < 1e-6:
        return 1.0
    step = _round_step(value / 5)
    return min(1.0, math.ceil(value / step - 1e-9) * step)
