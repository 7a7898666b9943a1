"""The task of a model: which customers are eligible, the windows, and which label is positive.

The history is every event up to the cutoff, or those in `(cutoff - lookback, cutoff]`. The label window of
horizon h is `(cutoff + gap, cutoff + gap + h]`, and a customer is eligible with an event in
`(cutoff - within, cutoff]`.
"""

from datetime import date
from functools import cached_property
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

Ordered = TypeVar("Ordered", int, date)


def increasing(values: tuple[Ordered, ...]) -> tuple[Ordered, ...]:
    """Return the values; raise a ValueError unless each is greater than the one before it."""
    if list(values) != sorted(set(values)):
        raise ValueError(f"must increase, got {[v if isinstance(v, int) else str(v) for v in values]}")
    return values


def _several(values: str | tuple[str, ...]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else values


Days = Annotated[int, Strict(), Field(ge=0, le=36_500)]
PositiveDays = Annotated[int, Strict(), Field(gt=0, le=36_500)]
Horizons = Annotated[tuple[PositiveDays, ...], Field(min_length=1, max_length=52), AfterValidator(increasing)]
EventTypes = tuple[Annotated[str, Field(min_length=1)], ...]

ANY_EVENT = "any"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Task(_Part):
    @property
    def dates(self) -> dict[str, str | None]:
        """The columns that hold dates of the task, with their formats."""
        return {}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the task reads to know who is eligible."""
        return tuple(self.dates)

    @property
    def n_outputs(self) -> int:
        """K, the logits per example: one per interval, or a single one without a horizon."""
        return max(len(self.output_names), 1)

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """Names of the K cumulative probabilities: the horizons in days; none without a horizon."""
        return ()


class ColumnTask(_Task):
    """The label is a column of the customer table.

    Attributes:
        positive: the value, or values, of a positive row.
        negative: those of a negative row; empty for all others.
    """

    kind: Literal["column"] = "column"
    column: str
    positive: str | tuple[str, ...]
    negative: str | tuple[str, ...] = ()
    lookback_days: PositiveDays | None = None

    @property
    def positives(self) -> tuple[str, ...]:
        """The values of a positive row."""
        return _several(self.positive)

    @property
    def negatives(self) -> tuple[str, ...]:
        """The values of a negative row; empty for all that are not positive."""
        return _several(self.negative)


class Eligible(_Part):
    """What makes a customer eligible at a cutoff, as well as a recent event.

    Attributes:
        min_events: events of any age up to the cutoff.
        min_history_days, max_history_days: days since the start of the contract, else since the first
            event; None is no upper limit.
    """

    min_events: Annotated[int, Strict(), Field(ge=0)] = 0
    min_history_days: Days = 0
    max_history_days: Days | None = None


class WindowTask(_Task):
    """A task with windows after a cutoff. Interval j is from horizon j - 1 to horizon j.

    Attributes:
        ingestion_lag_days: delay of events: a window is observed this long after its end.
        reactivates_within_days: an ending does not count if the customer returns this soon after it.
        returns: event types of a return; empty for any but an ending.
        involuntary: event types that mark an ending as involuntary, at the same time or up to
            `involuntary_within_days` before it. Such an ending does not count.
    """

    horizons_days: Horizons
    gap_days: Days = 0
    lookback_days: PositiveDays | None = None
    ingestion_lag_days: Days = 0
    eligible: Eligible = Eligible()
    reactivates_within_days: Days = 0
    returns: EventTypes = ()
    involuntary: EventTypes = ()
    involuntary_within_days: Days = 7

    @property
    def window_days(self) -> int:
        """Days from the cutoff to the end of the longest window."""
        return self.gap_days + self.horizons_days[-1]

    @property
    def wait_days(self) -> int:
        """Days from the end of a window until its label is final, for a return and for late events."""
        return self.reactivates_within_days + self.ingestion_lag_days

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """The horizons in days."""
        return tuple(str(h) for h in self.horizons_days)


class LogTask(WindowTask):
    """The label is compiled from the event log.

    With `outcome` "occurs" the positive customers have an `event` in the window, with "absent" none.
    After a `terminal` event a customer is no longer eligible.
    """

    kind: Literal["log"] = "log"
    event: str | EventTypes = ANY_EVENT
    outcome: Literal["occurs", "absent"]
    terminal: bool = False
    eligible_within_days: PositiveDays = 365

    @property
    def event_types(self) -> tuple[str, ...]:
        """The event types that count; empty for any event."""
        if isinstance(self.event, tuple):
            return self.event
        return () if self.event == ANY_EVENT else (self.event,)


class EndedWhen(_Part):
    """The column, and its value or values, of a contract that has really ended."""

    column: str
    value: str | tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The values."""
        return _several(self.value)


class ContractTask(WindowTask):
    """The label is the end of a contract: the date in column `ends` of the customer table.

    Attributes:
        ended_when: an end counts only in rows with this value; other ends are planned. None for all.
        last_day_runs: whether an end on the day the data end, or of the prediction, says "still running".
        ends: the column; missing while the contract runs.
        starts: the column of the first day; None where it is the first event.
        ends_format, starts_format: strptime format of each, found in training; None for ISO 8601.
    """

    kind: Literal["contract"] = "contract"
    ends: str
    starts: str | None = None
    ends_format: str | None = None
    starts_format: str | None = None
    ended_when: EndedWhen | None = None
    last_day_runs: bool = False
    eligible_within_days: PositiveDays | None = None

    @property
    def dates(self) -> dict[str, str | None]:
        """The columns of the two dates, with their formats."""
        starts = {self.starts: self.starts_format} if self.starts else {}
        return {self.ends: self.ends_format, **starts}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the task reads to know who is eligible."""
        return (*self.dates, *([self.ended_when.column] if self.ended_when else []))

    @property
    def outcome(self) -> Literal["occurs"]:
        """The positive customers are those whose contract ends."""
        return "occurs"


Task = Annotated[ColumnTask | LogTask | ContractTask, Field(discriminator="kind")]

__all__ = ["ANY_EVENT", "ColumnTask", "ContractTask", "Eligible", "LogTask", "Task", "WindowTask"]
