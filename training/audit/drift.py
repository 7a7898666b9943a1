"""Whether the share of positives changes over time, and columns that tell of a time after the cutoff."""

import json
from collections.abc import Mapping
from typing import Final

import numpy as np

from model.times import MISSING_TIME
from model.values.columns import Column, as_dates
from model.values.customers import Examples
from training.audit.findings import Finding
from training.question.labels import Bools

SURE: Final = 4.0  # standard errors
NOTABLE: Final = 0.2  # relative change of the share of the rarer outcome


def probe_shift(train: Bools, test: Bools) -> list[Finding]:
    """A finding if the share of positives differs between training and test.

    Args:
        train, test: outcomes of the examples of each.
    """
    if not len(train) or not len(test):
        return []
    before, after = float(train.mean()), float(test.mean())
    pooled = float(np.concatenate([train, test]).mean())
    error = np.sqrt(pooled * (1 - pooled) * (1 / len(train) + 1 / len(test)))
    change, rarer = abs(after - before), min(before, 1 - before)
    if not error or change < SURE * error or change < NOTABLE * rarer:
        return []
    return [
        Finding(
            "target_shift",
            "warning",
            None,
            f"{before:.1%} of the {len(train):,} training examples whose outcome is known are "
            f"positive, and {after:.1%} of the {len(test):,} test examples.",
            "Behaviour changes over time: trust the forward figures alone, and retrain often "
            "(propense retrain).",
        )
    ]


def probe_future_dates(
    columns: Mapping[str, Column], formats: Mapping[str, str | None], examples: Examples, zone: str
) -> list[Finding]:
    """Findings about date columns with dates after the cutoff that a customer is asked at.

    Args:
        formats: the format of each date column.
    """
    found = []
    for name, time_format in formats.items():
        quoted = json.dumps(name, ensure_ascii=False)
        times = as_dates(columns[name], time_format, zone)[examples.customers]
        later = int((times > examples.cutoffs).sum())
        known = int((times != MISSING_TIME).sum())
        if later:
            found.append(
                Finding(
                    "future_date",
                    "warning",
                    name,
                    f"{name!r} lies after the cutoff in {later:,} of {known:,} examples that have it: it was "
                    "written down later. Such a date is hidden from the model.",
                    f"If it is the end of a contract, ask for it (target: {{ends: {quoted}}}); else leave "
                    f"it out (data.customers.exclude: [{quoted}]).",
                )
            )
    return found
