"""The audit of a study's data and labels; nothing is fitted for publication."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from model.errors import DataError
from model.files.names import listed, nearest
from model.task import ColumnTask
from model.times import format_instant
from model.values.columns import Texts
from training.audit.facts import came_back, cutoff_table, dropped, event_type_facts, label_facts, log_facts
from training.audit.findings import Finding, grouped, ordered, yaml_list
from training.audit.probing import findings_of
from training.measure.base_rate_shift import base_rate_shift
from training.prepare import Prepared


@dataclass(frozen=True)
class Audit:
    """The result of an audit.

    Attributes:
        facts: plain values for report.json.
        findings: leaks first; a leak that the study allows is a warning.
        exclude: the columns that the study excludes, and the leaking ones; empty if no column leaks.
    """

    facts: dict[str, Any]
    findings: tuple[Finding, ...]
    exclude: tuple[str, ...]

    @property
    def leaks(self) -> list[Finding]:
        """The findings that prevent training."""
        return [finding for finding in self.findings if finding.level == "leak"]

    @property
    def way_out(self) -> tuple[str, ...]:
        """The lines of the study that exclude every leaking column; none if no column leaks."""
        if not self.exclude:
            return ()
        return (
            "To exclude every leaking column, write under data.customers:",
            f"  exclude: {yaml_list(self.exclude)}",
        )


def audit(prepared: Prepared) -> Audit:
    """Audit data, labels and split; test rows are counted but not probed.

    Raises:
        DataError: `allow_leaks` names a column that does not exist.
    """
    found, aggregates = findings_of(prepared)
    allowed = prepared.study.allow_leaks
    types = _event_types(prepared)
    _check_allowed(allowed, {*prepared.dataset.columns, *aggregates, *(types.values if types else ())})
    findings = tuple(ordered(_allowed(f, allowed) for f in found))
    return Audit(_facts(prepared), findings, _excluded(prepared, findings))


def _excluded(prepared: Prepared, findings: Sequence[Finding]) -> tuple[str, ...]:
    """The columns that the study excludes, and the leaking ones; empty if no column leaks."""
    source, columns = prepared.study.data.customers, prepared.dataset.columns
    leaking = dict.fromkeys(f.column for f in findings if f.level == "leak" and f.column in columns)
    if source is None or not leaking:
        return ()
    return *source.exclude, *(name for name in leaking if name is not None)


def refuse_leaks(found: Audit) -> None:
    """Refuse to train on columns that reveal the label.

    Raises:
        DataError: there are leaks that the study does not allow.
    """
    if found.leaks:
        names = dict.fromkeys(str(leak.column) for leak in found.leaks)
        groups = grouped(asdict(leak) for leak in found.leaks)
        lines = [f"- {', '.join(g.columns)}: {g.evidence} {g.advice}" for g in groups]
        head = f"a column must not reveal the label, got {listed(names)}:"
        raise DataError("\n".join([head, *lines, *found.way_out]))


def _facts(prepared: Prepared) -> dict[str, Any]:
    dataset, plan, question = prepared.dataset, prepared.plan, prepared.question
    zone, types = prepared.fields.time_zone, _event_types(prepared)
    facts: dict[str, Any] = {
        "customers": len(set(dataset.ids)),
        "table_rows": len(dataset),
        "has_id": prepared.fields.id is not None or prepared.fields.events is not None,
        "time_zone": zone,
        "log": log_facts(dataset.log, zone) if dataset.log else None,
        "event_types": event_type_facts(types, prepared.task) if types else [],
        "split": plan.sentence,
        "split_kind": plan.kind,
        "examples": {
            "train": len(plan.measured.rows),
            "judged": int(plan.measured.judged.sum()),
            "test": len(plan.test),
        },
    }
    if question is None:
        positive = plan.labels.outcomes[:, 0]
        assert isinstance(prepared.task, ColumnTask)
        return facts | {
            "label": label_facts(dataset.columns, prepared.task),
            "rows": len(positive),
            "positives": int(positive.sum()),
            "rate": float(positive.mean()),
        }
    cutoffs = cutoff_table(question, plan, prepared.grid, refit=prepared.study.fit.refit)
    return facts | {
        "observed_from": format_instant(question.first, zone),
        "observed_until": format_instant(question.data_end, zone),
        "cutoffs": cutoffs,
        "base_rate_shift": base_rate_shift(cutoffs),
        "never_asked": dropped(question, plan),
        "came_back": came_back(question, plan),
        "understood": list(question.notes),
    }


def _event_types(prepared: Prepared) -> Texts | None:
    log, source = prepared.dataset.log, prepared.fields.events
    return log.categories[source.type] if log and source and source.type else None


def _check_allowed(names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = nearest(name, known)
            hint = f"Did you mean {near!r}?" if near else "Leave it out."
            raise DataError(f"allow_leaks must name columns, aggregates or event types, got {name!r}. {hint}")


def _allowed(finding: Finding, names: Collection[str]) -> Finding:
    """Return the finding as a warning if it is a leak that the study allows."""
    if finding.level != "leak" or finding.column not in names:
        return finding
    return replace(finding, level="warning", advice="The study allows this (allow_leaks).")
