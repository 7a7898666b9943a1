"""A study as it was guessed: the files by role, a target that the audit accepts, and what to exclude."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from model.errors import DataError, StudyError
from training.audit.audit import audit
from training.init.candidate import Candidate
from training.init.files import Files, roles_of
from training.init.look import look_at
from training.init.targets import candidates
from training.init.words import names_a_person
from training.prepare import prepare
from training.run.run import refusals
from training.study.study import study_of

_TRIES: Final = 5  # targets that are audited, at most


@dataclass(frozen=True)
class Draft:
    """A study as it was guessed.

    Attributes:
        target: None where no target can be guessed.
        others: further targets, the likeliest first.
        exclude: columns of the table that the model must not read, with the reason.
        failed: what the audit said of likelier targets.
        refused: why training would be refused in spite of `exclude`.
    """

    name: str
    files: Files
    target: Candidate | None
    others: tuple[Candidate, ...]
    exclude: Mapping[str, str] = field(default_factory=dict)
    failed: Sequence[str] = ()
    refused: Sequence[str] = ()

    def values(self, folder: Path) -> dict[str, Any]:
        """The keys of the study file in a folder."""
        table, log = self.files.table, self.files.log
        data: dict[str, Any] = {}
        if table:
            keys: dict[str, Any] = {"id": self.files.id, "exclude": list(self.exclude)}
            data["customers"] = _stated(table.path, folder, keys)
        if log:
            keys = {"id": log.id, "time": log.time, "type": log.type}
            keys |= {"values": list(log.values), "attributes": list(log.attributes)}
            data["events"] = _stated(log.look.path, folder, keys)
        target = {"target": dict(self.target.keys)} if self.target else {}
        return {"name": self.name, "data": data, **target}


def draft_study(paths: Sequence[Path], name: str, wanted: str | None = None) -> Draft:
    """Look at one or two files, and guess a study that the audit accepts.

    Args:
        wanted: the target, as in `candidates`.

    Raises:
        DataError: a file cannot be used, the two have no ids in common, or there is no such target.
    """
    files = roles_of([look_at(path) for path in paths])
    found = candidates(files, wanted)
    likely = [one for one in found if one.sure > 0 or wanted] or [one for one in found if one.last_resort]
    failed: list[str] = []
    refused: list[Draft] = []
    for target in likely[:_TRIES]:
        others = tuple(one for one in found if one is not target and one.sure >= 0)
        try:
            tried = _audited(Draft(name, files, target, others, _persons(files, target), tuple(failed)))
        except (DataError, StudyError) as why:
            failed.append(f"{target.spelt}: {why}")
            continue
        if not tried.refused:
            return tried
        refused.append(tried)
        failed.append(f"{target.spelt}: {' '.join(tried.refused)}")
    return refused[0] if refused else Draft(name, files, None, tuple(found), {}, tuple(failed))


def relative(path: Path, folder: Path) -> str:
    """The path as a study in the folder names it."""
    return Path(os.path.relpath(path, folder)).as_posix()


def _stated(path: Path, folder: Path, keys: Mapping[str, Any]) -> dict[str, Any]:
    return {"path": relative(path, folder)} | {key: value for key, value in keys.items() if value}


def _audited(draft: Draft) -> Draft:
    """Return the draft without the columns that the audit refuses, or that are named like the outcome."""
    prepared = prepare(study_of(draft.values(Path()), Path()))
    found = audit(prepared)
    columns = draft.files.table.table.columns if draft.files.table else {}
    exclude = dict(draft.exclude)
    for finding in found.findings:
        named = finding.probe == "named_like_label" and finding.level == "warning"
        if finding.column in columns and (named or finding.level == "leak"):
            exclude.setdefault(str(finding.column), finding.evidence)
    left = replace(found, findings=tuple(f for f in found.findings if f.column not in exclude))
    return replace(draft, exclude=exclude, refused=refusals(prepared, left))


def _persons(files: Files, target: Candidate) -> dict[str, str]:
    """The columns of the table that say who somebody is."""
    columns = files.table.table.columns if files.table else {}
    persons = [n for n in columns if names_a_person(n) and n not in (files.id, *target.names)]
    return dict.fromkeys(persons, "It says who a customer is.")
