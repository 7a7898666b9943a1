"""The commands that decide which version is in service: retrain, models, promote, rollback."""

from typing import Annotated, Final

import typer

from model.store.registry import Registry
from training.cli import console
from training.cli.options import DEFAULT_REGISTRY, AsJson, Name, Overrides, RegistryDir, StudyFile
from training.publish.retrain import retrain
from training.study.study import read_study

CHAMPION_STAYS: Final = 3  # exit status

app = typer.Typer()


@app.command("retrain")
def retrain_command(
    study: StudyFile,
    set_: Overrides,
    registry: RegistryDir = DEFAULT_REGISTRY,
    force: Annotated[
        bool, typer.Option("--force", help="Promote the challenger whatever comes out, even uncompared.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Train and compare, but publish and promote nothing.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Train a challenger on today's files; it replaces the champion only if it is not worse.

    Both are measured on the same customers, whom neither has learnt from. The challenger goes into service
    if neither its log loss nor its calibration is worse beyond chance (95 % paired bootstrap). Either way it
    is published as the next version, with the decision in its report.

    Exit status: 0 promoted (--dry-run: would be), 3 the champion stays, 1 refused or failed, 2 wrong usage.
    """
    read = read_study(study, set_)
    with console.epoch_progress() as on_epoch:
        done = retrain(read, Registry(registry), force=force, dry_run=dry_run, on_epoch=on_epoch)
    report = done.report
    if json:
        facts = {"name": done.name, "version": done.version, "champion": done.champion}
        folder = None if done.folder is None else str(done.folder)
        outcome = {"promoted": done.promoted, "dry_run": dry_run, "decision": done.decision}
        console.print_json({**facts, **outcome, "folder": folder, **report})
    else:
        console.print_report(report)
        console.print_notes(report)
        console.print_decision(done.decision)
        where = "Dry run: nothing was published or promoted."
        if done.folder is not None:
            where = f"{done.name} version {done.version} -> {done.folder}/report.html"
        console.print_lines([where])
    if not done.promoted:
        raise typer.Exit(CHAMPION_STAYS)


@app.command("models")
def models_command(registry: RegistryDir = DEFAULT_REGISTRY, json: AsJson = False) -> None:
    """List the models of the registry, their versions and which is in service."""
    shelf = Registry(registry)
    listed = [(name, shelf.versions(name), shelf.champion(name)) for name in shelf.names()]
    if json:
        console.print_json(
            {"models": [dict(zip(("name", "versions", "champion"), one, strict=True)) for one in listed]}
        )
        return
    rows = [(name, ", ".join(map(str, versions)), str(champion)) for name, versions, champion in listed]
    console.print_table(str(registry), ("model", "versions", "champion"), rows)


@app.command("promote")
def promote_command(
    name: Name,
    version: Annotated[int, typer.Argument(help="The version to put in service.")],
    registry: RegistryDir = DEFAULT_REGISTRY,
    json: AsJson = False,
) -> None:
    """Put a version in service."""
    Registry(registry).promote(name, version)
    _tell_champion(name, version, json)


@app.command("rollback")
def rollback_command(name: Name, registry: RegistryDir = DEFAULT_REGISTRY, json: AsJson = False) -> None:
    """Put the champion before the present one back in service."""
    _tell_champion(name, Registry(registry).rollback(name), json)


def _tell_champion(name: str, version: int, as_json: bool) -> None:
    if as_json:
        console.print_json({"name": name, "champion": version})
    else:
        console.print_lines([f"{name}: version {version} is champion; a running service follows"])
