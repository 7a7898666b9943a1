"""The model card, from a report: what a model is for, its figures, weaknesses, origin and privacy."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from model.files.names import agreed, counted
from training.audit.findings import grouped
from training.audit.sentences import audit_sentences, rate_sentences
from training.report import tables
from training.report.headline import RECOMMENDED, reach_sentences, recommendation
from training.report.report import test_size
from training.schema.fit_schema import MIN_CUSTOMERS

_MARKDOWN: Final = re.compile(r"([\\`*\[\]<|])")


def render_card(report: Mapping[str, Any]) -> str:
    """Return the card as Markdown; texts from the data are escaped.

    Args:
        report: a `report.Report`, new or read from report.json.
    """
    about = f"{report['name']}, version {report['version']}, made {report['created']}"
    lines = [f"# {_plain(report['title'])}", "", f"Model card of {about}.", ""]
    for title, sentences in (
        ("What it is for", purposes(report)),
        ("What it is not for", limits(report)),
        ("Data and population", [*audit_sentences(report["audit"]), *report["data"]["read"]]),
        ("Figures", [report["verdict"]["sentences"], test_size(report["split"])]),
    ):
        lines += _section(title, sentences)
    for horizon, compared in report["metrics"].items():
        lines += _table(tables.metrics_table(horizon, compared))
    if report["dates"]:
        lines += _table(tables.dates_table(report["dates"], list(report["metrics"])[-1]))
    groups = report["fairness"]["columns"] if report["fairness"] else ()
    lines += _section("By group", [] if groups else ["The study names no groups (fairness.groups)."])
    for column in groups:
        lines += _table(tables.group_table(column))
    lines += _section("What drives it", [])
    lines += _table(tables.drivers_table(report["drivers"]))
    for title, sentences in (
        ("Known weaknesses", weaknesses(report)),
        ("Where it comes from", origin(report)),
        ("Privacy", privacy(report)),
    ):
        lines += _section(title, sentences)
    return "\n".join(lines)


def purposes(report: Mapping[str, Any]) -> list[str]:
    """What the model answers, and whether to use it."""
    advice, why = recommendation(report)
    found = [report["question"], f"{advice} {why}"]
    if not report["verdict"]["fault"] and report["contacts"]["everyone"]:
        found.append(reach_sentences(report)[0])
    return found


def limits(report: Mapping[str, Any]) -> list[str]:
    """What the model does not answer."""
    task = report["task"]
    found = ["What contacting a customer changes: a probability is no effect."]
    if days := task.get("horizons_days"):
        found.append(f"What happens later than {counted(days[-1], 'day')} after the prediction.")
        within = task.get("eligible_within_days")
        recent = f" or had no event in the {counted(within, 'day')} before" if within else ""
        found.append(f"Customers who had left{recent}: their scores are marked as not eligible.")
    else:
        found.append("Customers unlike those of the table: `propense score` notes values beyond it.")
    return found


def weaknesses(report: Mapping[str, Any]) -> list[str]:
    """What the test and the probes found against the model."""
    verdict, contacts = report["verdict"], report["contacts"]
    found = [verdict["fault"]] if verdict["fault"] else []
    if not found and verdict["outcome"] != "beats":
        found.append(recommendation(report)[1])
    found += report["warnings"]
    for group in grouped(report["audit"]["findings"]):
        found += [group.evidence] if group.level != "note" else []
    found += rate_sentences(report["audit"].get("cutoffs", ()))
    if contacts["silent"]:
        top = next((one for one in contacts["everyone"] if one["share"] == RECOMMENDED), None)
        if top and top["silent"]:
            were = agreed(top["silent"], "was", "were")
            found.append(
                f"Of the {top['customers']:,} likeliest, {top['silent']:,} {were} silent for the "
                f"{contacts['silent_days']} days before."
            )
    for column in report["fairness"]["columns"] if report["fairness"] else ():
        if any(gap["beyond_chance"] for gap in column["gaps"]):
            found.append(f"By {column['column']}: {column['sentences'][1]}")
    return found or ["The test and the audit found none."]


def origin(report: Mapping[str, Any]) -> list[str]:
    """The fit, the versions and the study that made the model."""
    fit = report["fit"]
    study = json.dumps(report["study"], sort_keys=True, ensure_ascii=False).encode()
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return [
        f"Head {fit['head']} with {fit['parameters']:,} parameters. It is {report['split']['sentence']}. "
        f"{report['published']} {fit['distillation']}".strip(),
        f"Made with {versions}.",
        f"SHA-256 of the study: {hashlib.sha256(study).hexdigest()}. Those of the weights and of every other "
        "file are in manifest.json.",
    ]


def privacy(report: Mapping[str, Any]) -> list[str]:
    """What of the customers is in the checkpoint, and what is not."""
    found = [
        "The checkpoint holds weights, vocabularies, quantiles and figures, and no row of a customer. The "
        "ranges and examples of columns, and notes of reading, have values of single customers.",
        f"A category of fewer than {MIN_CUSTOMERS} customers is in no vocabulary. The customers that check a "
        "loaded model are synthetic.",
    ]
    columns = report["data"]["columns"]
    if kept := [column["name"] for column in columns if column["kind"] == "fairness"]:
        found.append(f"Read for the figures by group alone: {', '.join(kept)}.")
    return found


def _section(title: str, sentences: Sequence[str]) -> Iterator[str]:
    yield from (f"## {title}", "")
    yield from (f"- {_plain(sentence)}" for sentence in sentences)
    if sentences:
        yield ""


def _table(table: tables.Table) -> Iterator[str]:
    yield from (f"**{_plain(table.caption)}**", "")
    yield _row(table.header)
    yield _row(["---" if place < table.texts else "---:" for place in range(len(table.header))])
    yield from (_row([_cell(cell) for cell in row]) for row in table.rows)
    yield from ("", _plain(table.note), "") if table.note else ("",)


def _cell(cell: tables.Cell) -> str:
    return _plain(cell if isinstance(cell, str) else f"{cell[0]} ({cell[1]})")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
