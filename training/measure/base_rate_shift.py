"""How far the base rate moved between cutoffs, and what a shift of that size does to a probability."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scipy.special import expit, logit

FEW: Final = 100  # complete windows of a cutoff, with which chance alone moves a rate
EXAMPLE: Final = 0.2  # a probability to show the shift on


def base_rate_shift(cutoffs: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the base rates at the longest horizon and the largest shift between two cutoffs.

    Cutoffs of training and of the test count that have FEW complete windows and both outcomes.

    Args:
        cutoffs: rows of `training.audit.facts.cutoff_table`.

    Returns:
        The lowest and highest rate of training and of the test (None without), the shift in logits, and the
        probabilities that EXAMPLE becomes after a shift down and up; None with fewer than two cutoffs.
    """
    longest = max((int(name) for row in cutoffs for name in row["rates"]), default=0)
    rates: dict[str, list[float]] = {"train": [], "test": []}
    for row in cutoffs:
        n = row["eligible"] - row["masked"].get(str(longest), 0)
        rate = row["rates"].get(str(longest), 0.0)
        if n >= FEW and 0 < rate < 1:
            for role in rates.keys() & set(row["role"].split()):
                rates[role].append(rate)
    together = [rate for found in rates.values() for rate in found]
    if len(together) < 2:
        return None
    shift = float(logit(max(together)) - logit(min(together)))
    ends = {role: (min(found), max(found)) if found else None for role, found in rates.items()}
    becomes = [float(expit(logit(EXAMPLE) + moved)) for moved in (-shift, shift)]
    return {"horizon_days": longest, **ends, "logits": shift, "probability": EXAMPLE, "becomes": becomes}
