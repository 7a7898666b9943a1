"""A column that alone all but states the label."""

from typing import Final

from training.audit.feature import Feature, Outcomes
from training.audit.findings import Finding, Level, remedy

LEAK: Final = 0.975  # what the AUC alone must be beyond a standard error
WARNING: Final = 0.94


def states_the_label(feature: Feature, outcomes: Outcomes) -> Finding | None:
    """A finding if the column's AUC alone is too good to be known beforehand."""
    n_positive = int(outcomes.positive.sum())
    if not outcomes.are_enough or feature.sure_auc < WARNING:
        return None
    level: Level = "leak" if feature.sure_auc >= LEAK else "warning"
    what = "whether it is filled" if feature.kind == "date" else "it"
    return Finding(
        "states_the_label",
        level,
        feature.name,
        f"{feature.name!r} all but states the label: {what} alone has an AUC of {feature.auc:.3f} "
        f"on {len(outcomes):,} rows, {n_positive:,} of them positive.",
        remedy(level, feature.name, aggregate=feature.aggregate),
    )
