"""A study: one YAML file that says who is asked about, when, what counts, and how to fit it."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final, Self, cast

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    Strict,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from model.device import DeviceName
from model.errors import StudyError
from model.store.manifest import HeadName
from model.task import ColumnTask, ContractTask, LogTask
from training.study.faults import explain
from training.study.rules import broken_rules, target_form
from training.study.section import EMPTY_IS_DEFAULT, Section
from training.study.targets import FORMS, ColumnTarget, Target
from training.study.values import (
    Count,
    Names,
    Number,
    Seed,
    StudyName,
    Text,
    TimeZone,
)
from training.study.yaml_places import read_document

_PACKAGE: Final = "package:"


class CustomersSource(Section):
    """The customer table. A column has one use; a column that is not named here gets an inferred kind."""

    path: Text
    id: Text | None = None
    exclude: Names = ()
    categorical: Names = ()
    numeric: Names = ()
    sequences: dict[str, Annotated[Names, Field(min_length=1)]] = {}  # noqa: RUF012 - pydantic copies it


class EventsSource(Section):
    """The event log. `time_format` is a strptime format or "unix"; None is ISO 8601."""

    path: Text
    id: Text
    time: Text
    time_format: Text | None = None
    type: Text | None = None
    values: Names = ()
    attributes: Names = ()


class DataSources(Section):
    """Where the rows come from; paths are for `resolve_path`.

    `time_zone` is whose clock the times without an offset were read from.
    """

    customers: CustomersSource | None = None
    events: EventsSource | None = None
    time_zone: TimeZone = "UTC"


class Split(Section):
    """Who is held out.

    `group` is a column of the customer table whose values stay together; `time` likewise is one that
    orders the rows, for a column target only. `compare`: fit once more on the easy split, to show what
    it would have claimed.
    """

    test_fraction: Annotated[Number, Field(gt=0, lt=1)] = 0.2
    seed: Seed = 0
    time: Text | None = None
    group: Text | None = None
    compare: bool = True


class NetworkOptions(Section):
    """The network; the bounds are those of `model.store.manifest.NetworkSpec`.

    `choose`: leave out, of what the study asks for, the sequence and the piecewise-linear code where the
    later dates show that they do not pay.
    """

    head: HeadName = "mlp"
    width: Annotated[int, Strict(), Field(ge=4, le=4096)] = 96
    layers: Annotated[int, Strict(), Field(gt=0, le=16)] = 2
    dropout: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    embedding: Annotated[int, Strict(), Field(gt=0, le=256)] = 8
    folds: Annotated[int, Strict(), Field(ge=2, le=64)] = 5
    members: Annotated[int, Strict(), Field(gt=0, le=256)] = 2
    piecewise: bool = True
    choose: bool = True
    max_events: Count = 64


class FitOptions(Section):
    """How the network is fitted."""

    device: DeviceName = "auto"
    epochs: Count | None = None  # None: fewer epochs where an epoch has more steps
    patience: Count | None = None  # None: a quarter of the epochs
    batch_size: Count | None = None  # None grows with the data
    learning_rate: Annotated[Number, Field(gt=0, le=1)] = 0.01
    weight_decay: Annotated[Number, Field(ge=0, le=1)] = 0.0001
    seed: Seed = 0
    refit: bool = True


class Study(Section):
    """Everything that one training run is told."""

    name: StudyName
    data: DataSources
    target: Target
    split: Annotated[Split, EMPTY_IS_DEFAULT] = Split()
    network: Annotated[NetworkOptions, EMPTY_IS_DEFAULT] = NetworkOptions()
    fit: Annotated[FitOptions, EMPTY_IS_DEFAULT] = FitOptions()
    allow_leaks: Names = ()
    _base: Path = PrivateAttr(default=Path())

    @property
    def base(self) -> Path:
        """The folder that the paths of `data` start from; the study file's own."""
        return self._base

    @property
    def task(self) -> ColumnTask | LogTask | ContractTask:
        """The question, as far as the study alone tells."""
        return self.target.task

    @field_validator("target", mode="before")
    @classmethod
    def _one_form(cls, raw: Any) -> Any:
        """Validates one form only, so that no fault of the other form is reported."""
        if not isinstance(raw, Mapping):
            return raw if isinstance(raw, tuple(FORMS.values())) else ColumnTarget.model_validate(raw)
        return FORMS[target_form(raw)].model_validate(raw)

    @model_validator(mode="wrap")
    @classmethod
    def _all_faults(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Reports broken rules between sections beside the faults inside them."""
        broken = [
            InitErrorDetails(type="value_error", loc=place, input=None, ctx={"error": text})
            for place, text in broken_rules(raw)
        ]
        try:
            study = handler(raw)
        except ValidationError as error:
            inside = cast(list[InitErrorDetails], error.errors(include_url=False))
            raise ValidationError.from_exception_data(cls.__name__, inside + broken) from None
        if broken:
            raise ValidationError.from_exception_data(cls.__name__, broken)
        return study


def read_study(path: Path, overrides: Sequence[str] = ()) -> Study:
    """Read a study file.

    Args:
        path: the YAML file; its folder becomes the study's `base`.
        overrides: `KEY=VALUE` each, the key dotted (`fit.epochs=3`), the value in YAML.

    Raises:
        StudyError: with a line for each fault and its place in the file.
    """
    document = read_document(path)
    for assignment in overrides:
        document.override(assignment)
    try:
        study = Study.model_validate(document.values)
    except ValidationError as error:
        document.faults.extend(explain(error, Study))
    if document.faults:
        raise StudyError(document.report())
    study._base = path.parent
    return study


def resolve_path(text: str, base: Path) -> Path:
    """A path of a study as a path of this machine; it may be a glob.

    Args:
        text: absolute, relative to `base`, or `package:NAME/inner/path`, a file that an installed
            Python package carries.
        base: the study's folder.

    Raises:
        StudyError: the package is not installed, or has no such file.
    """
    if not text.startswith(_PACKAGE):
        return base / Path(text).expanduser()
    package, _, inner = text.removeprefix(_PACKAGE).partition("/")
    # importlib.resources would import the package, and so run its code, for the sake of a data file.
    spec = find_spec(package) if package.isidentifier() else None
    folders = (spec and spec.submodule_search_locations) or []
    if not folders:
        raise StudyError(
            f'"{text}" needs the Python package "{package}", which is not installed: pip install {package}'
        )
    file = Path(folders[0], inner)
    if not file.is_file():
        raise StudyError(f'the Python package "{package}" carries no file "{inner}"; correct "{text}"')
    return file
