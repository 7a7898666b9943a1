"""Figures of a run, an audit or a comparison as tables and sentences on a terminal."""

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any, Final

from model.files.names import counted
from training.audit.findings import grouped
from training.audit.sentences import audit_sentences, shown_horizons
from training.cli.console import print_lines, print_table
from training.measure.measuring import display_name
from training.report.report import MEASURES, test_size

CUTOFFS: Final = 12  # of a table of cutoffs, at most
LISTED: Final = 60  # letters of the values of a column, at most
ENDS: Final = 2  # first and last cutoffs that are always shown
COLUMNS: Final = 30  # of a table of columns, at most
LETTERS: Final = 18  # of a group's name
GROUP_FIGURES: Final = {
    "base_rate": "base rate",
    "mean_probability": "mean p",
    "auc": "AUC",
    "true_positive_rate": "TPR",
    "false_positive_rate": "FPR",
}
SHORT: Final = ("AUC", "AP", "Lift", "Log loss", "Brier", "Calib.")  # MEASURES in a narrow table


def print_report(report: Mapping[str, Any]) -> None:
    """Print the report of a training run."""
    print_lines([report["question"]])
    print_audit(report["audit"])
    print_lines([""])
    print_metrics(report["metrics"])
    print_dates(report)
    print_fairness(report["fairness"])
    print_lines([report["verdict"]["sentences"], ""])
    if report["choice"]["sequence_sentence"]:
        print_lines([report["choice"]["sequence_sentence"], ""])
    print_splits(report["splits"])
    if report["learning_curve"]:
        print_learning_curve(report)
    print_lines([report["published"]])


def print_audit(audit: Mapping[str, Any]) -> None:
    """Print facts, the table of cutoffs, and findings."""
    print_lines(audit_sentences(audit))
    if audit.get("cutoffs"):
        print_cutoffs(audit["cutoffs"])
    for group in grouped(audit["findings"]):
        about = f"{', '.join(group.columns)}: " if group.columns else ""
        print_lines([f"{group.level.upper()} {about}{group.evidence} {group.advice}"])
    if not audit["findings"]:
        print_lines(["No column reveals the label, and there are no other findings."])


