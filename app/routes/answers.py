"""The shapes of the answers, for the API document."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field


class Prediction(BaseModel):
    """One customer's answer."""

    customer_id: Annotated[str | int, Field(description="As sent; the row's number, from 1, if none was.")]
    probability: Annotated[float, Field(ge=0, le=1, description="By the longest horizon.")]
    horizons: Annotated[
        dict[str, float], Field(description="By each horizon in days; models of an event log only.")
    ] = {}
    warnings: Annotated[list[str], Field(description="What is odd; with `warnings=true` only.")] = []


class Predictions(BaseModel):
    """The answers to one request, in the order of its customers."""

    model: str
    version: int
    as_of: Annotated[str, Field(description="The instant of the question.")]
    predictions: list[Prediction]


class ModelSummary(BaseModel):
    """One name of the registry."""

    name: str
    state: Literal["in service", "not in service"]
    champion: Annotated[int | None, Field(description="The version that the registry names.")]
    serving: Annotated[int | None, Field(description="The version that answers.")]
    reason: Annotated[str | None, Field(description="Why the two differ, or nothing answers.")] = None


class ModelList(BaseModel):
    """All names of the registry."""

    models: list[ModelSummary]


class ModelDetail(ModelSummary):
    """One name, and what the version that answers reads; the latter is absent where none does."""

    versions: list[int]
    created: str | None = None
    task: dict[str, Any] | None = None
    request_schema: Annotated[dict[str, Any] | None, Field(description="JSON Schema of a request.")] = None
    example: Annotated[dict[str, Any] | None, Field(description="A request that works as it stands.")] = None
    metrics: dict[str, Any] | None = None


class Health(BaseModel):
    """A probe's answer."""

    status: Literal["live", "ready"]


class ProblemFault(BaseModel):
    """One thing that is wrong with a request; rows and events are counted from 1."""

    row: int | None = None
    event: int | None = None
    field: str | None = None
    got: Annotated[str | None, Field(description="The kind of what came, never the value.")] = None
    allowed: str | None = None
    hint: str | None = None


class ProblemDetails(BaseModel):
    """RFC 9457 problem details."""

    type: Annotated[str, Field(description="Stable: compare it in programs.")]
    title: str
    status: int
    detail: str
    instance: Annotated[str | None, Field(description="The request, as the log names it.")] = None
    errors: list[ProblemFault] = []
