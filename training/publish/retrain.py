"""Retrain a study: a challenger on today's files, promoted over the champion only on evidence."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import CheckpointError, ComparisonError
from model.store.checkpoint import read_checkpoint
from model.store.registry import Registry
from model.task import ContractTask, LogTask, Task
from training.prepare import Prepared, prepare
from training.publish.comparison import Comparison, ask_champion, last_probability
from training.publish.decision import Decision, decide, unheard, unopposed
from training.publish.publish import publish
from training.publish.twin import read_twin
from training.report.report import Report
from training.report.results import build_report
from training.run.run import OnEpoch, Run, run_study
from training.study.study import ContractTarget, LogTarget, Study, Target


@dataclass(frozen=True)
class Retrained:
    """What came of a challenger.

    Attributes:
        version: its version; None where nothing was published.
        champion: the version in service now; None where there is none.
        promoted: whether the challenger was promoted, or would have been.
        folder: the checkpoint; None where nothing was published.
        decision: as `Decision.facts` has it.
        report: what report.json holds, the decision among it.
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

    The two are compared on the challenger's test examples whom neither has learnt from, each by its fit
    that never saw them. What keeps them from being compared is found before anything is fitted. A
    challenger that loses is published all the same: its report says why.

    Args:
        force: promote the challenger whatever comes out, even uncompared.
        dry_run: publish and promote nothing.

    Raises:
        ComparisonError: there is nothing fair to compare them on; nothing is published.
        StudyError, DataError: the study or its data cannot be used; nothing is published.
        DeviceError: the device is not on this machine.
        CheckpointError: the registry cannot be written, or got another champion meanwhile.
    """
    champion = registry.champion(study.name)
    if champion is not None:
        study = _settled(study, registry.folder(study.name, champion))
    prepared = prepare(study)
    against = None if champion is None else _compare(study, registry, champion, prepared, force=force)
    run = run_study(study, prepared=prepared, on_epoch=on_epoch)
    if champion is None:
        decision = unopposed(study.name)
    elif isinstance(against, Comparison):
        answers = last_probability(run.measured.scorer, prepared, against.rows)
        decision = decide(against, answers, force=force)
    else:
        decision = unheard(champion, str(against))
    if dry_run:
        report, facts = build_report(run), decision.facts(champion)
        report["decision"] = facts
        return Retrained(study.name, None, champion, decision.promoted, None, facts, report)
    return _publish(run, registry, decision)


def _settled(study: Study, folder: Path) -> Study:
    """The study, with what it leaves open as it was for the champion: data alone make no other question.

    A champion that cannot be read settles nothing; the comparison will say why.
    """
    try:
        task = read_checkpoint(folder).manifest.task
    except CheckpointError:
        return study
    return study.model_copy(update={"target": study.target.model_copy(update=_left_open(study.target, task))})


def _left_open(target: Target, task: Task) -> dict[str, object]:
    """What a target says nothing about, as the task of the same question has it."""
    if isinstance(target, LogTarget) and isinstance(task, LogTask):
        open_ = target.terminal is None and target.event == task.event
        return {"terminal": task.terminal} if open_ else {}
    if isinstance(target, ContractTarget) and isinstance(task, ContractTask):
        return {"starts": task.starts} if target.starts is None and target.ends == task.ends else {}
    return {}


def _compare(
    study: Study, registry: Registry, champion: int, prepared: Prepared, *, force: bool
) -> Comparison | Exception:
    """The comparison; with force, what prevents it."""
    try:
        twin = read_twin(registry.folder(study.name, champion), device=study.fit.device)
        return ask_champion(twin, prepared)
    except (ComparisonError, CheckpointError) as why:
        if force:
            return why
        raise ComparisonError(
            f"the challenger cannot be compared with the champion, version {champion}: {why}. Nothing was "
            "trained; --force promotes the challenger uncompared, `propense train` publishes it unpromoted"
        ) from why


def _publish(run: Run, registry: Registry, decision: Decision) -> Retrained:
    trained = publish(run, registry, decision=decision)
    name, version, champion = trained.name, trained.version, trained.champion
    if decision.promoted and champion != version:
        registry.promote(name, version)
        champion = version
    facts = decision.facts(champion)
    return Retrained(name, version, champion, decision.promoted, trained.folder, facts, trained.report)
