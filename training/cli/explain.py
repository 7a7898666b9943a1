"""The command that says why: `propense explain`."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from training.cli.options import (
    DEFAULT_REGISTRY,
    AsJson,
    AsOfDay,
    CustomersFile,
    EventsFile,
    Name,
    RegistryDir,
    Version,
)
from training.cli.score import inputs_of

if TYPE_CHECKING:
    from model.scoring.one_customer import OneCustomer

app = typer.Typer()

_WIDTH: Final = 80
_MAIN: Final = 3  # reasons of a change
_REPORT: Final = "report.json"


@app.command("explain")
def explain_command(
    name: Name,
    customer: Annotated[str | None, typer.Option("--customer", help="The id of a customer.")] = None,
    customers: CustomersFile = None,
    events: EventsFile = None,
    as_of: AsOfDay = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Explain the change since this day; default: 30 days.")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", min=0, max=1, help="Find the smallest change that crosses it."),
    ] = None,
    horizon: Annotated[int | None, typer.Option("--horizon", help="In days; default: the longest.")] = None,
    version: Version = None,
    registry: RegistryDir = DEFAULT_REGISTRY,
    json: AsJson = False,
) -> None:
    """Say why a customer has its probability, or without --customer what drives the model."""
    from model.predictor import load_version
    from model.scoring.one_customer import OneCustomer
    from model.store.registry import Registry
    from model.times import parse_time
    from training.cli import console

    shelf = Registry(registry)
    if customer is None:
        if named := [o for o, given in (("--since", since), ("--threshold", threshold)) if given is not None]:
            raise typer.BadParameter("needs --customer", param_hint=named[0])
        number = shelf.resolve(name, version)
        found = _stored_drivers(shelf.folder(name, number)) | {"name": name, "version": number}
        console.print_json(found) if json else console.print_lines(list(_driver_lines(found)))
        return
    predictor = load_version(shelf, name, version)
    customers, events, instant, of_files = inputs_of(predictor, customers, events, as_of)
    one = OneCustomer.find(predictor, customer, customers, events, instant)
    day = parse_time(since, zone=predictor.manifest.schema_.time_zone) if since else None
    facts = _facts(one, horizon, day, threshold) | {"notes": [*of_files, *one.notes]}
    if json:
        console.print_json(facts)
    else:
        console.print_lines([*_lines(facts), *(f"Note: {note}" for note in facts["notes"])])


def _facts(
    one: "OneCustomer", horizon: int | None, since: int | None, threshold: float | None
) -> dict[str, Any]:
    """The explanation as plain values."""
    from model.scoring.what_if import what_if
    from model.times import format_instant

    manifest = one.predictor.manifest
    zone, horizons = manifest.schema_.time_zone, manifest.task.output_names
    if horizon is not None and str(horizon) not in horizons:
        known = ", ".join(horizons) or "no horizon: its label is a column"
        raise typer.BadParameter(f"the model has {known}", param_hint="--horizon")
    k = -1 if horizon is None else horizons.index(str(horizon))
    facts: dict[str, Any] = {
        "name": manifest.name,
        "version": manifest.version,
        "customer": one.customer.ids[0],
        "as_of": format_instant(one.as_of.instant, zone),
        "as_of_from": one.as_of.source,
        "horizon_days": int(horizons[k]) if horizons else None,
        "not_eligible_because": one.not_eligible_because,
        **asdict(one.explain(k)),
    }
    if one.customer.log is not None or since is not None:
        earlier, change = one.change(since, k)
        facts["change"] = {"since": format_instant(earlier, zone), **(asdict(change) if change else {})}
    if threshold is not None:
        way = what_if(one.predictor, one.customer, threshold, k)
        facts["what_if"] = {"threshold": threshold, "change": asdict(way) if way else None}
    return facts


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    within = f" within {facts['horizon_days']} days" if facts["horizon_days"] else ""
    p, usual = facts["probability"], facts["base_probability"]
    yield f"{facts['name']} version {facts['version']}: customer {facts['customer']} as of {facts['as_of']}"
    yield f"{p:.1%}{within}; a typical customer has {usual:.1%}."
    if facts["not_eligible_because"]:
        yield f"Not eligible: {facts['not_eligible_because']}."
    yield from ["", f"{'points':>7} {'logit':>7}  reason", *_table(facts["reasons"])]
    yield f"{100 * (p - usual):+7.1f} {facts['logit'] - facts['base_logit']:+7.2f}  all"
    if change := facts.get("change"):
        yield ""
        if "reasons" in change:
            yield f"Since {change['since']}: {change['base_probability']:.1%} -> {change['probability']:.1%}"
            yield from _table(change["reasons"][:_MAIN])
        else:
            yield f"No event by {change['since']}, so there is no earlier probability."
    if "what_if" in facts:
        yield from ["", _what_if(facts["what_if"], p)]


def _table(reasons: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for reason in reasons:
        figures = f"{reason['points']:+7.1f} {reason['logit']:+7.2f}  "
        yield from textwrap.wrap(
            reason["text"], _WIDTH, initial_indent=figures, subsequent_indent=" " * len(figures)
        )


def _what_if(found: Mapping[str, Any], p: float) -> str:
    side = "below" if p >= found["threshold"] else "at or above"
    if (change := found["change"]) is None:
        return f"No change of one or two changeable fields takes it {side} {found['threshold']:.1%}."
    steps = " and ".join(f"{s['field']} {s['value']} instead of {s['now']}" for s in change["steps"])
    return f"It would be {side} {found['threshold']:.1%} with {steps}: {change['probability']:.1%}."


def _stored_drivers(folder: Path) -> dict[str, Any]:
    """Return the drivers in the report of a checkpoint.

    Raises:
        CheckpointError: it is damaged, or has no report.
    """
    import json

    from model.errors import CheckpointError
    from model.store.checkpoint import read_checkpoint

    kept = read_checkpoint(folder, keep=(_REPORT,)).kept
    if _REPORT not in kept:
        raise CheckpointError(f"{folder} has no {_REPORT}, which says what drives the model. Train again.")
    drivers: dict[str, Any] = json.loads(kept[_REPORT])["drivers"]
    return drivers


def _driver_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines, at most 80 characters long but for long names."""
    from training.report.tables import value_text

    yield f"{found['name']} version {found['version']}, on {found['examples']:,} test examples"
    yield ""
    yield "log loss without     95 % interval  |logit|  inputs"
    for one in found["groups"]:
        interval = f"{one['low']:+.4f} to {one['high']:+.4f}"
        yield f"{one['loss']:+16.4f}  {interval:>18}  {one['mean_share']:7.2f}  {one['group']}"
    yield from ["", "mean probability by value (share of the examples)"]
    for effect in found["effects"]:
        parts = zip(effect["values"], effect["probability"], effect["share"], strict=True)
        text = ", ".join(f"{value_text(value)}: {p:.1%} ({share:.0%})" for value, p, share in parts)
        yield from textwrap.wrap(f"{effect['input']}  {text}", _WIDTH, subsequent_indent="    ")
    if found["sequence"]:
        yield from ["", "|logit| without events (share of the events)"]
    for part in found["sequence"]:
        yield f"{part['change']:7.2f}  {part['events']} ({part['share']:.0%})"
