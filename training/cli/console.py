"""What a command prints: one JSON object with --json, else tables and sentences; progress on a terminal."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from model.files.names import counted
from training.audit.sentences import audit_sentences, shown_horizons
from training.fit.loop import Epoch
from training.measure.measuring import who
from training.report.report import MEASURES

SHORT: Final = ("AUC", "AP", "Lift", "Log loss", "Brier", "Calib.")  # MEASURES in a narrow table
WIDTH: Final = 110


def print_json(answer: Mapping[str, Any]) -> None:
    """One JSON object, alone on standard output."""
    sys.stdout.write(json.dumps(answer, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def print_lines(lines: Sequence[str]) -> None:
    """Plain sentences on standard output."""
    for line in lines:
        _out().print(line, markup=False, highlight=False, soft_wrap=True)


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> None:
    """A table on standard output; the first so many columns are texts, the others are set like numbers."""
    print_lines([title])  # a table's own title would be broken to the table's width
    table = Table()
    for position, name in enumerate(header):
        table.add_column(name, justify="left" if position < texts else "right")
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    _out().print(table)


def print_metrics(metrics: Mapping[str, Any]) -> None:
    """A table for each horizon: a row for the network, its 95 % interval, and a row for each baseline."""
    for horizon, compared in metrics.items():
        model = compared["model"]
        name = horizon if horizon == "label" else counted(int(horizon), "day")
        title = f"{name}: {counted(model['n'], 'test example')}, {model['positives']:,} positive"
        rows = []
        for name, values in compared.items():
            rows.append((who(name), *(_number(values[key]) for key, _, _ in MEASURES)))
            if name == "model":
                ends = values.get("intervals", {})  # versions of before there were any have none
                rows.append(("  95 %", *(_between(ends.get(key)) for key, _, _ in MEASURES)))
        print_table(title, ("", *SHORT), rows)


def print_splits(figures: Sequence[Mapping[str, Any]]) -> None:
    """What each split claims, side by side; nothing where there is but ours."""
    if len(figures) < 2:
        return
    rows = [
        (
            figure["split"],
            f"{figure['metrics']['n']:,}",
            _number(figure["metrics"]["auc"]),
            _between(figure["metrics"]["intervals"]["auc"]),
            _number(figure["metrics"]["log_loss"]),
            _number(figure["base_rate_log_loss"]),
        )
        for figure in figures
    ]
    print_table(
        "The same network under other splits (the last is ours)",
        ("split", "examples", "AUC", "95 %", "log loss", "base rate's loss"),
        rows,
    )


def print_audit(audit: Mapping[str, Any]) -> None:
    """Facts, the table of cutoffs, and findings."""
    print_lines(audit_sentences(audit))
    if audit.get("cutoffs"):
        _print_cutoffs(audit["cutoffs"])
    for finding in audit["findings"]:
        about = f"{finding['column']}: " if finding["column"] else ""
        print_lines([f"{finding['level'].upper()} {about}{finding['evidence']} {finding['advice']}"])
    if not audit["findings"]:
        print_lines(["No column states the label, and nothing else was found."])


def _print_cutoffs(rows: Sequence[Mapping[str, Any]]) -> None:
    """A row for each cutoff that asks about anybody, as many horizons as fit."""
    every = list(dict.fromkeys(name for row in rows for name in row["masked"]))
    names, asked = shown_horizons(every), [row for row in rows if row["eligible"]]
    cells = [
        (
            row["cutoff"],
            row["role"],
            f"{row['eligible']:,}",
            *(
                f"{row['positives'][n]:,} ({row['rates'][n]:.1%})" if n in row["rates"] else "not yet known"
                for n in names
            ),
            f"{sum(row['refused'].values()):,}",
        )
        for row in asked
    ]
    header = ("cutoff", "role", "eligible", *(f"positive, {n} d" for n in names), "not asked")
    print_table("Cutoffs", header, cells, texts=2)
    if len(names) < len(every):
        print_lines([f"Of {len(every)} horizons 3 are shown; --json has all."])
    if len(asked) < len(rows):
        print_lines([f"At {counted(len(rows) - len(asked), 'more cutoff')} nobody is asked about."])


def print_learning_curve(report: Mapping[str, Any]) -> None:
    """How the figures grow with the customers."""
    rows = [
        (
            f"{point['share']:.1%}",
            f"{point['examples']:,}",
            f"{point['positives']:,}",
            _number(point["metrics"]["auc"]),
            _number(point["metrics"]["log_loss"]),
        )
        for point in report["learning_curve"]
    ]
    print_table(
        "Fitted on a share of the training customers",
        ("share", "examples", "positives", "AUC", "log loss"),
        rows,
    )
    print_lines([report["learning_conclusion"]])


def print_report(report: Mapping[str, Any]) -> None:
    """What a training run found out."""
    print_lines([report["question"]])
    print_audit(report["audit"])
    print_lines([""])
    print_metrics(report["metrics"])
    print_lines([report["verdict"]["sentences"], ""])
    if report["choice"]["sentences"]:
        print_lines([report["choice"]["sentences"], ""])
    print_splits(report["splits"])
    if report["learning_curve"]:
        print_learning_curve(report)
    print_lines([report["published"]])


def print_notes(report: Mapping[str, Any]) -> None:
    """What else the user should know: of the split, and what was left out of the files, and why."""
    data = report["data"]
    notes = [*report["warnings"], *data["read"]]
    notes += [f"{one['column']!r} is left out: {one['reason']}" for one in data["left_out"]]
    print_lines([f"Note: {note}" for note in notes])


def print_decision(decision: Mapping[str, Any]) -> None:
    """Champion beside challenger on the same examples, and what was decided."""
    if compared := decision["compared"]:
        rows = [
            (
                label,
                _number(decision[field]["champion"]),
                _number(decision[field]["challenger"]),
                *(_signed(decision[field][key]) for key in ("difference", "low", "high")),
            )
            for field, label, _ in MEASURES
            if field in decision
        ]
        print_lines([compared["sentence"]])
        print_table(
            f"Champion and challenger: {compared['examples']:,} examples, {compared['positives']:,} positive",
            ("", f"version {decision['champion_was']}", "challenger", "difference", "95 % from", "to"),
            rows,
        )
    print_lines([decision["reason"]])


@contextmanager
def epoch_progress() -> Iterator[Any]:
    """Gives a callback for `train`; draws a bar a fit on standard error where that is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err(), disable=not sys.stderr.isatty(), transient=True) as progress:
        bars: dict[str, Any] = {}

        def on_epoch(fit: str, epoch: Epoch) -> None:
            if fit not in bars:
                bars[fit] = progress.add_task(fit, total=epoch.planned)
            text = f"{fit}: validation loss {epoch.validation_loss:.4f}"
            progress.update(bars[fit], completed=epoch.epoch, description=text)

        yield on_epoch


@contextmanager
def row_progress(what: str) -> Iterator[Any]:
    """Gives a callback that is told how many rows are done."""
    columns = (
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_err(), disable=not sys.stderr.isatty(), transient=True) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda rows: progress.update(bar, completed=rows)


def print_error(message: str) -> None:
    """A refusal, on standard error."""
    _err().print(f"propense: {message}", markup=False, highlight=False, soft_wrap=True, style="red")


def _between(interval: Sequence[float] | None) -> str:
    if interval is None:
        return "-"
    return "-".join(f"{end:.3f}".removeprefix("0") for end in interval)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"


def _out() -> Console:
    """Standard output; a file or a pipe is as wide as the widest table."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH)


def _err() -> Console:
    return Console(file=sys.stderr)