def print_cutoffs(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a row for each cutoff with eligible customers, with as many horizons as fit."""
    every = list(dict.fromkeys(name for row in rows for name in row["masked"]))
    names, filled = shown_horizons(every), [row for row in rows if row["eligible"]]
    shown = _telling(filled, every[-1]) if len(filled) > CUTOFFS else filled
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
        for row in shown
    ]
    header = ("cutoff", "role", "eligible", *(f"positive,\n{n} d" for n in names), "left\nout")
    print_table("Cutoffs", header, cells, texts=2)
    if len(names) < len(every):
        print_lines([f"3 of {len(every)} horizons are shown; --json prints all."])
    if len(shown) < len(filled):
        left_out = counted(len(filled) - len(shown), "cutoff")
        print_lines([f"{left_out} between them are not shown; --json and the report have all."])
    if len(filled) < len(rows):
        print_lines([f"No customer is eligible at {counted(len(rows) - len(filled), 'more cutoff')}."])


def _telling(rows: Sequence[Mapping[str, Any]], horizon: str) -> list[Mapping[str, Any]]:
    """Of many cutoffs the first, the last, those of the tests, and those of extreme rates and sizes."""
    known = [row for row in rows if horizon in row["rates"]]
    found = [*rows[:ENDS], *rows[-ENDS:], *[row for row in rows if "test" in row["role"]][-ENDS:]]
    for key in (lambda row: row["rates"][horizon], lambda row: row["eligible"]):
        found += [min(known, key=key), max(known, key=key)] if known else []
    dates = {row["cutoff"] for row in found}
    return [row for row in rows if row["cutoff"] in dates]


def print_metrics(metrics: Mapping[str, Any]) -> None:
    """Print a table for each horizon: the model, its 95 % interval, the other head, and each baseline."""
    for horizon, compared in metrics.items():
        model = compared["model"]
        name = horizon if horizon == "label" else counted(int(horizon), "day")
        title = f"{name}: {counted(model['n'], 'test example')}, {model['positives']:,} positive"
        rows = []
        for name, values in compared.items():
            rows.append((display_name(name), *(_number(values[key]) for key, _, _ in MEASURES)))
            if name == "model":
                rows.append(("  95 %", *(_between(values["intervals"][key]) for key, _, _ in MEASURES)))
        print_table(title, ("", *SHORT), rows)


def print_dates(report: Mapping[str, Any]) -> None:
    """Print the size of the test, and the figures of the model at each of its dates if there are several."""
    print_lines([test_size(report["split"])])
    rows = [
        (
            figure["date"],
            f"{figure['n']:,}",
            f"{figure['positives']:,}",
            f"{figure['base_rate']:.1%}",
            f"{figure['mean_probability']:.1%}",
            _number(figure["auc"]),
            _number(figure["log_loss"]),
        )
        for figure in report["dates"]
    ]
    if rows:
        columns = ("date", "examples", "positive", "base rate", "mean probability", "AUC", "log loss")
        print_table("The model at each test date, at the longest horizon", columns, rows)


def print_fairness(fairness: Mapping[str, Any] | None) -> None:
    """Print the figures by group, and what they say, for each column that the study names."""
    for column in fairness["columns"] if fairness else ():
        rows = [
            (
                group["name"][:LETTERS],
                f"{group['examples']:,}",
                *(_rounded(group["figures"][figure]["value"]) for figure in GROUP_FIGURES),
            )
            for group in column["groups"]
        ]
        print_table(f"By {column['column']}", ("", "examples", *GROUP_FIGURES.values()), rows)
        print_lines([*column["sentences"], ""])
    if fairness:
        which = "as the study says" if fairness["is_stated"] else "the highest tenth of the test"
        print_lines(
            [
                "TPR, FPR: true and false positive rate of acting from a probability of "
                f"{fairness['threshold']:.3f} on, {which}.",
                "",
            ]
        )


def print_splits(figures: Sequence[Mapping[str, Any]]) -> None:
    """Print the figures of each split side by side, if there are several."""
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
        "The same model under other splits (the last is the study's split)",
        ("split", "examples", "AUC", "95 %", "log loss", "base rate loss"),
        rows,
    )


def print_learning_curve(report: Mapping[str, Any]) -> None:
    """Print the figures by the share of the training customers."""
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


def print_decision(decision: Mapping[str, Any], challenger: str = "challenger") -> None:
    """Print champion and challenger on the same examples, and the decision."""
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
            f"On the same {compared['examples']:,} examples, {compared['positives']:,} positive",
            ("", f"version {decision['champion_was']}", challenger, "difference", "95 % from", "to"),
            rows,
        )
    print_lines([decision["reason"]])


def print_data(report: Mapping[str, Any]) -> None:
    """Print the columns as they were read, the warnings, and the notes of reading."""
    _print_columns(report["data"]["columns"])
    print_lines([f"Note: {note}" for note in (*report["warnings"], *report["data"]["read"])])


def _print_columns(columns: Sequence[Mapping[str, Any]]) -> None:
    """Print a row for each column; of many, those first that were not read, or not wholly."""
    shown = columns
    if len(columns) > COLUMNS:
        shown = sorted(columns, key=lambda c: not (c["unread"] or c["left_out"]))[:COLUMNS]
    cells = [
        (
            c["name"],
            f"{c['kind']}, {c['read_as']}" if c["read_as"] else c["kind"],
            c["left_out"] or shorten(c["values"], LISTED, placeholder=" ..."),
            c["example"],
            "" if c["missing_share"] is None else f"{c['missing_share']:.1%}",
            f"{c['unread']:,}: {c['unread_example']}" if c["unread"] else "",
        )
        for c in shown
    ]
    if cells:
        print_table("Columns", ("column", "kind", "values", "example", "missing", "not read"), cells, texts=4)
    if len(shown) < len(columns):
        print_lines([f"{COLUMNS} of {len(columns):,} columns are shown; --json and the report have all."])
    if any(c["unread"] for c in columns):
        print_lines(
            [
                "Values under 'not read' count as missing. If they mean something, name the column under "
                "data.customers.categorical, numeric or dates."
            ]
        )


def _between(interval: Sequence[float] | None) -> str:
    if interval is None:
        return "-"
    return "-".join(f"{end:.3f}".removeprefix("0") for end in interval)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _rounded(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"
