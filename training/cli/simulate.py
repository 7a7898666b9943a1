"""The command that writes a simulated shop."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from training.cli.options import AsJson

app = typer.Typer()


@app.command("simulate")
def simulate_command(
    customers: Annotated[
        int, typer.Option("--customers", help="Number of customers, with about 100 events each.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder to write the three files to.")],
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random numbers.")] = 0,
    restless: Annotated[
        float,
        typer.Option("--restless", help="How many times as often customers with alternating devices leave."),
    ] = 1.0,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    json: AsJson = False,
) -> None:
    """Write customers.csv, events.csv and truth.csv of a simulated shop with known probabilities."""
    from model.files.names import counted
    from training.cli import console
    from training.simulation.simulate import simulate

    with console.row_progress("simulating customers") as on_rows:
        summary = simulate(customers, out, seed=seed, restless=restless, force=force, progress=on_rows)
    facts = {**asdict(summary), "as_of": summary.as_of.isoformat(), "out": str(out)}
    if json:
        console.print_json(facts)
        return
    written = f"{counted(summary.customers, 'customer')} with {counted(summary.events, 'event')} -> {out}"
    console.print_lines([f"{written}; truth as of {facts['as_of']}"])
