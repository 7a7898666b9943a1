"""The target of a study in its three forms: a column, an outcome of the log, the end of a contract."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from model.task import ANY_EVENT, ColumnTask, ContractTask, LogTask
from training.study.rules import TargetForm
from training.study.section import EMPTY_IS_DEFAULT, Section
from training.study.values import (
    Days,
    Horizons,
    IsoDate,
    Label,
    Names,
    PositiveDays,
    Text,
    increasing,
)


class ColumnTarget(Section):
    """The label is a column of the customer table, positive where its text is `positive`."""

    column: Text
    positive: Label
    lookback_days: PositiveDays = 365

    @property
    def task(self) -> ColumnTask:
        """The question, as a checkpoint keeps it."""
        return ColumnTask(**self.model_dump())


class Cutoffs(Section):
    """The instants asked about: every so many days, in [first, last]; None is what the data allow.

    `dates` names them one by one instead.
    """

    every_days: PositiveDays = 30
    first: IsoDate | None = None
    last: IsoDate | None = None
    dates: Annotated[tuple[IsoDate, ...], AfterValidator(increasing)] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first and self.last and self.first > self.last:
            raise ValueError(f"first must not be after last, got {self.first} and {self.last}")
        rest = {"every_days", "first", "last"}
        if self.dates and self.model_dump(include=rest) != Cutoffs().model_dump(include=rest):
            raise ValueError("dates must stand alone; leave out every_days, first and last")
        return self


class EligibleTarget(Section):
    """What a customer must have to be asked about; see `model.task.Eligible`."""

    min_events: Annotated[int, Strict(), Field(ge=0)] = 0
    min_history_days: Days = 0
    max_history_days: Days | None = None


class _WindowTarget(Section):
    """What both forms with windows have in common; see `model.task.WindowTask`.

    `observed_until`: the last day that the files are sure to hold; None is what they show.
    """

    horizons_days: Horizons
    gap_days: Days = 0
    lookback_days: PositiveDays = 365
    ingestion_lag_days: Days = 0
    eligible: Annotated[EligibleTarget, EMPTY_IS_DEFAULT] = EligibleTarget()
    reactivates_within_days: Days = 0
    returns: Names = ()
    involuntary: Names = ()
    involuntary_within_days: Days = 7
    cutoffs: Annotated[Cutoffs, EMPTY_IS_DEFAULT] = Cutoffs()
    observed_until: IsoDate | None = None


class LogTarget(_WindowTarget):
    """The label is compiled from the event log; see `model.task.LogTask`.

    `terminal` None: what the log shows, see `training.question.question`.
    """

    event: Text | Annotated[Names, Field(min_length=1)] = ANY_EVENT
    outcome: Literal["occurs", "absent"]
    terminal: bool | None = None
    eligible_within_days: PositiveDays = 365

    @property
    def task(self) -> LogTask:
        """The question, as a checkpoint keeps it, as far as the study alone tells."""
        plain = self.model_dump(exclude={"cutoffs", "observed_until", "terminal"})
        return LogTask(**plain, terminal=bool(self.terminal or self.reactivates_within_days))


class ContractTarget(_WindowTarget):
    """The label is the end of a contract, a date in the customer table; see `model.task.ContractTask`.

    `starts` None: what the table shows, see `training.question.question`.
    """

    ends: Text
    starts: Text | None = None
    eligible_within_days: PositiveDays | None = None

    @property
    def task(self) -> ContractTask:
        """The question, as a checkpoint keeps it, as far as the study alone tells."""
        return ContractTask(**self.model_dump(exclude={"cutoffs", "observed_until"}))


Target = ColumnTarget | LogTarget | ContractTarget

FORMS: Final[dict[TargetForm, type[ColumnTarget] | type[LogTarget] | type[ContractTarget]]] = {
    "column": ColumnTarget,
    "log": LogTarget,
    "contract": ContractTarget,
}
