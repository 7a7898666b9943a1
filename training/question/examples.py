"""What a fit is about: examples and their labels, beside the data that they are about."""

from collections.abc import Mapping
from dataclasses import dataclass

from model.values.columns import Column
from model.values.customers import Examples
from model.values.history import EventLog
from training.question.labels import Labels


@dataclass(frozen=True)
class Asked:
    """N examples, their labels, and the columns and log that they are about."""

    columns: Mapping[str, Column]
    log: EventLog | None
    examples: Examples
    labels: Labels
