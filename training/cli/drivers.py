"""What drives a model, from its report, as lines of a terminal."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

WIDTH: Final = 80
_REPORT: Final = "report.json"


def stored_drivers(folder: Path) -> dict[str, Any]:
    """Return the drivers in the report of a checkpoint.

    Raises:
        CheckpointError: it is damaged, or has no report.
    """
    from model.errors import CheckpointError
    from model.store.checkpoint import read_checkpoint

    kept = read_checkpoint(folder, keep=(_REPORT,)).kept
    if _REPORT not in kept:
        raise CheckpointError(f"{folder} has no {_REPORT}, which says what drives the model. Train again.")
    drivers: dict[str, Any] = json.loads(kept[_REPORT])["drivers"]
    return drivers


def driver_lines(found: Mapping[str, Any]) -> Iterator[str]:
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
        yield from textwrap.wrap(f"{effect['input']}  {text}", WIDTH, subsequent_indent="    ")
    if found["sequence"]:
        yield from ["", "|logit| without events (share of the events)"]
    for part in found["sequence"]:
        yield f"{part['change']:7.2f}  {part['events']} ({part['share']:.0%})"
