"""Retraining: a challenger on the current files, promoted over the champion on evidence."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import CheckpointError, ComparisonError
from model.ledger.ledger import erased_of
from model.store.checkpoint import read_checkpoint
from model.store.registry import Registry
from model.task import ContractTask, LogTask, Task
from training.prepare import Prepared, prepare
from training.publish.comparison import Comparison, compare_on_unseen, last_probability
from training.publish.decision import decide, decide_first, promote_uncompared
from training.publish.measured import read_measured_model
from training.publish.publish import publish
from training.report.report import Report
from training.report.results import build_report
from training.run.run import OnEpoch, run_study
from training.study.study import ContractTarget, LogTarget, Study, Target


@dataclass(frozen=True)
class Retrained:
    """The result of retraining.

    Attributes:
        version: of the challenger; None if nothing was published.
        champion: the version in service now; None if there is none.
        promoted: whether the challenger was promoted, or would be without --dry-run.
        folder: the checkpoint; None if nothing was published.
        decision: as `Decision.facts` has it.
        report: the content of report.json.
    """

    name: str
    version: int | None
    champion: int | None
    promoted: bool
    folder: Path | None
    decision: dict[str, Any]
    report: Report


def retrain(
    study: Study,
    registry: Registry,
    *,
    force: bool = False,
    dry_run: bool = False,
    on_epoch: OnEpoch = lambda _fit, _epoch: None,
) -> Retrained:
    """Train a challenger, compare it with the champion, publish it, and promote it on evidence.

    The models are compared on test examples that neither was trained on. Obstacles to the comparison are
    found before anything is fitted. A challenger that is not promoted is published all the same, with the
    reason in its report.

    Args:
        force: promote the challenger whatever the result, even uncompared.
        dry_run: publish and promote nothing.

    Raises:
        ComparisonError: the models cannot be compared; nothing is published.
        StudyError, DataError: the study or its data cannot be used; nothing is published.
        DeviceError: the device is not on this machine.
        CheckpointError: the registry cannot be written, or its champion has changed meanwhile.
        LedgerError: customers are erased, and the key that says which is not there.
    """
    champion = registry.champion(study.name)
    if champion is not None:
        study = _settled(study, registry.folder(study.name, champion))
    prepared = prepare(study, erased=erased_of(registry.root, study.name, os.environ))
    against = None if champion is None else _compare(study, registry, champion, prepared, force=force)
    run = run_study(study, prepared=prepared, on_epoch=on_epoch)
    if champion is None:
        decision = decide_first(study.name, run.verdict.fault, force=force)
    elif isinstance(against, Comparison):
        probabilities = last_probability(run.measured.scorer, prepared, against.rows)
        decision = decide(against, probabilities, fault=run.verdict.fault, force=force)
    else:
        decision = promote_uncompared(champion, str(against))
    if dry_run:
        report, facts = build_report(run), decision.facts(champion)
        report["decision"] = facts
        return Retrained(study.name, None, champion, decision.promoted, None, facts, report)
    done = publish(run, registry, decision=decision)
    facts = decision.facts(done.champion)
    return Retrained(
        done.name, done.version, done.champion, decision.promoted, done.folder, facts, done.report
    )


def _settled(study: Study, folder: Path) -> Study:
    """Return the study with its open options as the champion has them, so that the task stays the same.

    A champion that cannot be read is reported by the comparison.
    """
    try:
        task = read_checkpoint(folder).manifest.task
    except CheckpointError:
        return study
    return study.model_copy(update={"target": study.target.model_copy(update=_left_open(study.target, task))})


def _left_open(target: Target, task: Task) -> dict[str, object]:
    """Return the options that a target leaves open, as the champion's task has them."""
    if isinstance(target, LogTarget) and isinstance(task, LogTask):
        open_ = target.terminal is None and target.event == task.event
        return {"terminal": task.terminal} if open_ else {}
    if isinstance(target, ContractTarget) and isinstance(task, ContractTask):
        return {"starts": task.starts} if target.starts is None and target.ends == task.ends else {}
    return {}


def _compare(
    study: Study, registry: Registry, champion: int, prepared: Prepared, *, force: bool
) -> Comparison | Exception:
    """Return the comparison; with force, the error that prevents it."""
    try:
        measured = read_measured_model(registry.folder(study.name, champion), device=study.fit.device)
        return compare_on_unseen(measured, prepared)
    except (ComparisonError, CheckpointError) as why:
        if force:
            return why
        raise ComparisonError(
            f"the challenger cannot be compared with the champion, version {champion}: "
            f"{str(why).rstrip('.')}. Nothing was trained. "
            "--force promotes the challenger uncompared; `propense train` publishes it unpromoted."
        ) from why
