"""What a checkpoint says about itself: the readable half, stored as manifest.json."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict

from model.probability import Calibration
from model.schema import Schema
from model.task import Task

FORMAT_VERSION: Final = 1

HeadName = Literal["mlp", "cnn", "rnn"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class NetworkSpec(_Part):
    """How to rebuild the network: a head's name and its plain arguments.

    Attributes:
        folds: networks in the bag, each fitted without a fold of the training customers.
        members: of each of them, sharing all but a scaling in front and a layer behind.
        piecewise: whether a number is read piecewise linearly, and its repeated values by themselves; else
            it is read linearly.
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
        """Whether the head reads a sequence beside the columns."""
        return self.head != "mlp"


class Golden(_Part):
    """Made-up customers in the form of a request, and the probabilities they must get on loading.

    `customers` are request rows; `probabilities` holds K numbers for each of them.
    """

    as_of: str
    customers: tuple[dict[str, Any], ...]
    probabilities: tuple[tuple[float, ...], ...]


class Manifest(_Part):
    """Everything but the weights. `files` holds the SHA-256 of every other file of the checkpoint."""

    format_version: Literal[1] = FORMAT_VERSION
    name: str
    version: Annotated[int, Field(gt=0)]
    created: str
    task: Task
    schema_: Annotated[Schema, Field(alias="schema")]
    network: NetworkSpec
    calibration: Calibration
    golden: Golden
    metrics: dict[str, Any]
    provenance: dict[str, Any]
    files: dict[str, str] = {}
