"""A column that is called like the label, or like an outcome."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from training.audit.feature import Feature
from training.audit.findings import Finding, Level, remedy

_OUTCOME: Final = re.compile(
    "attrit(ed|ion)|cancel(s|l?ed|l?ing|l?ation)?|churn(s|ed|er|ers|ing)?|closed|closure|conver(ted|sion)"
    "|deactivat(ed|ion)|defected|deregist(ered|ration)|discontinued|dropout|exit(s|ed)?|label|lapsed|leav(er|ing)"
    "|left|outcome|predict(ed|ion)|quit|resign(ed|ation)|target|terminat(ed|ion)|unregist(ered|ration)"
    "|unsubscribed?|withdrawn"
)
# Words that say little of a label: "customer_status" and "customer_age" have nothing in common.
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
_TELLS: Final = 0.6  # the AUC alone from which the name is worth a warning


def named_like_label(features: Sequence[Feature], label: str | None) -> list[Finding]:
    """Findings about columns, not aggregates, that share a telling word with the label or an outcome."""
    words = [(f, _words(f.name)) for f in features if not f.aggregate]
    shared = Counter(word for _, of_name in words for word in set(of_name))
    of_label = {word for word in _words(label or "") if _is_telling(word) and shared[word] <= _COMMON}
    found = []
    for feature, of_name in words:
        telling = [word for word in of_name if word in of_label or _OUTCOME.fullmatch(word)]
        if telling and not any(map(_PAST.fullmatch, of_name)):
            found.append(_finding(feature, telling[0], label if telling[0] in of_label else None))
    return found


def _words(name: str) -> list[str]:
    """The words of a name in lower case, without those that stand in a harmless phrase."""
    words = " ".join(_LETTERS.findall(_CAMEL.sub(" ", name))).casefold()
    return _HARMLESS.sub("", words).split()


def _is_telling(word: str) -> bool:
    return len(word) >= _SHORTEST and not _GENERAL.fullmatch(word)


def _finding(feature: Feature, word: str, label: str | None) -> Finding:
    level: Level = "warning" if feature.sure_auc >= _TELLS else "note"
    like = f"the label {label!r}" if label else "an outcome"
    return Finding(
        "named_like_label",
        level,
        feature.name,
        f"{feature.name!r} is named like {like} (by {word!r}); its AUC alone is {feature.auc:.3f}.",
        remedy(level, feature.name, aggregate=feature.aggregate),
    )
