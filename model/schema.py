"""The schema of a model: its columns, event fields and the statistics that scale them.

It is plain data, fitted on training examples only (`training.schema.fit_schema`) and stored in the
checkpoint. The request model, the API document and the golden customers are derived from it.
"""

import itertools
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from model.times import time_zones


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Scaling(_Part):
    """The scaling of a number: `(asinh((x - center) / scale) - mean) / deviation`.

    asinh is linear near the centre and logarithmic in the tails: an outlier neither dominates nor saturates.

    Attributes:
        edges: quantiles of the scaled values, for piecewise-linear embeddings.
        low, high, median: of the raw values in training.
    """

    center: float
    scale: Annotated[float, Field(gt=0)]
    mean: float
    deviation: Annotated[float, Field(gt=0)]
    edges: tuple[float, ...]
    low: float
    high: float
    median: float


class _Column(_Part):
    """A column of the table.

    Attributes:
        missing: the share of training examples in which it is missing.
    """

    name: str
    missing: Annotated[float, Field(ge=0, le=1)] = 0.0


class NumericColumn(_Column):
    """A column of numbers.

    Attributes:
        values: the often repeated numbers, ascending; each has an embedding of its own, as a category has.
            Code 0 is any other number, 1 + position a repeated one.
        spelling: of texts that are no plain numbers, see `model.values.numbers`.
    """

    kind: Literal["numeric"] = "numeric"
    scaling: Scaling
    values: tuple[float, ...] = ()
    spelling: Annotated[str, Field(min_length=1)] | None = None

    @field_validator("values")
    @classmethod
    def _ascend(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if any(a >= b for a, b in itertools.pairwise(values)):
            raise ValueError(f"values must ascend without repeats, got {values}")
        return values


class BooleanColumn(_Column):
    """A column of yes or no, read as 1 or 0."""

    kind: Literal["boolean"] = "boolean"
    scaling: Scaling


class DateColumn(_Column):
    """A column of dates, read as age in days before the cutoff; a date after the cutoff is missing."""

    kind: Literal["date"] = "date"
    time_format: str | None
    scaling: Scaling


class Rates(_Part):
    """The event rate of each code of a column of many categories: a further number for the network.

    Attributes:
        log_odds: of the event, one for each code.
    """

    log_odds: tuple[float, ...]
    scaling: Scaling


class CategoricalColumn(_Column):
    """A column of categories: code 0 missing, 1 not in the vocabulary, 2 + position otherwise."""

    kind: Literal["categorical"] = "categorical"
    vocabulary: tuple[str, ...]
    rates: Rates | None = None

    @model_validator(mode="after")
    def _rates_cover_codes(self) -> Self:
        if self.rates and len(self.rates.log_odds) != len(self.vocabulary) + 2:
            raise ValueError(f"{self.name} must have a rate for each of its {len(self.vocabulary) + 2} codes")
        return self


TableColumn = Annotated[
    NumericColumn | BooleanColumn | DateColumn | CategoricalColumn, Field(discriminator="kind")
]


class Series(_Part):
    """A series in wide columns, oldest first, with one scaling; each is a numeric column as well."""

    name: str
    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    scaling: Scaling


class EventValue(_Part):
    """A numeric field of an event; `spelling` as of a `NumericColumn`."""

    name: str
    scaling: Scaling
    spelling: Annotated[str, Field(min_length=1)] | None = None


class EventCategory(_Part):
    """A categorical field of an event (its type, or an attribute)."""

    name: str
    vocabulary: tuple[str, ...]


class HistoryFeature(_Part):
    """One aggregate of a history, computed by `model.features.aggregates.history_features`.

    Attributes:
        missing: the share of training examples in which it is missing.
    """

    name: str
    scaling: Scaling
    missing: Annotated[float, Field(ge=0, le=1)] = 0.0


class EventSchema(_Part):
    """The fields of an event and the history features computed from them."""

    id: str
    time: str
    time_format: str | None
    type: EventCategory | None
    values: tuple[EventValue, ...]
    attributes: tuple[EventCategory, ...]
    features: tuple[HistoryFeature, ...]
    max_events: Annotated[int, Field(gt=0)]

    @property
    def categories(self) -> tuple[EventCategory, ...]:
        """The type, if there is one, then the attributes: the order of every category tensor."""
        return (self.type, *self.attributes) if self.type else self.attributes


class Schema(_Part):
    """Everything a model reads about a customer.

    Attributes:
        time_zone: the zone of times without an offset, in files and in requests.
    """

    id: str | None
    time_zone: str = "UTC"
    columns: tuple[TableColumn, ...]
    series: tuple[Series, ...] = ()
    events: EventSchema | None = None

    @field_validator("time_zone")
    @classmethod
    def _is_known_here(cls, name: str) -> str:
        if name != "UTC" and name not in time_zones():
            raise ValueError(
                f"time_zone must be known on this machine, got {name!r}. Run `pip install -U tzdata`."
            )
        return name

    @model_validator(mode="after")
    def _series_are_columns(self) -> Self:
        known = {c.name for c in self.columns if c.kind == "numeric"}
        for series in self.series:
            if absent := [name for name in series.columns if name not in known]:
                raise ValueError(f"the series {series.name} must have numeric columns only, got {absent}")
        return self

    @property
    def numeric(self) -> tuple[NumericColumn | BooleanColumn | DateColumn, ...]:
        """The columns that are encoded as numbers, in order."""
        return tuple(c for c in self.columns if not isinstance(c, CategoricalColumn))

    @property
    def date_formats(self) -> dict[str, str | None]:
        """The formats of the columns of dates by name, in order."""
        return {c.name: c.time_format for c in self.columns if isinstance(c, DateColumn)}

    @property
    def valued(self) -> tuple[tuple[int, NumericColumn], ...]:
        """The columns with repeated numbers, each with its position in `numeric`."""
        numbered = enumerate(self.numeric)
        return tuple((n, c) for n, c in numbered if isinstance(c, NumericColumn) and c.values)

    @property
    def categorical(self) -> tuple[CategoricalColumn, ...]:
        """The columns that are encoded as codes, in order."""
        return tuple(c for c in self.columns if isinstance(c, CategoricalColumn))

    @property
    def numbers(self) -> tuple[tuple[str, Scaling], ...]:
        """The name and scaling of each number of the inputs but rates: columns, then history aggregates."""
        features = self.events.features if self.events else ()
        return tuple((one.name, one.scaling) for one in (*self.numeric, *features))

    @property
    def categories(self) -> tuple["CategoricalColumn | EventCategory", ...]:
        """The categories of the inputs: columns, then fields of events."""
        return (*self.categorical, *(self.events.categories if self.events else ()))

    @property
    def rated(self) -> tuple[Rates, ...]:
        """The rates of the categorical columns that have them, in order."""
        return tuple(c.rates for c in self.categorical if c.rates)

    @property
    def spellings(self) -> dict[str, str]:
        """The spelling of each column of numbers that are not plain, by name."""
        return {c.name: c.spelling for c in self.columns if isinstance(c, NumericColumn) and c.spelling}

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of all table columns, in order; those of a series are included."""
        return tuple(c.name for c in self.columns)
