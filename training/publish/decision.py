"""The decision to promote a challenger, with its evidence."""

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from training.measure.bootstrap import Difference, interval_text, paired_differences
from training.measure.metrics import curves, measure
from training.publish.comparison import Comparison

Change = Literal["better", "equal", "worse"]

COMPARED: Final = ("log_loss", "auc", "calibration_error")
MUCH: Final = 0.02  # a larger increase of the calibration error counts even in a wide interval
DRAWS: Final = 1000
ROUNDING: Final = 1e-6  # machines differ by less
BACKWARDS: Final = 3.0  # standard errors of an AUC of 0.5; a champion so far below it is no chance


@dataclass(frozen=True)
class Contrast:
    """A measure of both models, and the challenger's minus the champion's with its 95 % interval.

    Attributes:
        low, high: None where too many resamples have one outcome only, of which an AUC is undefined.
    """

    champion: float
    challenger: float
    difference: float
    low: float | None
    high: float | None

    @property
    def outcome(self) -> Change:
        """The challenger against the champion, by a measure where lower is better."""
        if self.low is None or self.high is None:
            return "equal"
        return "better" if self.high < -ROUNDING else "worse" if self.low > ROUNDING else "equal"


@dataclass(frozen=True)
class Decision:
    """The decision about a challenger.

    Attributes:
        promoted: whether it goes into service.
        reason: in a sentence or two.
        champion_was: the version in service before; None if there was none.
        compared: as `Comparison.facts` has it; None without a comparison.
        contrasts: by measure; empty without a comparison.
        by_chance: the calibration error that chance explains for a perfectly calibrated challenger.
        forced: whether it is promoted by --force only.
    """

    promoted: bool
    reason: str
    champion_was: int | None
    compared: dict[str, Any] | None
    contrasts: dict[str, Contrast]
    by_chance: float | None
    forced: bool

    def facts(self, champion: int | None) -> dict[str, Any]:
        """Return plain values for the report.

        Args:
            champion: the version in service after the decision.
        """
        measures = {name: self.contrasts.get(name) for name in COMPARED}
        return {
            "promoted": self.promoted,
            "reason": self.reason,
            "champion": champion,
            "champion_was": self.champion_was,
            "compared": self.compared,
            **{name: None if one is None else asdict(one) for name, one in measures.items()},
            "calibration_by_chance": self.by_chance,
            "forced": self.forced,
        }


def decide_first(name: str, fault: str, *, force: bool) -> Decision:
    """Promote the first version, unless it has a fault."""
    if not fault:
        return Decision(True, f"Promoted: {name} had no champion.", None, None, {}, None, forced=False)
    head = "Promoted by force" if force else f"Not promoted, and {name} has no champion"
    return Decision(force, f"{head}: {fault}", None, None, {}, None, forced=force)


def promote_uncompared(champion: int, why: str) -> Decision:
    """Promote a challenger by force without a comparison."""
    return Decision(
        True, f"Promoted by force, uncompared: {why.rstrip('.')}.", champion, None, {}, None, forced=True
    )


def decide(
    comparison: Comparison, challenger: NDArray[np.float64], *, fault: str = "", force: bool
) -> Decision:
    """Promote a challenger without a fault whose log loss and calibration are not worse beyond chance.

    Args:
        challenger: (N,) probabilities of its measured model for the compared examples.
        fault: see `training.measure.verdict.Verdict`; a champion that ranks backwards is one too.
        force: promote it anyway.
    """
    contrasts = contrasts_of(comparison, challenger)
    by_chance = _by_chance(comparison.labels, challenger)
    loss, calibration = contrasts["log_loss"], contrasts["calibration_error"]
    calibrated = _calibrated(loss, calibration, by_chance)
    fault = fault or _backwards(comparison.labels, contrasts["auc"].champion)
    earned = loss.outcome != "worse" and calibrated and not fault
    if earned:
        head = "Promoted"
    else:
        head = "Promoted by force" if force else f"Version {comparison.version} stays in service"
    evidence = f"{_evidence(loss, calibration, by_chance, calibrated, len(comparison.rows))}."
    return Decision(
        promoted=earned or force,
        reason=f"{head}: {fault or evidence}",
        champion_was=comparison.version,
        compared=comparison.facts(),
        contrasts=contrasts,
        by_chance=by_chance,
        forced=force and not earned,
    )


