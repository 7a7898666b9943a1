"""The commands that use a published model: score, evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from training.cli.options import (
    DEFAULT_REGISTRY,
    AsJson,
    AsOf,
    CustomersFile,
    Device,
    EventsFile,
    Name,
    RegistryDir,
    Version,
)

if TYPE_CHECKING:
    from model.predictor import Predictor

app = typer.Typer()


@app.command("score")
def score_command(
    name: Name,
    out: Annotated[Path, typer.Option("--out", help="The file: .csv, .parquet, .ndjson or .arrows.")],
    customers: CustomersFile = None,
    events: EventsFile = None,
    as_of: AsOf = None,
    version: Version = None,
    device: Device = "cpu",
    registry: RegistryDir = DEFAULT_REGISTRY,
    json: AsJson = False,
) -> None:
    """Score every customer of the files. Without --customers and --events, score the study's own files."""
    from model.files.names import listed
    from model.predictor import load_version
    from model.scoring.score_file import score_file
    from model.store.registry import Registry
    from model.times import format_instant
    from training.cli import console

    predictor = load_version(Registry(registry), name, version, device=device)
    customers, events = _files(predictor, customers, events)
    with console.row_progress("scoring") as on_rows:
        scored = score_file(
            predictor,
            out,
            customers=customers,
            events=events,
            as_of=_instant(predictor, as_of),
            on_rows=on_rows,
        )
    instant = format_instant(scored.as_of, predictor.manifest.schema_.time_zone)
    facts = {"name": name, "version": predictor.manifest.version, "as_of": instant}
    unused = f"ignored columns that the model does not read: {listed(scored.ignored)}."
    notes = [*scored.notes, *([unused] if scored.ignored else [])]
    if json:
        console.print_json({**facts, "rows": scored.rows, "out": str(out), "notes": notes})
    else:
        console.print_lines(
            [
                f"{scored.rows:,} customers scored as of {facts['as_of']} -> {out}",
                *(f"Note: {note}" for note in notes),
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
    """Show the figures of the training run, or measure the model on other labelled files."""
    from model.predictor import load_version
    from model.store.registry import Registry
    from training.cli import console, figures
    from training.run.evaluate import evaluate_files

    predictor = load_version(Registry(registry), name, version, device=device)
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
    figures.print_metrics(facts["metrics"])
    if facts["source"] == "files":
        console.print_lines(["Note: these figures are too good if the files contain training customers."])


def _files(
    predictor: "Predictor", customers: Path | None, events: Path | None
) -> tuple[Path | None, Path | None]:
    """Return the named files, or those of the study that the model was trained on."""
    if customers is not None or events is not None:
        return customers, events
    from training.study.sections import resolve_path
    from training.study.study import Study

    origin = predictor.manifest.provenance
    data, base = Study.model_validate(origin["study"]).data, Path(origin["folder"])
    return (
        resolve_path(data.customers.path, base) if data.customers else None,
        resolve_path(data.events.path, base) if data.events else None,
    )


def _instant(predictor: "Predictor", as_of: str | None) -> int | None:
    from model.times import parse_time

    zone = predictor.manifest.schema_.time_zone
    return None if as_of is None else parse_time(as_of, zone=zone)


def _source(facts: dict[str, Any]) -> str:
    return f"the files as of {facts['as_of']}" if "as_of" in facts else "customers held out in training"
