"""A study: one YAML file with the data, the target, the split and the fit of a model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, cast

from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from model.errors import StudyError
from model.task import (
    ANY_EVENT,
    ColumnTask,
    ContractTask,
    Eligible,
    EndedWhen,
    LogTask,
    PositiveDays,
    WindowTask,
    increasing,
)
from training.study.faults import explain
from training.study.rules import TargetForm, broken_rules, target_form
from training.study.sections import (
    EMPTY_IS_DEFAULT,
    DataSources,
    FairnessOptions,
    FitOptions,
    IsoDate,
    Labels,
    Names,
    NetworkOptions,
    ReasonOptions,
    Section,
    SplitOptions,
    StudyName,
    Text,
    resolve_path,
)
from training.study.yaml_file import read_document, spell_place

_OF_STUDY: Final = {"cutoffs", "observed_until"}  # keys of a target that are not part of its task


class ColumnTarget(Section):
    """The label is a column of the customer table; see `training.question.label_column`.

    `as_of` is the day that its rows are dated by; None reads it off the data, see `training.prepare`.
    """

    column: Text
    positive: Annotated[Labels, Field(min_length=1)]
    negative: Labels = ()
    as_of: IsoDate | None = None
    lookback_days: PositiveDays | None = None

    @property
    def task(self) -> ColumnTask:
        """The task as a checkpoint stores it."""
        return ColumnTask(**self.model_dump(exclude={"as_of"}))


class Cutoffs(Section):
    """The cutoffs: every so many days, in [first, last]; None is the first or last that the data allow.

    `dates` lists them instead.
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


class WindowTarget(Section, WindowTask):
    """The options of a target with windows.

    `observed_until` is the last day that the files cover; None reads it off the data.
    """

    eligible: Annotated[Eligible, EMPTY_IS_DEFAULT] = Eligible()
    cutoffs: Annotated[Cutoffs, EMPTY_IS_DEFAULT] = Cutoffs()
    observed_until: IsoDate | None = None


class LogTarget(WindowTarget):
    """The label is compiled from the event log; see `model.task.LogTask`.

    `terminal` None reads it off the log, see `training.question.question`.
    """

    event: Text | Annotated[Names, Field(min_length=1)] = ANY_EVENT
    outcome: Literal["occurs", "absent"]
    terminal: bool | None = None
    eligible_within_days: PositiveDays = 365

    @property
    def task(self) -> LogTask:
        """The task as a checkpoint stores it, as far as the study determines it."""
        plain = self.model_dump(exclude={*_OF_STUDY, "terminal"})
        return LogTask(**plain, terminal=bool(self.terminal or self.reactivates_within_days))


class EndedWhenKeys(Section, EndedWhen):
    """The column, and its value or values, of a contract that has really ended."""

    column: Text
    value: Labels


class ContractTarget(WindowTarget):
    """The label is the end of a contract, a date in the customer table; see `model.task.ContractTask`.

    `starts` None reads the column off the table, see `training.question.question`.
    """

    ends: Text
    starts: Text | None = None
    ended_when: EndedWhenKeys | None = None
    eligible_within_days: PositiveDays | None = None

    @property
    def task(self) -> ContractTask:
        """The task as a checkpoint stores it, as far as the study determines it."""
        return ContractTask(**self.model_dump(exclude=_OF_STUDY))


Target = ColumnTarget | LogTarget | ContractTarget

OF_A_LOG: Final = {"embedding": 4, "members": 1}  # defaults of the network without a customer table

FORMS: Final[dict[TargetForm, type[ColumnTarget] | type[LogTarget] | type[ContractTarget]]] = {
    "column": ColumnTarget,
    "log": LogTarget,
    "contract": ContractTarget,
}


class Study(Section):
    """All sections of a study file. `title` is the question in business words, for the report.

    The ledger keeps records for `retention_days`; None: for ever.
    """

    name: StudyName
    title: Text | None = None
    data: DataSources
    target: Target
    split: Annotated[SplitOptions, EMPTY_IS_DEFAULT] = SplitOptions()
    network: Annotated[NetworkOptions, EMPTY_IS_DEFAULT] = Field(NetworkOptions(), validate_default=True)
    fit: Annotated[FitOptions, EMPTY_IS_DEFAULT] = FitOptions()
    fairness: Annotated[FairnessOptions, EMPTY_IS_DEFAULT] = FairnessOptions()
    reasons: Annotated[ReasonOptions, EMPTY_IS_DEFAULT] = ReasonOptions()
    allow_leaks: Names = ()
    retention_days: PositiveDays | None = None
    _base: Path = PrivateAttr(default=Path())

    @property
    def base(self) -> Path:
        """The folder of the study file; the paths of `data` are relative to it."""
        return self._base

    @property
    def task(self) -> ColumnTask | LogTask | ContractTask:
        """The task, as far as the study determines it."""
        return self.target.task

    def files(self) -> tuple[Path | None, Path | None]:
        """Return the paths of the customer table and of the event log.

        Raises:
            StudyError: one is a file of a package that is not installed, or that lacks it.
        """
        customers, events = self.data.customers, self.data.events
        return (
            resolve_path(customers.path, self.base) if customers else None,
            resolve_path(events.path, self.base) if events else None,
        )

    @field_validator("target", mode="before")
    @classmethod
    def _one_form(cls, raw: Any) -> Any:
        """Validate one form only, so that no fault of another form is reported."""
        if not isinstance(raw, Mapping):
            return raw if isinstance(raw, tuple(FORMS.values())) else ColumnTarget.model_validate(raw)
        return FORMS[target_form(raw)].model_validate(raw)

    @field_validator("network")
    @classmethod
    def _sizes_of_a_log(cls, network: NetworkOptions, info: ValidationInfo) -> NetworkOptions:
        """Aggregates are read linearly, which takes less of a network than the columns of a table."""
        data = info.data.get("data")
        sizes = OF_A_LOG if data is not None and data.customers is None else {}
        open_ = {name: size for name, size in sizes.items() if name not in network.model_fields_set}
        return network.model_copy(update=open_) if open_ else network

    @model_validator(mode="wrap")
    @classmethod
    def _all_faults(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Report broken rules between sections together with the faults inside them."""
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


def study_of(values: Mapping[str, Any], folder: Path) -> Study:
    """Return the study of these keys and values; its paths are relative to the folder.

    Raises:
        StudyError: with a line for each fault.
    """
    try:
        study = Study.model_validate(values)
    except ValidationError as error:
        faults = explain(error, Study)
        raise StudyError(
            "\n".join(f"{spell_place(f.place) or 'study'}: {f.message}" for f in faults)
        ) from None
    study._base = folder
    return study


def stored_study(provenance: Mapping[str, Any]) -> Study:
    """Return the study in the provenance of a checkpoint."""
    return study_of(provenance["study"], Path(provenance["folder"]))
