"""The question a model answers: about whom, over which windows, and what counts as yes.

The one time convention: history is `(cutoff - lookback, cutoff]`, the label window of horizon h is
`(cutoff + gap, cutoff + gap + h]`, a customer is eligible with an event in `(cutoff - within, cutoff]`.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Days = Annotated[int, Field(ge=0, le=36_500)]
PositiveDays = Annotated[int, Field(gt=0, le=36_500)]


class ColumnTask(BaseModel):
    """The label is a column of the customer table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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


class LogTask(BaseModel):
    """The label is compiled from the event log.

    With `outcome` "occurs" the positive customers have an `event` in the window; with "absent" they
    have none. Horizons are increasing; interval j runs from horizon j-1 to horizon j.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["log"] = "log"
    event: str = "any"
    outcome: Literal["occurs", "absent"]
    horizons_days: Annotated[tuple[PositiveDays, ...], Field(min_length=1, max_length=52)]
    gap_days: Days = 0
    lookback_days: PositiveDays = 365
    eligible_within_days: PositiveDays = 365

    @model_validator(mode="after")
    def _horizons_increase(self) -> Self:
        if list(self.horizons_days) != sorted(set(self.horizons_days)):
            raise ValueError(f"horizons_days must increase, got {list(self.horizons_days)}")
        return self

    @property
    def window_days(self) -> int:
        """From the cutoff to the end of the longest window: gap and longest horizon."""
        return self.gap_days + self.horizons_days[-1]

    @property
    def n_outputs(self) -> int:
        """K, the hazard logits per example: one per horizon interval."""
        return len(self.horizons_days)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the K cumulative probabilities: the horizons in days."""
        return tuple(str(h) for h in self.horizons_days)


Task = Annotated[ColumnTask | LogTask, Field(discriminator="kind")]

__all__ = ["ColumnTask", "LogTask", "Task"]
