"""What a study's data and labels look like, and what cannot be right about them; nothing is fitted."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from model.errors import DataError
from model.files.names import listed, nearest
from model.times import format_instant
from training.audit.findings import Finding, ordered
from training.audit.log_health import log_facts
from training.audit.population import came_back, cutoff_table, dropped
from training.audit.probing import findings_of
from training.prepare import Prepared
from training.study.study import Study


@dataclass(frozen=True)
class Audit:
    """What was found out without training.

    Attributes:
        facts: plain values for report.json.
        findings: leaks first; those that the study allows are warnings.
    """

    facts: dict[str, Any]
    findings: tuple[Finding, ...]

    @property
    def leaks(self) -> list[Finding]:
        """What training is refused for."""
        return [finding for finding in self.findings if finding.level == "leak"]


def audit(study: Study, prepared: Prepared) -> Audit:
    """Look at data, labels and split; test rows are counted, never looked into.

    Raises:
        DataError: the study allows a leak of a name that there is not.
    """
    found, aggregates = findings_of(study, prepared)
    known = {*prepared.dataset.columns, *aggregates, *_event_types(study, prepared)}
    _check_allowed(study.allow_leaks, known)
    return Audit(_facts(study, prepared), tuple(ordered(_allowed(f, study.allow_leaks) for f in found)))


def refuse_leaks(found: Audit) -> None:
    """Refuse to train on what states the label.

    Raises:
        DataError: there are leaks that the study does not allow.
    """
    if found.leaks:
        names = dict.fromkeys(str(f.column) for f in found.leaks)
        seem = "seems" if len(names) == 1 else "seem"
        told = "".join(f"\n- {f.column}: {f.evidence} {f.advice}" for f in found.leaks)
        raise DataError(f"a column must not state the label, however {listed(names)} {seem} to:{told}")


def _facts(study: Study, prepared: Prepared) -> dict[str, Any]:
    dataset, plan, question = prepared.dataset, prepared.plan, prepared.question
    zone = prepared.table.time_zone
    facts: dict[str, Any] = {
        "customers": len(dataset),
        "time_zone": zone,
        "log": log_facts(dataset.log, zone) if dataset.log else None,
        "split": plan.sentence,
        "examples": {
            "train": len(plan.measured.rows),
            "judged": int(plan.measured.judged.sum()),
            "test": len(plan.test),
        },
    }
    if question is None:
        positive = plan.labels.outcomes[:, 0]
        return facts | {
            "rows": len(positive),
            "positives": int(positive.sum()),
            "rate": float(positive.mean()),
        }
    return facts | {
        "observed_from": format_instant(question.first, zone),
        "observed_until": format_instant(question.data_end, zone),
        "cutoffs": cutoff_table(question, plan, prepared.grid, zone, refit=study.fit.refit),
        "never_asked": dropped(question, plan),
        "came_back": came_back(question, plan),
        "understood": list(question.notes),
    }


def _event_types(study: Study, prepared: Prepared) -> tuple[str, ...]:
    log, source = prepared.dataset.log, study.data.events
    return log.categories[source.type].values if log and source and source.type else ()


def _check_allowed(names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = nearest(name, known)
            raise DataError(
                f"allow_leaks must name a column, an aggregate or an event type that is read, got {name!r}; "
                + (f"did you mean {near!r}?" if near else "leave it out")
            )


def _allowed(finding: Finding, names: Collection[str]) -> Finding:
    """A finding, no longer a leak if it is about a column that the study allows."""
    if finding.level != "leak" or finding.column not in names:
        return finding
    return replace(finding, level="warning", advice="The study allows it (allow_leaks).")
