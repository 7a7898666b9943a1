"""The command that removes customers, and old records, from the ledger: erase."""

import os
import time
from typing import Annotated

import typer

from training.cli.options import DEFAULT_REGISTRY, AsJson, LedgerDir, Name, RegistryDir

app = typer.Typer()


@app.command("erase")
def erase_command(
    name: Name,
    customer: Annotated[
        list[str],
        typer.Option("--customer", help="The id of a customer to erase. Repeatable.", show_default=False),
    ] = [],  # noqa: B006 - typer's way to take none
    older_than_days: Annotated[
        int | None, typer.Option("--older-than-days", min=1, help="Drop records said longer ago.")
    ] = None,
    ledger_dir: LedgerDir = None,
    registry: RegistryDir = DEFAULT_REGISTRY,
    json: AsJson = False,
) -> None:
    """Remove customers from the ledger, whom no later training learns from; or records that are old.

    Ended before it is done, run it again.
    """
    from model.files.names import agreed, counted
    from model.ledger.key import find_key
    from model.ledger.ledger import Ledger, ledger_root
    from model.store.registry import Registry
    from model.times import days
    from training.cli import console

    if not customer and older_than_days is None:
        raise typer.BadParameter("name a customer with --customer ID, or a time with --older-than-days N")
    if not all(id_.strip() for id_ in customer):
        raise typer.BadParameter("--customer must be an id, got a blank text")
    root = ledger_dir or ledger_root(registry)
    if not (root / name).is_dir() and not Registry(registry).versions(name):
        Registry(registry).resolve(name, None)  # refuses, with the names that there are
    ledger = Ledger.of(root, name, find_key(root, os.environ, make=True), make=True)
    facts, lines = {}, []
    if customer:
        facts["erased"] = n = ledger.erase(customer)
        whom = f"{counted(len(customer), 'customer')} {agreed(len(customer), 'is', 'are')} erased"
        lines.append(f"{whom}: {counted(n, 'record')} removed. The next training leaves them out.")
    if older_than_days is not None:
        before = time.time_ns() // 1000 - days(older_than_days)
        facts["dropped"] = n = ledger.compact(every_file=True, before=before)
        lines.append(f"{counted(n, 'record')} said more than {counted(older_than_days, 'day')} ago removed.")
    if json:
        console.print_json({"name": name, "ledger": str(ledger.folder), **facts})
    else:
        console.print_lines(lines)
