"""What a fit is about: examples and their labels, beside the data that they are about."""

from collections.abc import Mapping
from dataclasses import dataclass

from model.columns import Column
from model.customers import Examples
from model.history import EventLog
from training.labels import Labels


@dataclass(frozen=True)
class Asked:
    """N examples, their labels, and the columns and log that they are about."""

    columns: Mapping[str, Column]
    log: EventLog | None
    examples: Examples
    labels: Labels
