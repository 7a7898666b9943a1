"""Raw rows as they were at an instant: nothing later is left."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from model.errors import DataError
from model.files.dates import column_instants, date_formats
from model.times import MISSING_TIME, Instants
from model.values.columns import as_instants
from tests.benchmarks.quality.files import texts_in
from training.study.study import ContractTarget, Study


def without(events: pd.DataFrame, patterns: Mapping[str, str]) -> pd.DataFrame:
    """The events that no pattern matches.

    Raises:
        DataError: a pattern is for a column that is not there.
    """
    for name, pattern in patterns.items():
        if name not in events:
            raise DataError(f"leave_out must name columns of the log, got {name!r}; it has {list(events)}")
        events = events[~events[name].str.match(pattern).fillna(False).astype(bool)]
    return events


def cut_events(events: pd.DataFrame, study: Study, cut: int) -> pd.DataFrame:
    """The events up to the cut."""
    source = study.data.events
    assert source is not None
    times = as_instants(texts_in(events[source.time]), source.time_format, study.data.time_zone)
    return events[times <= cut]


def cut_customers(customers: pd.DataFrame, study: Study, cut: int) -> pd.DataFrame:
    """The table; of contracts, those that had started, and the ends that had come."""
    target = study.target
    if not isinstance(target, ContractTarget):
        return customers
    zone = study.data.time_zone
    kept = customers.copy()
    if target.starts:
        starts = _dates(customers[target.starts], zone)
        kept = kept[starts <= cut]
    ends = _dates(kept[target.ends], zone)
    kept[target.ends] = np.where((ends <= cut) & (ends != MISSING_TIME), kept[target.ends], None)
    return kept


def _dates(column: pd.Series, zone: str) -> Instants:
    texts = texts_in(column)
    found = date_formats({"": texts}).get("")
    return column_instants(texts, found.time_format if found else None, str(column.name), zone)
