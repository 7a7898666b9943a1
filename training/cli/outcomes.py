"""The command that compares what was said with what happened: outcomes."""

import os
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from training.cli.options import (
    DEFAULT_REGISTRY,
    AsJson,
    CustomersFile,
    EventsFile,
    LedgerDir,
    Name,
    RegistryDir,
)

app = typer.Typer()

_HEADER: Final = ("", "n", "said", "happened", "AUC", "log loss", "calib.", "lift")
_WIDTHS: Final = (12, 8, 7, 10, 10, 10, 10, 12)  # together at most 80


@app.command("outcomes")
def outcomes_command(
    name: Name,
    customers: CustomersFile = None,
    events: EventsFile = None,
    until: Annotated[
        str | None,
        typer.Option("--observed-until", help="The last day that the files cover; else read off them."),
    ] = None,
    ledger_dir: LedgerDir = None,
    registry: RegistryDir = DEFAULT_REGISTRY,
    json: AsJson = False,
) -> None:
    """Compare what was said with what happened by today's files, which are the study's by default."""
    from model.ledger.key import find_key
    from model.ledger.ledger import Ledger, ledger_root
    from model.store.registry import Registry
    from training.cli import console
    from training.cli.figures import print_fairness
    from training.outcomes.outcomes import outcomes

    root, shelf = ledger_dir or ledger_root(registry), Registry(registry)
    ledger = Ledger.of(root, name, find_key(root, os.environ, make=False))
    found = outcomes(shelf, name, ledger, customers=customers, events=events, until=until)
    if json:
        console.print_json({"name": name, **found})
        return
    console.print_lines([_sentence(name, found)])
    for horizon, one in found["horizons"].items():
        console.print_lines(["", *_lines(horizon, one)])
    print_fairness(found["fairness"])
    console.print_lines([f"Note: {note}" for note in found["notes"]])


def _sentence(name: str, found: Mapping[str, Any]) -> str:
    from model.files.names import counted

    why = {
        "other_versions": "of versions that the registry has no more",
        "not_eligible": "of customers who were not eligible",
        "vanished": "of customers whom the files have no more",
        "several_rows": "of customers with several rows",
    }
    left_out = [f"{n:,} {why[reason]}" for reason, n in found["left_out"].items() if n]
    behind = f"; left out: {', '.join(left_out)}" if left_out else ""
    return f"{name}: {counted(found['records'], 'record')}{behind}."


def _lines(horizon: str, one: Mapping[str, Any]) -> list[str]:
    """A title, a header and two lines for each row of figures: the values, and their 95 % intervals."""
    from model.files.names import counted
    from training.measure.measuring import LABEL

    title = "The label" if horizon == LABEL else f"Within {counted(int(horizon), 'day')}"
    open_ = "without a label yet" if horizon == LABEL else "whose window is open"
    waits = [f"{one['open']:,} {open_}"] if one["open"] else []
    waits += [f"{one['left_before']:,} who left before the window"] if one["left_before"] else []
    lines = [f"{title}{' (not counted: ' + ', '.join(waits) + ')' if waits else ''}"]
    if not one["figures"]:
        return [*lines, "Nothing is known yet."]
    lines.append(_row(_HEADER))
    for figures in one["figures"]:
        lines.append(_row(_values(figures)))
        lines.append(_row(["  95 %", "", "", *(_between(figures["intervals"][name]) for name in _MEASURED)]))
    return lines


_MEASURED: Final = ("base_rate", "auc", "log_loss", "calibration_error", "lift_at_10")


def _values(figures: Mapping[str, Any]) -> list[str]:
    name = f"{figures['month']} v{figures['version']}" if figures["month"] else "all"
    shares = [f"{figures['mean_probability']:.1%}", f"{figures['base_rate']:.1%}"]
    numbers = ["-" if figures[name] is None else f"{figures[name]:.3f}" for name in _MEASURED[1:]]
    return [name, f"{figures['n']:,}", *shares, *numbers]


def _between(ends: Sequence[float] | None) -> str:
    return "-" if ends is None else "-".join(f"{end:.3f}".removeprefix("0") for end in ends)


def _row(cells: Sequence[str]) -> str:
    first, *others = zip(cells, _WIDTHS, strict=True)
    return (first[0].ljust(first[1]) + "".join(cell.rjust(width) for cell, width in others)).rstrip()
