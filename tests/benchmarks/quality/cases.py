"""A case: a Propense study on a public data set, and how it is split into training and test."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from model.errors import DataError, StudyError
from model.files.parts import find_files
from training.study.sections import resolve_path

CASES: Final = Path(__file__).resolve().parent.parent / "cases"

Day = Annotated[str, BeforeValidator(lambda day: day.isoformat() if isinstance(day, date) else day)]


class Case(BaseModel):
    """A case file.

    Attributes:
        name: of the file.
        kind: "table": rows are drawn; "log": training sees what was known at each of `cuts` in turn, and
            everybody eligible is asked about then.
        study: what a study file holds; its paths are relative to the folder of the data.
        cuts: instants such as 1997-12-31; of a log only.
        leave_out: patterns by column of the log; an event whose text begins with one is not in it at all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["table", "log"]
    study: dict[str, Any] = Field(min_length=1)
    cuts: tuple[Day, ...] = ()
    leave_out: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _a_log_has_cuts(self) -> Self:
        if (self.kind == "log") != bool(self.cuts):
            raise ValueError(
                f"cuts must be set for a log and for nothing else, got {list(self.cuts)} for a {self.kind}"
            )
        return self

    @property
    def sources(self) -> dict[str, str]:
        """The paths of the data, by section: customers, events."""
        data = self.study.get("data") or {}
        return {part: data[part]["path"] for part in ("customers", "events") if part in data}

    def write_study(self, path: Path, sources: Mapping[str, Path]) -> Path:
        """Write the study with other paths."""
        data = {**self.study["data"]}
        for part, place in sources.items():
            data[part] = {**data[part], "path": str(place)}
        path.write_text(yaml.safe_dump({**self.study, "data": data}, sort_keys=False, allow_unicode=True))
        return path


def read_cases(folder: Path, names: Sequence[str] = ()) -> list[Case]:
    """The cases of a folder in the order of their names, or those that are named.

    Raises:
        StudyError: the folder has none, or not that one, or a file is no case.
    """
    files = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    if unknown := [name for name in names if name not in files]:
        raise StudyError(f"a case must be one of {sorted(files)}, got {unknown}; see {folder.name}/")
    if not files:
        raise StudyError(f"{folder} must hold case files, *.yaml, however there is none")
    return [read_case(files[name]) for name in names or files]


def read_case(path: Path) -> Case:
    """Read one file.

    Raises:
        StudyError: it is no case.
    """
    raw = yaml.safe_load(path.read_text())
    try:
        return Case.model_validate({"name": path.stem, **raw} if isinstance(raw, dict) else raw)
    except ValidationError as error:
        raise StudyError(f"{path.name}: {error}") from None


def data_files(case: Case, data: Path) -> dict[str, list[Path]]:
    """The files of each section.

    Raises:
        DataError: one is not in the folder.
    """
    found = {}
    for part, text in case.sources.items():
        try:
            found[part] = find_files(resolve_path(text, data.resolve())).files
        except DataError:
            raise DataError(f"{text} is not in the folder of the data") from None
    return found
