"""The names under `reasons` in a study, checked against its data before anything is fitted."""

from collections.abc import Iterable

import numpy as np

from model.errors import DataError
from model.features.aggregates import history_features
from model.files.names import listed, nearest
from model.values.columns import as_categories
from model.values.history import EventLog
from training.schema.fit_schema import ModelFields
from training.study.sections import ReasonOptions


def check_reasons(
    options: ReasonOptions, fields: ModelFields, log: EventLog | None, lookback_days: int | None
) -> None:
    """Refuse groups of inputs, and columns for a what-if, that the model does not read.

    Raises:
        DataError: with the nearest name.
    """
    if not options.groups and not options.changeable:
        return
    columns = [*fields.kinds, *fields.series]
    history = _history_names(fields, log, lookback_days) if log and fields.events else []
    for group, names in options.groups.items():
        _refuse(names, [*columns, *history], f"reasons.groups.{group}")
    _refuse(options.changeable, list(fields.kinds), "reasons.changeable")
    if dates := [name for name in options.changeable if fields.kinds[name] == "date"]:
        raise DataError(f"reasons.changeable must not name dates, which are past, got {listed(dates)}")


def _refuse(names: Iterable[str], known: list[str], key: str) -> None:
    for name in names:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near!r}?" if near else f"such as {listed(known[:10])}"
            raise DataError(f"{key} must name what the model reads, got {name!r}; {hint}")


def _history_names(fields: ModelFields, log: EventLog, lookback_days: int | None) -> list[str]:
    """The units of a history (`model.reasons.groups`), then its aggregates."""
    source = fields.events
    assert source
    types = list(as_categories(log.categories[source.type]).values) if source.type else []
    none = np.empty(0, dtype=np.int64)
    empty = EventLog(np.zeros(1, dtype=np.int64), none, dict.fromkeys(source.values, np.empty(0)), {})
    aggregates = history_features(
        empty, none, none, lookback_days=lookback_days, type_codes=none, types=types
    )
    units = ["recency", "rhythm", "tenure", "season", *types, *source.values, *source.attributes]
    return [*units, *([source.type] if source.type else []), *aggregates]
