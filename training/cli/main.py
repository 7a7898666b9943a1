"""The `propense` command: from a study to a model in the registry, to scores, to a service."""

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from model.errors import PropenseError
from model.files.names import counted
from model.predictor import Predictor, load_predictor
from model.store.registry import Registry
from model.times import format_instant, parse_time
from training.audit.audit import audit
from training.cli import console
from training.cli.models import CHAMPION_STAYS
from training.cli.models import app as models_app
from training.cli.options import (
    DEFAULT_REGISTRY,
    AsJson,
    AsOf,
    CustomersFile,
    Device,
    EventsFile,
    Name,
    Overrides,
    RegistryDir,
    StudyFile,
    Version,
)
from training.prepare import prepare
from training.publish.train import train
from training.report.report import question
from training.report.results import what_was_read
from training.run.evaluate import evaluate_files
from training.score import score_files
from training.simulation.simulate import simulate
from training.study.study import Study, read_study, resolve_path

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Calibrated probabilities of what each customer does next. Start with a study file: see configs/.",
)

app.add_typer(models_app)


@app.command("train")
def train_command(
    study: StudyFile,
    set_: Overrides,
    registry: RegistryDir = DEFAULT_REGISTRY,
    learning_curve: Annotated[
        bool, typer.Option("--learning-curve", help="Fit on shares of the customers too: would more help?")
    ] = False,
    json: AsJson = False,
) -> None:
    """Train a study: a new version in the registry, and a report. The first version becomes champion."""
    read = read_study(study, set_)
    with console.epoch_progress() as on_epoch:
        trained = train(read, Registry(registry), with_learning_curve=learning_curve, on_epoch=on_epoch)
    if json:
        facts = {"name": trained.name, "version": trained.version, "champion": trained.champion}
        console.print_json({**facts, "folder": str(trained.folder), **trained.report})
        return
    report = trained.report
    console.print_report(report)
    console.print_notes(report)
    console.print_lines([f"{trained.name} version {trained.version} -> {trained.folder}/report.html"])
    if trained.champion != trained.version:
        console.print_lines(
            [
                f"In service is {f'version {trained.champion}' if trained.champion else 'no version'}; "
                f"`propense promote {trained.name} {trained.version}` changes that"
            ]
        )


@app.command("audit")
def audit_command(study: StudyFile, set_: Overrides, json: AsJson = False) -> None:
    """Look at a study's data and labels without training: who is asked, what is positive, what leaks."""
    read = read_study(study, set_)
    prepared = prepare(read)
    found = audit(read, prepared)
    notes, left_out = what_was_read(prepared)
    facts = {
        "name": read.name,
        "question": question(prepared.task),
        "refused": bool(found.leaks),
        **found.facts,
        "findings": [asdict(finding) for finding in found.findings],
        "data": {"read": notes, "left_out": left_out},
        "warnings": prepared.plan.warnings,
    }
    if json:
        console.print_json(facts)
        return
    console.print_lines([facts["question"]])
    console.print_audit(facts)
    console.print_notes(facts)
    if found.leaks:
        console.print_lines([f"Training would be refused: {counted(len(found.leaks), 'leak')}."])


@app.command("score")
def score_command(
    name: Name,
    out: Annotated[Path, typer.Option("--out", help="The file to write: .csv or .parquet.")],
    customers: CustomersFile = None,
    events: EventsFile = None,
    as_of: AsOf = None,
    version: Version = None,
    device: Device = "cpu",
    registry: RegistryDir = DEFAULT_REGISTRY,
    json: AsJson = False,
) -> None:
    """Score every customer of the files; without --customers and --events, of the study's own."""
    predictor = _load(registry, name, version, device)
    customers, events = _files(predictor, customers, events)
    with console.row_progress("scoring") as on_rows:
        scored = score_files(
            predictor,
            out,
            customers=customers,
            events=events,
            as_of=_instant(predictor, as_of),
            on_rows=on_rows,
        )
    instant = format_instant(scored.as_of, predictor.manifest.schema_.time_zone)
    facts = {"name": name, "version": predictor.manifest.version, "as_of": instant}
    if json:
        console.print_json({**facts, "rows": scored.rows, "out": str(out), "notes": scored.notes})
    else:
        console.print_lines(
            [
                f"{scored.rows:,} customers scored as of {facts['as_of']} -> {out}",
                *(f"Note: {note}" for note in scored.notes),
            ]
        )


