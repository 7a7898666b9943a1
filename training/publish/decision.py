"""Who shall be in service, champion or challenger, and on what evidence."""

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from training.measure.bootstrap import Difference, paired_differences
from training.measure.metrics import curves, measure
from training.publish.comparison import Comparison

Outcome = Literal["better", "equal", "worse"]

COMPARED: Final = ("log_loss", "auc", "calibration_error")
MUCH: Final = 0.02  # a calibration error that is worse by more is not excused by a wide interval
DRAWS: Final = 1000
ROUNDING: Final = 1e-6  # smaller differences are those of another machine


@dataclass(frozen=True)
class Contrast:
    """A measure of both, and the challenger's minus the champion's with its 95 % interval.

    Attributes:
        low, high: None where too many resamples lack an outcome, which AUC alone needs.
    """

    champion: float
    challenger: float
    difference: float
    low: float | None
    high: float | None

    @property
    def outcome(self) -> Outcome:
        """The challenger, by a measure that is better when lower."""
        if self.low is None or self.high is None:
            return "equal"
        return "better" if self.high < -ROUNDING else "worse" if self.low > ROUNDING else "equal"


@dataclass(frozen=True)
class Decision:
    """What becomes of a challenger.

    Attributes:
        promoted: whether it goes into service.
        reason: why, in a sentence or two.
        champion_was: the version in service until then; None where there was none.
        compared: on what, as `Comparison.facts` has it; None without a comparison.
        contrasts: by measure; empty without a comparison.
        by_chance: the calibration error that luck may give a perfectly calibrated challenger.
        forced: whether it is promoted only because the user said so.
    """

    promoted: bool
    reason: str
    champion_was: int | None
    compared: dict[str, Any] | None
    contrasts: dict[str, Contrast]
    by_chance: float | None
    forced: bool

    def facts(self, champion: int | None) -> dict[str, Any]:
        """Plain values, as a report holds them.

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


def unopposed(name: str) -> Decision:
    """The first version goes into service."""
    return Decision(True, f"Promoted: {name} had no champion.", None, None, {}, None, forced=False)


def unheard(champion: int, why: str) -> Decision:
    """The challenger goes into service by force, though nothing could be compared."""
    return Decision(True, f"Promoted by force, uncompared: {why}.", champion, None, {}, None, forced=True)


def decide(comparison: Comparison, challenger: NDArray[np.float64], *, force: bool) -> Decision:
    """Promote a challenger whose log loss is not worse, nor its calibration beyond what luck explains.

    Args:
        challenger: (N,) its twin's probabilities of the compared examples.
        force: promote it anyway.
    """
    contrasts = _contrasts(comparison, challenger)
    by_chance = _by_chance(comparison.labels, challenger)
    loss, calibration = contrasts["log_loss"], contrasts["calibration_error"]
    calibrated = _calibrated(loss, calibration, by_chance)
    earned = loss.outcome != "worse" and calibrated
    if earned:
        head = "Promoted"
    else:
        head = "Promoted by force" if force else f"Version {comparison.version} stays in service"
    return Decision(
        promoted=earned or force,
        reason=f"{head}: {_evidence(loss, calibration, by_chance, calibrated, len(comparison.rows))}.",
        champion_was=comparison.version,
        compared=comparison.facts(),
        contrasts=contrasts,
        by_chance=by_chance,
        forced=force and not earned,
    )


def _between(contrast: Contrast) -> str:
    """A difference and its interval in words."""
    if contrast.low is None or contrast.high is None:
        return f"difference {contrast.difference:+.4f}, too few customers for an interval"
    interval = f"95 % interval {contrast.low:+.4f} to {contrast.high:+.4f}"
    return f"difference {contrast.difference:+.4f}, {interval}"


def _contrasts(comparison: Comparison, challenger: NDArray[np.float64]) -> dict[str, Contrast]:
    labels, champion = comparison.labels, comparison.champion
    both = asdict(measure(labels, champion)), asdict(measure(labels, challenger))
    differences = paired_differences(labels, champion, challenger, comparison.groups)
    return {name: _contrast(both[0][name], both[1][name], differences[name]) for name in COMPARED}


def _contrast(champion: float, challenger: float, difference: Difference) -> Contrast:
    assert difference.value is not None  # both outcomes are there
    return Contrast(champion, challenger, difference.value, difference.low, difference.high)


def _by_chance(labels: NDArray[np.float64], probabilities: NDArray[np.float64]) -> float:
    """The calibration error that one in twenty draws of outcomes from these very probabilities exceeds."""
    bins = curves(labels, probabilities).calibration
    counts, said = np.array([b.count for b in bins]), np.clip([b.probability for b in bins], 0, 1)
    drawn = np.random.default_rng(0).binomial(counts, said, size=(DRAWS, len(bins)))
    errors = np.abs(drawn - counts * said).sum(axis=1) / len(labels)
    return float(np.quantile(errors, 0.95))


def _calibrated(loss: Contrast, calibration: Contrast, by_chance: float) -> bool:
    """Whether calibration is not worse beyond what luck explains.

    Noise alone makes a calibration error, the more the better customers are told apart (Kumar et al. 2019,
    "Verified uncertainty calibration"): a challenger with no more than luck explains is calibrated, however
    small the error of a champion that says the same to all. Beyond that it must not be surely worse, nor,
    as few examples make the interval wide, worse by MUCH without a better log loss to show for it.
    """
    if calibration.challenger <= by_chance:
        return True
    if calibration.outcome == "worse":
        return False
    return calibration.difference <= MUCH or loss.outcome == "better"


def _evidence(loss: Contrast, calibration: Contrast, by_chance: float, calibrated: bool, n: int) -> str:
    said = {"better": "lower", "equal": "equal within chance", "worse": "higher"}[loss.outcome]
    joined = "and" if calibrated == (loss.outcome != "worse") else "but"
    errors = f"{calibration.challenger:.4f} against {calibration.champion:.4f}"
    return (
        f"its log loss on {n:,} examples that neither has seen is {said} ({loss.challenger:.4f} against "
        f"{loss.champion:.4f}, {_between(loss)}), {joined} its calibration error "
        f"is {_calibration(calibration, calibrated)} ({errors}, luck alone explains {by_chance:.4f})"
    )


def _calibration(calibration: Contrast, calibrated: bool) -> str:
    if not calibrated:
        return "worse"
    return "no more than luck explains" if calibration.outcome == "worse" else "not worse"
