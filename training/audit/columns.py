"""The probes of single columns: does a column reveal the label, resemble it by name, or identify rows?"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from model.values.columns import Column, Numbers, as_categories, as_numbers, take
from training.audit.dominance import dominating
from training.audit.feature import Feature, Outcomes, random_folds, read_feature, sample
from training.audit.findings import Finding, Level, exclude_line, ordered, remedy
from training.audit.one_class import one_class
from training.question.labels import Bools
from training.schema.kinds import Kind

MAX_ROWS: Final = 20_000
LEAK: Final = 0.975  # the AUC minus its standard error from which a column is a leak
WARNING: Final = 0.94

_OUTCOME: Final = re.compile(
    "attrit(ed|ion)|cancel(s|l?ed|l?ing|l?ation)?|churn(s|ed|er|ers|ing)?|closed|closure|conver(ted|sion)"
    "|deactivat(ed|ion)|defected|deregist(ered|ration)|discontinued|dropout|exit(s|ed)?|label|lapsed|leav(er|ing)"
    "|left|outcome|predict(ed|ion)|quit|resign(ed|ation)|target|terminat(ed|ion)|unregist(ered|ration)"
    "|unsubscribed?|withdrawn"
)
# General words: "customer_status" and "customer_age" have nothing else in common.
_GENERAL: Final = re.compile(
    "account|amount|category|class|client|code|count|customer|data|dates?|days?|event|final|flag|indicator"
    "|months?|name|next|number|period|rate|result|status|time|total|type|user|value|weeks?|years?"
)
_PAST: Final = re.compile("prev|previous|prior|past|former|earlier")
_HARMLESS: Final = re.compile(
    r"\bexit (rate|page)s?\b|\b(day|week|month|year|hour|minute|time)s? left\b|\bleft (hand|side|over)(ed)?\b"
)
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_SHORTEST: Final = 4
_COMMON: Final = 2  # a word of the label that more columns share is the subject, such as "loan"
_NAMED_WARNING: Final = 0.6  # the AUC minus its standard error from which the name is a warning
_FEWEST_IDS: Final = 50
_ID_SHARE: Final = 0.95
_CHANCE: Final = 1e-6
_ID_DIGITS: Final = 7


def probe_columns(
    features: Mapping[str, Column],
    kinds: Mapping[str, Kind],
    positive: Bools,
    groups: NDArray[np.int64],
    *,
    label: str | None,
    seed: int,
    aggregates: Collection[str] = (),
) -> list[Finding]:
    """Probe the columns and history aggregates of N training examples.

    Args:
        features: by name, one raw value an example.
        kinds: the kind of each of them; an aggregate is numeric, and a date comes as its age in days.
        positive: (N,) bool.
        groups: (N,) int64, the number of the customer, whose rows stay together.
        label: the label column, if there is one.
        seed: of the folds, and of the sample if there are more rows than MAX_ROWS.
        aggregates: the features that are computed from a history.
    """
    if not len(positive):
        return []
    rows = sample(np.arange(len(positive)), MAX_ROWS, seed)
    outcomes = Outcomes(positive[rows], groups[rows], random_folds(groups[rows], positive[rows], seed=seed))
    probed = [
        read_feature(name, take(column, rows), kinds[name], outcomes, aggregate=name in aggregates)
        for name, column in features.items()
    ]
    found = [
        f for feature in probed for probe in (states_the_label, one_class) if (f := probe(feature, outcomes))
    ]
    leaks = {finding.column for finding in found if finding.level == "leak"}
    found += dominating([f for f in probed if f.name not in leaks], outcomes, seed=seed)
    found += named_like_label(probed, label)
    found += [
        finding
        for name, column in features.items()
        if name not in aggregates and (finding := near_unique(name, column, kinds[name], groups))
    ]
    return ordered(found)


def states_the_label(feature: Feature, outcomes: Outcomes) -> Finding | None:
    """Find a column whose AUC alone is too good to be known at the cutoff."""
    n_positive = int(outcomes.positive.sum())
    if not outcomes.are_enough or feature.sure_auc < WARNING:
        return None
    level: Level = "leak" if feature.sure_auc >= LEAK else "warning"
    return Finding(
        "states_the_label",
        level,
        feature.name,
        f"{feature.name!r} nearly determines the label: its value alone has an AUC of {feature.auc:.3f} on "
        f"{len(outcomes):,} rows, {n_positive:,} of them positive.",
        remedy(level, feature.name, aggregate=feature.aggregate),
    )


def named_like_label(features: Sequence[Feature], label: str | None) -> list[Finding]:
    """Find columns, not aggregates, that share a specific word with the label or an outcome."""
    words = [(f, _words(f.name)) for f in features if not f.aggregate]
    shared = Counter(word for _, of_name in words for word in set(of_name))
    of_label = {word for word in _words(label or "") if _is_specific(word) and shared[word] <= _COMMON}
    found = []
    for feature, of_name in words:
        specific = [word for word in of_name if word in of_label or _OUTCOME.fullmatch(word)]
        if specific and not any(map(_PAST.fullmatch, of_name)):
            found.append(_named_finding(feature, specific[0], label if specific[0] in of_label else None))
    return found


def _words(name: str) -> list[str]:
    """The words of a name in lower case, without harmless phrases."""
    words = " ".join(_LETTERS.findall(_CAMEL.sub(" ", name))).casefold()
    return _HARMLESS.sub("", words).split()


def _is_specific(word: str) -> bool:
    return len(word) >= _SHORTEST and not _GENERAL.fullmatch(word)


def _named_finding(feature: Feature, word: str, label: str | None) -> Finding:
    level: Level = "warning" if feature.sure_auc >= _NAMED_WARNING else "note"
    like = f"the label {label!r}" if label else "an outcome"
    return Finding(
        "named_like_label",
        level,
        feature.name,
        f"The name {feature.name!r} resembles {like} (by {word!r}); its AUC alone is {feature.auc:.3f}.",
        remedy(level, feature.name, aggregate=feature.aggregate),
    )


def near_unique(name: str, column: Column, kind: Kind, groups: NDArray[np.int64]) -> Finding | None:
    """Find a column with a distinct text or whole number for nearly every customer.

    Args:
        groups: (N,) the number of the customer, whose first row counts.
    """
    if kind not in ("numeric", "categorical"):
        return None
    values = take(column, np.unique(groups, return_index=True)[1])
    if kind == "categorical":
        codes = as_categories(values).codes
        known, is_id, what = codes[codes >= 0].astype(np.float64), True, "texts"
    else:
        numbers = as_numbers(values)
        known = numbers[~np.isnan(numbers)]
        is_id, what = _are_ids(known), "whole numbers"
    distinct = len(np.unique(known))
    if not is_id or len(known) < _FEWEST_IDS or distinct <= _ID_SHARE * len(known):
        return None
    return Finding(
        "near_unique",
        "warning",
        name,
        f"{name!r} identifies rows: it has {distinct:,} distinct {what} in {len(known):,} rows.",
        f"Exclude what only identifies rows ({exclude_line([name])}).",
    )


def _are_ids(known: Numbers) -> bool:
    """Return whether whole numbers were assigned rather than measured.

    Either all have the same large number of digits, or fewer of them are equal than chance allows among as
    many numbers of that range.
    """
    if not len(known) or (known != np.floor(known)).any():
        return False
    low, high, n = float(known.min()), float(known.max()), len(known)
    if low > 0 and np.floor(np.log10(low)) == np.floor(np.log10(high)) >= _ID_DIGITS - 1:
        return True
    size = high - low + 1
    expected = n - size * -np.expm1(n * np.log1p(-1 / size)) if size > 1 else 0.0
    return bool(poisson.cdf(n - len(np.unique(known)), expected) < _CHANCE)
