"""The probe for a column that is filled, is empty, or has some value for one outcome only."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import binom

from model.values.columns import Texts, as_texts
from training.audit.feature import Feature, Outcomes
from training.audit.findings import Finding, Level, remedy
from training.question.labels import Bools

_CHANCE: Final = 1e-9
_ROWS_FILLED: Final = 20
_ROWS_VALUE: Final = 30
_ODD_SHARE: Final = 0.01  # the share of the rows that may have the other outcome,
_ODD_OF_BASE: Final = 0.02  # and at most this share of its base rate
_COVERED: Final = {"filled": 0.1, "values": 0.5}  # the share of the rarer outcome that makes a leak
_COVERED_COMMON: Final = 0.5  # the share of the more common outcome
_CONSTANT: Final = 0.1  # the share of the rows that the most common number needs
_LISTED: Final = 3


@dataclass(frozen=True)
class _Hold:
    """Rows that (nearly) all have one outcome; `share` is its share of all rows."""

    outcome: bool
    n: int
    n_outcome: int
    covered: float
    share: float

    @property
    def word(self) -> str:
        return "positive" if self.outcome else "negative"


def one_class(feature: Feature, outcomes: Outcomes) -> Finding | None:
    """Return the strongest finding about the rows with a value, or with one value, of this column."""
    found = [*_filled(feature, outcomes), *_values(feature, outcomes)]
    return next(iter(sorted(found, key=lambda f: f.level != "leak")), None)


def _filled(feature: Feature, outcomes: Outcomes) -> Iterator[Finding]:
    for rows, word in ((feature.filled, "filled"), (~feature.filled, "empty")):
        hold = None if rows.all() else _hold(rows, outcomes)
        # An aggregate counts only if it announces the outcome: that customers who left never buy again is
        # what a model is meant to learn.
        announces = not feature.aggregate or (word == "filled" and hold is not None and hold.outcome)
        if hold and announces:
            yield _finding(feature, hold, "filled", f"is {word}", len(outcomes))


def _hold(rows: Bools, outcomes: Outcomes) -> _Hold | None:
    """The outcome that nearly all of these rows have; None if there is none, or chance explains it."""
    n, base_rate = int(rows.sum()), float(outcomes.positive.mean())
    for outcome, share in ((True, base_rate), (False, 1 - base_rate)):
        n_outcome = int((outcomes.positive[rows] == outcome).sum())
        few = n * min(_ODD_SHARE, _ODD_OF_BASE * (1 - share))
        if n < _ROWS_FILLED or n - n_outcome > few:
            continue
        if binom.cdf(n - n_outcome, outcomes.n_groups(rows), 1 - share) < _CHANCE:
            return _Hold(outcome, n, n_outcome, n_outcome / (share * len(outcomes)), share)
    return None


def _values(feature: Feature, outcomes: Outcomes) -> Iterator[Finding]:
    """Yield findings about values of many rows that all have one outcome."""
    if feature.kind not in ("categorical", "boolean"):
        if not feature.aggregate:
            yield from _constant(feature, outcomes)
        return
    texts = as_texts(feature.values)
    for outcome in (True, False):
        pure = _pure_codes(texts, outcomes, outcome)
        if len(pure):
            n, share = int(np.isin(texts.codes, pure).sum()), float((outcomes.positive == outcome).mean())
            hold = _Hold(outcome, n, n, n / (share * len(outcomes)), share)
            names = ", ".join(repr(texts.values[code]) for code in pure[:_LISTED])
            more = f" or one of {len(pure) - _LISTED} more values" if len(pure) > _LISTED else ""
            yield _finding(feature, hold, "values", f"is {names}{more}", len(outcomes))


def _constant(feature: Feature, outcomes: Outcomes) -> Iterator[Finding]:
    """Yield findings about numbers that have, or lack, their most common value for one outcome only."""
    distinct, counts = np.unique(np.asarray(feature.values)[feature.filled], return_counts=True)
    if len(distinct) < 2 or counts.max() < max(_ROWS_VALUE, _CONSTANT * len(outcomes)):
        return
    common = feature.values == distinct[counts.argmax()]
    value = "its most common date" if feature.kind == "date" else f"{distinct[counts.argmax()]:g}"
    for rows, word, of in ((common, "is", "values"), (feature.filled & ~common, "is not", "filled")):
        if hold := _hold(rows, outcomes):
            yield _finding(feature, hold, of, f"{word} {value}", len(outcomes))


def _pure_codes(texts: Texts, outcomes: Outcomes, outcome: bool) -> np.ndarray:
    """Codes of many rows that all have this outcome, the most common first."""
    n_codes = len(texts.values)
    counts = np.bincount(texts.codes + 1, minlength=n_codes + 1)[1:]
    of_outcome = np.bincount(texts.codes[outcomes.positive == outcome] + 1, minlength=n_codes + 1)[1:]
    pure = np.flatnonzero((counts >= _ROWS_VALUE) & (counts == of_outcome))
    share = float((outcomes.positive == outcome).mean())
    bound = _CHANCE / max(int((counts >= _ROWS_VALUE).sum()), 1)
    beyond = [code for code in pure if share ** outcomes.n_groups(texts.codes == code) < bound]
    return np.array(sorted(beyond, key=lambda code: -counts[code]), dtype=np.int64)


def _finding(feature: Feature, hold: _Hold, of: str, what: str, n_rows: int) -> Finding:
    needed = _COVERED[of] if hold.share <= 0.5 else _COVERED_COMMON
    level: Level = "leak" if hold.covered >= needed else "warning"
    return Finding(
        "one_class",
        level,
        feature.name,
        f"{feature.name!r} {what} in {hold.n:,} of {n_rows:,} rows, and {hold.n_outcome:,} of these are "
        f"{hold.word} ({hold.n_outcome / hold.n:.1%}, against {hold.share:.1%} of all rows).",
        remedy(level, feature.name, aggregate=feature.aggregate),
    )
