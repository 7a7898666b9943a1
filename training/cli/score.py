"""The commands that use a published model: score, evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from training.cli.options import (
    DEFAULT_REGISTRY,
    AsJson,
    AsOfDay,
    CustomersFile,
    Device,
    EventsFile,
    LedgerDir,
    Name,
    RegistryDir,
    Version,
)

if TYPE_CHECKING:
    from model.predictor import Predictor
    from model.scoring.as_of import AsOf
    from training.study.study import Study

app = typer.Typer()


@app.command("score")
def score_command(
    name: Name,
    out: Annotated[Path, typer.Option("--out", help="The file: .csv, .parquet, .ndjson or .arrows.")],
    customers: CustomersFile = None,
    events: EventsFile = None,
    as_of: AsOfDay = None,
    version: Version = None,
    reasons: Annotated[
        int, typer.Option("--reasons", min=0, max=10, help="So many reasons with every score.")
    ] = 0,
    device: Device = "cpu",
    ledger: Annotated[
        bool, typer.Option("--ledger", help="Also record the scores, for `propense outcomes` later.")
    ] = False,
    ledger_dir: LedgerDir = None,
    registry: RegistryDir = DEFAULT_REGISTRY,
    json: AsJson = False,
) -> None:
    """Score every customer of the files. Without --customers and --events, score the study's own files."""
    from model.files.names import counted, listed
    from model.ledger.ledger import ledger_root
    from model.predictor import load_version
    from model.scoring.score_file import score_file
    from model.store.registry import Registry
    from model.times import format_instant
    from training.cli import console
    from training.cli.recording import finished, open_recorder
    from training.study.study import stored_study

    predictor = load_version(Registry(registry), name, version, device=device)
    customers, events, instant, of_files = inputs_of(predictor, customers, events, as_of)
    recorder = open_recorder(ledger_dir or ledger_root(registry), name) if ledger else None
    with console.row_progress("scoring") as on_rows:
        scored = score_file(
            predictor,
            out,
            customers=customers,
            events=events,
            as_of=instant,
            reasons=reasons,
            on_rows=on_rows,
            record=recorder.record if recorder else None,
        )
    when = format_instant(scored.as_of.instant, predictor.manifest.schema_.time_zone)
    facts = {
        "name": name,
        "version": predictor.manifest.version,
        "as_of": when,
        "as_of_from": scored.as_of.source,
    }
    unused = f"ignored columns that the model does not read: {listed(scored.ignored)}."
    notes = [*of_files, *scored.notes, *([unused] if scored.ignored else [])]
    kept: dict[str, Any] = {}
    if recorder:
        kept, said = finished(recorder, stored_study(predictor.manifest.provenance).retention_days)
        notes += said
    if json:
        console.print_json({**facts, "rows": scored.rows, "out": str(out), **kept, "notes": notes})
    else:
        console.print_lines(
            [
                f"{counted(scored.rows, 'row')} scored as of {when} ({scored.as_of.source}) -> {out}",
                *([f"{counted(kept['recorded'], 'record')} -> {kept['ledger']}"] if kept else []),
                *(f"Note: {note}" for note in notes),
            ]
        )


@app.command("evaluate")
def evaluate_command(
    name: Name,
    customers: CustomersFile = None,
    events: EventsFile = None,
    as_of: AsOfDay = None,
    version: Version = None,
    device: Device = "cpu",
    registry: RegistryDir = DEFAULT_REGISTRY,
    json: AsJson = False,
) -> None:
    """Show the figures of the training run, or measure the model on other labelled files."""
    from json import loads as json_of

    from model.predictor import load_version
    from model.store.registry import Registry
    from model.task import ColumnTask
    from training.cli import console, figures
    from training.run.evaluate import evaluate_files

    predictor = load_version(Registry(registry), name, version, device=device)
    facts: dict[str, Any] = {"name": name, "version": predictor.manifest.version}
    if customers is None and events is None:
        report = json_of((Registry(registry).folder(name, facts["version"]) / "report.json").read_bytes())
        facts |= {"source": "training", "metrics": report["metrics"], "fairness": report["fairness"]}
    else:
        customers, events, instant, of_files = inputs_of(predictor, customers, events, as_of)
        ends = as_of is None and not isinstance(predictor.manifest.task, ColumnTask)
        until = instant.instant if ends and instant else None
        measured = evaluate_files(
            predictor,
            customers=customers,
            events=events,
            as_of=None if ends else instant,
            until=until,
        )
        facts |= {"source": "files", **measured, "notes": [*of_files, *measured["notes"]]}
    if json:
        console.print_json(facts)
        return
    console.print_lines([f"{name} version {facts['version']}, measured on " + _source(facts)])
    figures.print_metrics(facts["metrics"])
    figures.print_fairness(facts["fairness"])
    if facts["source"] == "files":
        notes = [*facts["notes"], "these figures are too good if the files contain training customers."]
        console.print_lines([f"Note: {note}" for note in notes])


def inputs_of(
    predictor: "Predictor", customers: Path | None, events: Path | None, day: str | None
) -> "tuple[Path | None, Path | None, AsOf | None, list[str]]":
    """Return the two files, the instant to score at (None: read off the files), and notes.

    Where no file is named, they are the study's. A log alone gets the customer table of the study, if the
    model reads one.
    """
    from model.scoring.as_of import AsOf
    from model.times import parse_time
    from training.study.study import stored_study

    manifest, task = predictor.manifest, predictor.manifest.task
    as_of = AsOf(parse_time(day, zone=manifest.schema_.time_zone), "--as-of") if day else None
    reads_table = manifest.schema_.column_names or task.dates or task.kind == "column"
    named = customers is not None or (events is not None and not reads_table)
    if as_of and named:
        return customers, events, as_of, []
    study = stored_study(manifest.provenance)
    as_of = as_of or _date_of(study, parse_time(manifest.provenance["data_end"]), customers, events)
    if named:
        return customers, events, as_of, []
    table, log = study.files()
    notes = [f"the customers are those of the study: {table}."] if events and table else []
    return table, events or log, as_of, notes


def _date_of(study: "Study", trained: int, customers: Path | None, events: Path | None) -> "AsOf | None":
    """Return the instant of the study, or of its table; None to read it off the files.

    What the study says of the end of its own files is not said of others.
    """
    from model.scoring.as_of import AsOf
    from training.study.study import ColumnTarget

    target = study.target
    if isinstance(target, ColumnTarget) and target.as_of:
        return AsOf(trained, "target.as_of of the study")
    given = [(path, own) for path, own in zip((customers, events), study.files(), strict=True) if path]
    if any(own is None or path.resolve() != own.resolve() for path, own in given):
        return None
    if not isinstance(target, ColumnTarget) and target.observed_until:
        return AsOf(trained, "target.observed_until of the study")
    return AsOf(trained, "the day that training dated this table by") if study.data.events is None else None


def _source(facts: dict[str, Any]) -> str:
    return f"the files as of {facts['as_of']}" if "as_of" in facts else "customers held out in training"