@app.command("evaluate")
def evaluate_command(
    name: Name,
    customers: CustomersFile = None,
    events: EventsFile = None,
    as_of: AsOf = None,
    version: Version = None,
    device: Device = "cpu",
    registry: RegistryDir = DEFAULT_REGISTRY,
    json: AsJson = False,
) -> None:
    """Show the figures of the training run, or measure the model on labelled files of your own."""
    predictor = _load(registry, name, version, device)
    facts: dict[str, Any] = {"name": name, "version": predictor.manifest.version}
    if customers is None and events is None:
        facts |= {"source": "training", "metrics": predictor.manifest.metrics}
    else:
        measured = evaluate_files(
            predictor, customers=customers, events=events, as_of=_instant(predictor, as_of)
        )
        facts |= {"source": "files", **measured}
    if json:
        console.print_json(facts)
        return
    console.print_lines([f"{name} version {facts['version']}, measured on " + _source(facts)])
    console.print_metrics(facts["metrics"])
    if facts["source"] == "files":
        console.print_lines(["Note: customers that the model was trained on flatter these figures."])


@app.command("serve")
def serve_command(
    registry: RegistryDir = DEFAULT_REGISTRY,
    host: Annotated[
        str, typer.Option("--host", envvar="PROPENSE_HOST", help="Where to listen; 0.0.0.0 is everywhere.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", envvar="PROPENSE_PORT", min=1, max=65535, help="The port to listen on.")
    ] = 8000,
    json: AsJson = False,
) -> None:
    """Serve the registry's champions over HTTP until stopped; /docs describes them."""
    names = Registry(registry).names()  # a registry that is not there is refused here, in one line
    if json:
        console.print_json({"url": f"http://{host}:{port}", "models": names})
    sys.stdout.flush()
    settings = {"PROPENSE_REGISTRY": str(registry), "PROPENSE_HOST": host, "PROPENSE_PORT": str(port)}
    os.execve(sys.executable, [sys.executable, "-m", "app"], os.environ | settings)


@app.command("simulate")
def simulate_command(
    customers: Annotated[int, typer.Option("--customers", help="How many; each has about 100 events.")],
    out: Annotated[Path, typer.Option("--out", help="The folder to write the three files to.")],
    seed: Annotated[int, typer.Option("--seed", help="Another seed makes up another shop.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    json: AsJson = False,
) -> None:
    """Write customers.csv, events.csv and truth.csv of a made-up shop whose true probabilities are known."""
    with console.row_progress("simulating customers") as on_rows:
        summary = simulate(customers, out, seed=seed, force=force, progress=on_rows)
    facts = {**asdict(summary), "as_of": summary.as_of.isoformat(), "out": str(out)}
    if json:
        console.print_json(facts)
    else:
        console.print_lines(
            [
                f"{summary.customers:,} customers with {summary.events:,} events -> {out}; "
                f"truth as of {facts['as_of']}"
            ]
        )


def main() -> NoReturn:
    """Run a command, and end at once: native threads now and then abort a process that takes its leave."""
    status = 0
    try:
        command()
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def command() -> None:
    """Run a command. Exit 0 done, 1 refused or failed, 2 wrong usage, 3 a retrained champion stays."""
    as_json = "--json" in sys.argv
    try:
        status = app(standalone_mode=False)
    except typer.TyperException as error:
        _leave(error.format_message() or "name a command", 2, as_json)
    except (PropenseError, OSError) as error:
        _leave(str(error), 1, as_json)
    if status == CHAMPION_STAYS:
        sys.exit(status)
    if status:
        _leave("stopped", 1, as_json)


def _leave(message: str, status: int, as_json: bool) -> NoReturn:
    console.print_error(message)
    if as_json:
        console.print_json({"error": message})
    sys.exit(status)


def _load(registry: Path, name: str, version: int | None, device: str) -> Predictor:
    shelf = Registry(registry)
    number = shelf.resolve(name, version)
    return load_predictor(shelf.folder(name, number), name=name, version=number, device=device)


def _files(
    predictor: Predictor, customers: Path | None, events: Path | None
) -> tuple[Path | None, Path | None]:
    """The files named, or those of the study that the model was trained on."""
    if customers is not None or events is not None:
        return customers, events
    origin = predictor.manifest.provenance
    data, base = Study.model_validate(origin["study"]).data, Path(origin["folder"])
    return (
        resolve_path(data.customers.path, base) if data.customers else None,
        resolve_path(data.events.path, base) if data.events else None,
    )


def _instant(predictor: Predictor, as_of: str | None) -> int | None:
    zone = predictor.manifest.schema_.time_zone
    return None if as_of is None else parse_time(as_of, zone=zone)


def _source(facts: dict[str, Any]) -> str:
    return f"the files as of {facts['as_of']}" if "as_of" in facts else "customers held out in training"
