"""The arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated, Final

import typer

StudyFile = Annotated[
    Path, typer.Argument(help="The study, a YAML file; see configs/ for examples.", metavar="STUDY.yaml")
]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set a key of the study, such as fit.epochs=5. Repeatable.",
        default_factory=list,
        show_default=False,
    ),
]
RegistryDir = Annotated[
    Path, typer.Option("--registry", envvar="PROPENSE_REGISTRY", help="The folder of the registry.")
]
LedgerDir = Annotated[
    Path | None,
    typer.Option(
        "--ledger-dir",
        envvar="PROPENSE_LEDGER",
        help="The folder of ledgers. Default: the registry's with -ledger behind its name.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Name = Annotated[str, typer.Argument(help="A model's name in the registry.")]
Version = Annotated[int | None, typer.Option("--version", help="A version; default: the champion.")]
CustomersFile = Annotated[
    Path | None, typer.Option("--customers", help="The customer table: CSV, CSV.gz or Parquet.")
]
EventsFile = Annotated[
    Path | None,
    typer.Option("--events", help="The log with every event of each customer: a file, a folder or a glob."),
]
AsOfDay = Annotated[
    str | None, typer.Option("--as-of", help="The instant of the prediction, such as 2026-11-24.")
]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, mps or auto.")]
DEFAULT_REGISTRY: Final = Path("registry")
