"""The commands that read a study: audit, train, retrain."""

import sys
from dataclasses import asdict
from typing import Annotated, Final

import typer

from training.cli.options import DEFAULT_REGISTRY, AsJson, Overrides, RegistryDir, StudyFile

NOT_IN_SERVICE: Final = 3  # exit status: published, but the champion stays, or there is none

app = typer.Typer()


@app.command("audit")
def audit_command(
    study: StudyFile,
    set_: Overrides,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if training would be refused.")] = False,
    json: AsJson = False,
) -> None:
    """Check a study's data and labels without training: eligible customers, positives, leaks.

    Exit status: 0 audited, whatever was found; with --strict 1 if training would be refused. 2 wrong usage.
    """
    from training.audit.audit import audit
    from training.cli import console, figures
    from training.prepare import prepare
    from training.report.report import question
    from training.report.results import what_was_read
    from training.run.run import refusals
    from training.study.study import read_study

    read = read_study(study, set_)
    prepared = prepare(read)
    found = audit(prepared)
    refused = refusals(prepared, found)
    notes, columns = what_was_read(prepared)
    facts = {
        "name": read.name,
        "question": question(prepared.task),
        "refused": bool(refused),
        **found.facts,
        "findings": [asdict(finding) for finding in found.findings],
        "exclude": list(found.exclude),
        "data": {"read": notes, "columns": columns},
        "warnings": prepared.plan.warnings,
    }
    if json:
        console.print_json(facts)
    else:
        console.print_lines([facts["question"]])
        figures.print_audit(facts)
        figures.print_data(facts)
        console.print_lines([*(f"Training would be refused: {reason}" for reason in refused), *found.way_out])
    if strict and refused:
        sys.exit(1)


@app.command("train")
def train_command(
    study: StudyFile,
    set_: Overrides,
    registry: RegistryDir = DEFAULT_REGISTRY,
    learning_curve: Annotated[
        bool, typer.Option("--learning-curve", help="Also fit on shares of the customers: would more help?")
    ] = False,
    json: AsJson = False,
) -> None:
    """Train a study: a new version in the registry, and a report. The first version becomes champion.

    A version whose test has one outcome only, or that is worse than the base rate beyond chance, is published
    but does not go into service.

    Exit status: 0 done, 3 published but not fit for service, 1 refused or failed, 2 wrong usage.
    """
    from model.store.registry import Registry
    from training.cli import console, figures
    from training.publish.publish import train
    from training.study.study import read_study

    read = read_study(study, set_)
    with console.epoch_progress() as on_epoch:
        trained = train(read, Registry(registry), with_learning_curve=learning_curve, on_epoch=on_epoch)
    fault = trained.report["verdict"]["fault"]
    if json:
        facts = {"name": trained.name, "version": trained.version, "champion": trained.champion}
        console.print_json({**facts, "folder": str(trained.folder), **trained.report})
    else:
        figures.print_report(trained.report)
        figures.print_data(trained.report)
        lines = [f"{trained.name} version {trained.version} -> {trained.folder}/report.html"]
        if trained.champion != trained.version:
            champion = f"version {trained.champion}" if trained.champion else "no version"
            promote = f"`propense promote {trained.name} {trained.version}`"
            lines.append(f"In service is {champion}; {promote} changes that")
        if fault:
            lines.append(f"Not fit for service: {fault}")
        console.print_lines(lines)
    if fault:
        raise typer.Exit(NOT_IN_SERVICE)


@app.command("retrain")
def retrain_command(
    study: StudyFile,
    set_: Overrides,
    registry: RegistryDir = DEFAULT_REGISTRY,
    force: Annotated[
        bool, typer.Option("--force", help="Promote the challenger whatever the comparison says.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Train and compare, but publish and promote nothing.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Train a challenger on the current files; it replaces the champion only if it is not worse.

    Both are measured on the same customers, which neither was trained on. The challenger is promoted
    if neither its log loss nor its calibration is worse beyond chance (95 % paired bootstrap). Either way it
    is published as the next version, with the decision in its report.

    Exit status: 0 promoted (--dry-run: would be), 3 the champion stays, 1 refused or failed, 2 wrong usage.
    """
    from model.store.registry import Registry
    from training.cli import console, figures
    from training.publish.retrain import retrain
    from training.study.study import read_study

    read = read_study(study, set_)
    with console.epoch_progress() as on_epoch:
        done = retrain(read, Registry(registry), force=force, dry_run=dry_run, on_epoch=on_epoch)
    if json:
        facts = {"name": done.name, "version": done.version, "champion": done.champion}
        folder = None if done.folder is None else str(done.folder)
        outcome = {"promoted": done.promoted, "dry_run": dry_run, "decision": done.decision}
        console.print_json({**facts, **outcome, "folder": folder, **done.report})
    else:
        figures.print_report(done.report)
        figures.print_data(done.report)
        figures.print_decision(done.decision)
        where = "Dry run: nothing was published or promoted."
        if done.folder is not None:
            where = f"{done.name} version {done.version} -> {done.folder}/report.html"
        console.print_lines([where])
    if not done.promoted:
        raise typer.Exit(NOT_IN_SERVICE)
