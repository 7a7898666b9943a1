"""The `propense` command: from a study to a model in the registry, to scores, to a service."""

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from model.errors import PropenseError
from model.predictor import Predictor, load_predictor
from model.registry import Registry
from model.times import format_instant, parse_time
from training import console
from training.evaluate import evaluate_files
from training.score import score_files
from training.simulation.simulate import simulate
from training.studies.study import Study, read_study, resolve_path
from training.train import train

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Calibrated probabilities of what each customer does next. Start with a study file: see configs/.",
)

StudyFile = Annotated[
    Path, typer.Argument(help="The study, a YAML file; configs/ has commented ones.", metavar="STUDY.yaml")
]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Overrule a key of the study, such as fit.epochs=5. Repeatable.",
        default_factory=list,
        show_default=False,
    ),
]
RegistryDir = Annotated[
    Path, typer.Option("--registry", envvar="PROPENSE_REGISTRY", help="The folder of trained models.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Name = Annotated[str, typer.Argument(help="A model's name in the registry.")]
Version = Annotated[int | None, typer.Option("--version", help="A version; without it the champion.")]
CustomersFile = Annotated[
    Path | None, typer.Option("--customers", help="The customer table: CSV, CSV.gz or Parquet.")
]
EventsFile = Annotated[
    Path | None, typer.Option("--events", help="The event log: a file, or a glob of Parquet files.")
]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="The instant that is asked about, such as 2026-11-24.")
]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, mps or auto.")]
DEFAULT_REGISTRY: Final = Path("registry")


@app.command("train")
def train_command(
    study: StudyFile, set_: Overrides, registry: RegistryDir = DEFAULT_REGISTRY, json: AsJson = False
) -> None:
    """Train a study: a new version in the registry, and a report. The first version becomes champion."""
    read = read_study(study, set_)
    with console.epoch_progress(read.fit.epochs) as on_epoch:
        trained = train(read, Registry(registry), on_epoch=on_epoch)
    if json:
        facts = {"name": trained.name, "version": trained.version, "champion": trained.champion}
        console.print_json({**facts, "folder": str(trained.folder), **trained.report})
        return
    report = trained.report
    console.print_lines([report["question"], f"The model was {report['split']['sentence']}."])
    console.print_metrics(report["metrics"])
    data = report["data"]
    notes = [*report["warnings"], *data["read"]]
    notes += [f"{one['column']!r} is left out: {one['reason']}" for one in data["left_out"]]
    console.print_lines([report["published"], *(f"Note: {note}" for note in notes)])
    console.print_lines([f"{trained.name} version {trained.version} -> {trained.folder}/report.html"])
    if trained.champion != trained.version:
        console.print_lines(
            [
                f"In service is version {trained.champion}; "
                f"`propense promote {trained.name} {trained.version}` changes that"
            ]
        )


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
            predictor, out, customers=customers, events=events, as_of=_instant(as_of), on_rows=on_rows
        )
    facts = {"name": name, "version": predictor.manifest.version, "as_of": format_instant(scored.as_of)}
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
        measured = evaluate_files(predictor, customers=customers, events=events, as_of=_instant(as_of))
        facts |= {"source": "files", **measured}
    if json:
        console.print_json(facts)
        return
    console.print_lines([f"{name} version {facts['version']}, measured on " + _source(facts)])
    console.print_metrics(facts["metrics"])
    if facts["source"] == "files":
        console.print_lines(["Note: customers that the model was trained on flatter these figures."])


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


def main() -> None:
    """Run a command. Exit 0 done, 1 refused or failed, 2 wrong usage."""
    as_json = "--json" in sys.argv
    try:
        interrupted = app(standalone_mode=False)
    except typer.TyperException as error:
        _leave(error.format_message() or "name a command", 2, as_json)
    except (PropenseError, OSError) as error:
        _leave(str(error), 1, as_json)
    if interrupted:
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


def _instant(as_of: str | None) -> int | None:
    return None if as_of is None else parse_time(as_of)


def _source(facts: dict[str, Any]) -> str:
    return f"the files as of {facts['as_of']}" if "as_of" in facts else "customers held out in training"


def _tell_champion(name: str, version: int, as_json: bool) -> None:
    if as_json:
        console.print_json({"name": name, "champion": version})
    else:
        console.print_lines([f"{name}: version {version} is champion; restart a running service"])
