"""The manifest of a checkpoint, stored as manifest.json."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict

from model.probability import Calibration
from model.schema import Schema
from model.task import Task

FORMAT_VERSION: Final = 1

HeadName = Literal["linear", "mlp", "cnn", "rnn"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class NetworkSpec(_Part):
    """The head and the sizes of a network. The linear head has no sizes, and is one network in a checkpoint.

    Attributes:
        folds: networks in the bag, each fitted without a fold of the training customers.
        members: of each of these networks; they share all but an input scaling and the output layer.
        piecewise: whether numbers are embedded piecewise linearly, with embeddings of repeated values; else
            linearly.
    """

    head: HeadName = "mlp"
    width: Annotated[int, Strict(), Field(ge=4, le=4096)] = 96
    layers: Annotated[int, Strict(), Field(gt=0, le=16)] = 2
    dropout: Annotated[float, Strict(), Field(ge=0, lt=1)] = 0.0
    embedding: Annotated[int, Strict(), Field(gt=0, le=256)] = 8
    folds: Annotated[int, Strict(), Field(ge=1, le=64)] = 5
    members: Annotated[int, Strict(), Field(gt=0, le=256)] = 2
    piecewise: bool = True

    @property
    def reads_steps(self) -> bool:
        """Whether the head reads a sequence as well as the columns."""
        return self.head in ("cnn", "rnn")


class Golden(_Part):
    """Synthetic customers, as request rows, and the K probabilities that each must get on loading."""

    as_of: str
    customers: tuple[dict[str, Any], ...]
    probabilities: tuple[tuple[float, ...], ...]


class ModelDescription(_Part):
    """What rebuilds a model, together with the weights of its network."""

    task: Task
    schema_: Annotated[Schema, Field(alias="schema")]
    network: NetworkSpec
    calibration: Calibration


class InputGroup(_Part):
    """Inputs that share a reason: columns, aggregates of the history, or units of them (`model.reasons`)."""

    name: str
    inputs: tuple[str, ...]


class Manifest(ModelDescription):
    """All of a checkpoint but the weights.

    Attributes:
        groups: of the inputs, one for each reason.
        changeable: the columns that a what-if may change.
        files: the SHA-256 of every other file.
    """

    format_version: Literal[1] = FORMAT_VERSION
    name: str
    version: Annotated[int, Field(gt=0)]
    created: str
    golden: Golden
    groups: tuple[InputGroup, ...] = ()
    changeable: tuple[str, ...] = ()
    metrics: dict[str, Any]
    provenance: dict[str, Any]
    files: dict[str, str] = {}
