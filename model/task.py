"""The question a model answers: about whom, over which windows, and what counts as yes.

The one time convention: history is `(cutoff - lookback, cutoff]`, the label window of horizon h is
`(cutoff + gap, cutoff + gap + h]`, a customer is eligible with an event in `(cutoff - within, cutoff]`.
"""

from datetime import date
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

Ordered = TypeVar("Ordered", int, date)


def increasing(values: tuple[Ordered, ...]) -> tuple[Ordered, ...]:
    """Return the values as they are.

    Raises:
        ValueError: one is not greater than the one before it.
    """
    if list(values) != sorted(set(values)):
        raise ValueError(f"must increase, got {[v if isinstance(v, int) else str(v) for v in values]}")
    return values


Days = Annotated[int, Strict(), Field(ge=0, le=36_500)]
PositiveDays = Annotated[int, Strict(), Field(gt=0, le=36_500)]
Horizons = Annotated[tuple[PositiveDays, ...], Field(min_length=1, max_length=52), AfterValidator(increasing)]
EventTypes = tuple[Annotated[str, Field(min_length=1)], ...]

ANY_EVENT = "any"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnTask(_Part):
    """The label is a column of the customer table."""

    kind: Literal["column"] = "column"
    column: str
    positive: str
    lookback_days: PositiveDays = 365

    @property
    def n_outputs(self) -> int:
        """K, the logits per example."""
        return 1

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the K cumulative probabilities; empty where there is only one, unnamed."""
        return ()


class Eligible(_Part):
    """What a customer must have by the cutoff to be asked about, beside a recent event.

    Attributes:
        min_events: events up to the cutoff, however old.
        min_history_days, max_history_days: days since the start of the contract, else since the first
            event; no upper limit with None.
    """

    min_events: Annotated[int, Strict(), Field(ge=0)] = 0
    min_history_days: Days = 0
    max_history_days: Days | None = None


class WindowTask(_Part):
    """What a purchase and the end of a contract have in common: windows after a cutoff.

    Horizons are increasing; interval j runs from horizon j-1 to horizon j.

    Attributes:
        ingestion_lag_days: how late events arrive: a window is observed this long after its end.
        reactivates_within_days: a customer who comes back this soon after an ending never left.
        returns: event types that mean coming back; empty for any but an ending.
        involuntary: event types that mark an ending as not the customer's choice, if they come with it
            or up to `involuntary_within_days` before it. Such an ending is not the event asked about.
    """

    horizons_days: Horizons
    gap_days: Days = 0
    lookback_days: PositiveDays = 365
    ingestion_lag_days: Days = 0
    eligible: Eligible = Eligible()
    reactivates_within_days: Days = 0
    returns: EventTypes = ()
    involuntary: EventTypes = ()
    involuntary_within_days: Days = 7

    @property
    def window_days(self) -> int:
        """From the cutoff to the end of the longest window: gap and longest horizon."""
        return self.gap_days + self.horizons_days[-1]

    @property
    def wait_days(self) -> int:
        """From the end of a window until its label is certain: for a return, and for late events."""
        return self.reactivates_within_days + self.ingestion_lag_days

    @property
    def n_outputs(self) -> int:
        """K, the hazard logits per example: one per horizon interval."""
        return len(self.horizons_days)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the K cumulative probabilities: the horizons in days."""
        return tuple(str(h) for h in self.horizons_days)


class LogTask(WindowTask):
    """The label is compiled from the event log.

    With `outcome` "occurs" the positive customers have an `event` in the window; with "absent" they
    have none. A `terminal` event ends a customer's life: who had one is asked about no more.
    """

    kind: Literal["log"] = "log"
    event: str | EventTypes = ANY_EVENT
    outcome: Literal["occurs", "absent"]
    terminal: bool = False
    eligible_within_days: PositiveDays = 365

    @property
    def event_types(self) -> tuple[str, ...]:
        """The types that count; empty for any event."""
        if isinstance(self.event, tuple):
            return self.event
        return () if self.event == ANY_EVENT else (self.event,)


class ContractTask(WindowTask):
    """The label is the end of a contract: the date in column `ends` of the customer table.

    Attributes:
        ends: the column; missing while the contract runs.
        starts: the column of the first day; None where a customer is there from the first event on.
        ends_format, starts_format: how the two are written, as read off the table in training: a strptime
            format, or None for ISO 8601.
    """

    kind: Literal["contract"] = "contract"
    ends: str
    starts: str | None = None
    ends_format: str | None = None
    starts_format: str | None = None
    eligible_within_days: PositiveDays | None = None

    @property
    def outcome(self) -> Literal["occurs"]:
        """The positive customers are those whose contract ends."""
        return "occurs"


Task = Annotated[ColumnTask | LogTask | ContractTask, Field(discriminator="kind")]

__all__ = ["ANY_EVENT", "ColumnTask", "ContractTask", "Eligible", "LogTask", "Task", "WindowTask"]