def _backwards(labels: NDArray[np.float64], auc: float) -> str:
    """Say that the champion ranks the outcomes the wrong way round; empty where it does not beyond chance.

    A model that knew nothing of them has an AUC of 0.5, so they seem to mean the opposite.
    """
    positive = labels.sum()
    negative = len(labels) - positive
    error = np.sqrt((len(labels) + 1) / (12 * positive * negative))
    if auc >= 0.5 - BACKWARDS * error:
        return ""
    return (
        f"the champion ranks the outcomes of these files the wrong way round (AUC {auc:.3f} on "
        f"{len(labels):,} examples): positive and negative seem to be swapped, or a column to have changed "
        "its meaning. Check target.positive and the files."
    )


def contrasts_of(comparison: Comparison, challenger: NDArray[np.float64]) -> dict[str, Contrast]:
    """Return each measure of both models on the same examples, and the paired difference."""
    labels, champion = comparison.labels, comparison.champion
    both = asdict(measure(labels, champion)), asdict(measure(labels, challenger))
    differences = paired_differences(labels, champion, challenger, comparison.groups)
    return {name: _contrast(both[0][name], both[1][name], differences[name]) for name in COMPARED}


def _contrast(champion: float, challenger: float, difference: Difference) -> Contrast:
    assert difference.value is not None  # both outcomes occur
    return Contrast(champion, challenger, difference.value, difference.low, difference.high)


def _by_chance(labels: NDArray[np.float64], probabilities: NDArray[np.float64]) -> float:
    """The 95th percentile of the calibration error of outcomes drawn from the probabilities themselves."""
    bins = curves(labels, probabilities).calibration
    counts, p = np.array([b.count for b in bins]), np.clip([b.probability for b in bins], 0, 1)
    drawn = np.random.default_rng(0).binomial(counts, p, size=(DRAWS, len(bins)))
    errors = np.abs(drawn - counts * p).sum(axis=1) / len(labels)
    return float(np.quantile(errors, 0.95))


def _calibrated(loss: Contrast, calibration: Contrast, by_chance: float) -> bool:
    """Return whether the calibration is not worse beyond chance.

    Chance alone causes a calibration error, which grows with the spread of the probabilities (Kumar et al.
    2019, "Verified uncertainty calibration"). So an error within chance is accepted. A larger one must not be
    significantly worse than the champion's; if the interval is too wide to decide, it may be worse by MUCH
    at most, unless the log loss is better.
    """
    if calibration.challenger <= by_chance:
        return True
    if calibration.outcome == "worse":
        return False
    return calibration.difference <= MUCH or loss.outcome == "better"


def _evidence(loss: Contrast, calibration: Contrast, by_chance: float, calibrated: bool, n: int) -> str:
    change = {"better": "lower", "equal": "equal within chance", "worse": "higher"}[loss.outcome]
    joined = "and" if calibrated == (loss.outcome != "worse") else "but"
    errors = f"{calibration.challenger:.4f} against {calibration.champion:.4f}, of which chance explains"
    return (
        f"its log loss on {n:,} examples unseen by both models is {change} ({loss.challenger:.4f} against "
        f"{loss.champion:.4f}, difference {loss.difference:+.4f}, {interval_text(loss.low, loss.high)}), "
        f"{joined} its calibration error is {_calibration(calibration, calibrated)} "
        f"({errors} {by_chance:.4f})"
    )


def _calibration(calibration: Contrast, calibrated: bool) -> str:
    if not calibrated:
        return "worse"
    return "within chance" if calibration.outcome == "worse" else "not worse"
