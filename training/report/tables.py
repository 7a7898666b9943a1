"""The tables of a report, for the page and the model card alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from model.files.names import counted
from training.audit.findings import grouped
from training.audit.sentences import shown_horizons
from training.fairness.sentences import NAMES
from training.measure.measuring import MODEL, display_name
from training.report.report import MEASURES
from training.report.words import between, count, fixed, horizon_name, percent, signed

Cell = str | tuple[str, str]  # a text, and a small one below it
Part = Mapping[str, Any]

_COLUMNS: Final = 60  # of a data set that are shown
_CUTOFFS: Final = 24
_VALUES: Final = 4  # of one input that are all shown


@dataclass(frozen=True)
class Table:
    """A table; its rows are named by their first cell.

    Attributes:
        texts: the number of columns, from the first on, that hold texts; the others hold numbers.
        note: a sentence below it.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    texts: int = 1
    note: str = ""


def metrics_table(horizon: str, compared: Mapping[str, Part]) -> Table:
    """The measures of the model and of the methods that it is compared with, at one horizon."""
    model = compared[MODEL]
    size = f"{counted(model['n'], 'test example')}, {count(model['positives'])} positive"
    header = ("Method", *(f"{label} {'↑' if better == 'higher' else '↓'}" for _, label, better in MEASURES))
    rows = [
        (display_name(name), *(measured(values, field) for field, _, _ in MEASURES))
        for name, values in compared.items()
    ]
    return Table(f"{horizon_name(horizon)}: {size} ({percent(model['base_rate'])})", header, tuple(rows))


def measured(values: Part, field: str) -> Cell:
    """A measure with its interval."""
    ends = values["intervals"].get(field)
    return (fixed(values[field]), between(ends)) if ends else fixed(values[field])


def dates_table(dates: Sequence[Part], horizon: str) -> Table:
    """The figures of the model at each test date."""
    header = ("Date", "Examples", "Positives", "Base rate", "Mean probability", "AUC ↑", "Log loss ↓")
    rows = [
        (
            one["date"],
            count(one["n"]),
            count(one["positives"]),
            percent(one["base_rate"]),
            percent(one["mean_probability"]),
            fixed(one["auc"]),
            fixed(one["log_loss"]),
        )
        for one in dates
    ]
    return Table(f"The model at each test date, {horizon_name(horizon)}", header, tuple(rows))


def splits_table(splits: Sequence[Part]) -> Table:
    """The figures of the model under other splits; the last is that of the study."""
    header = ("Split", "Examples", "Positives", "AUC ↑", "Log loss ↓", "Log loss of the base rate")
    last = len(splits) - 1
    rows = [
        (
            f"{one['split']}{' (the figures above)' if place == last else ''}",
            count(one["metrics"]["n"]),
            count(one["metrics"]["positives"]),
            measured(one["metrics"], "auc"),
            measured(one["metrics"], "log_loss"),
            fixed(one["base_rate_log_loss"]),
        )
        for place, one in enumerate(splits)
    ]
    return Table("The same model under other splits", header, tuple(rows))


def learning_table(points: Sequence[Part], conclusion: str) -> Table:
    """The figures by the share of the training customers."""
    header = ("Share of the training customers", "Examples", "Positives", "AUC ↑", "Log loss ↓")
    rows = [
        (
            percent(one["share"]),
            count(one["examples"]),
            count(one["positives"]),
            fixed(one["metrics"]["auc"]),
            fixed(one["metrics"]["log_loss"]),
        )
        for one in points
    ]
    return Table("Fitted on a share of the training customers", header, tuple(rows), note=conclusion)


def drivers_table(drivers: Part) -> Table:
    """What each group of inputs does for the model."""
    header = ("Inputs", "Log loss without them", "Mean share of a logit")
    rows = [
        (
            one["group"],
            (signed(one["loss"]), f"{signed(one['low'])} to {signed(one['high'])}"),
            fixed(one["mean_share"]),
        )
        for one in drivers["groups"]
    ]
    note = (
        f"How much the log loss of {counted(drivers['examples'], 'test example')} rises where these inputs "
        "are those of another example, and the mean size of their share in a logit, against a typical "
        "customer."
    )
    return Table("What drives the model", header, tuple(rows), note=note)


def effects_table(effects: Sequence[Part]) -> Table:
    """The mean probability by the value of an input, lowest, middle and highest."""
    rows = []
    for effect in effects:
        triples = list(zip(effect["values"], effect["probability"], effect["share"], strict=True))
        some = triples if len(triples) <= _VALUES else [triples[0], triples[len(triples) // 2], triples[-1]]
        rows += [(effect["input"], value_text(value), percent(p), percent(share)) for value, p, share in some]
    header = ("Input", "Value", "Mean probability", "Examples near it")
    return Table("If all customers had a value", header, tuple(rows), texts=2)


def value_text(value: object) -> str:
    """A value of an effect."""
    return "missing" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def group_table(column: Part) -> Table:
    """The figures by the groups of one column."""
    header = ("Group", *(name[0].upper() + name[1:] for name in NAMES.values()))
    rows = []
    for group in column["groups"]:
        size = f"{counted(group['examples'], 'example')}, {counted(group['customers'], 'customer')}"
        figures = (group["figures"][name] for name in NAMES)
        rows.append(((group["name"], size), *(_with_interval(figure) for figure in figures)))
    return Table(f"By {column['column']}", header, tuple(rows), note=" ".join(column["sentences"]))


def _with_interval(figure: Part) -> Cell:
    if figure["low"] is None:
        return fixed(figure["value"])
    return fixed(figure["value"]), between((figure["low"], figure["high"]))


def reach_table(reaches: Sequence[Part], positives: int, caption: str) -> Table:
    """What contacting the likeliest customers would have reached."""
    held = f"Held of the {count(positives)}"
    header = ("The likeliest", "Customers", held, "Share held", "Held at random")
    rows = [
        (
            f"{one['share']:.0%}".replace("%", " %"),
            count(one["customers"]),
            count(one["found"]),
            _percents(one["found"] / positives, one["low"], one["high"]),
            count(round(positives * one["share"])),
        )
        for one in reaches
    ]
    return Table(caption, header, tuple(rows))


def _percents(value: float, low: float | None, high: float | None) -> Cell:
    if low is None or high is None:
        return percent(value)
    return percent(value), f"{100 * low:.0f} to {percent(high, 0)}"


def decision_table(decision: Part, version: int) -> Table:
    """Champion and challenger on the same customers."""
    header = ("Measure", f"Version {decision['champion_was']}", f"Version {version}", "Difference")
    rows = [
        (
            f"{label} {'↑' if better == 'higher' else '↓'}",
            fixed(decision[field]["champion"]),
            fixed(decision[field]["challenger"]),
            _difference(decision[field]),
        )
        for field, label, better in MEASURES
        if field in decision
    ]
    return Table("Champion and challenger", header, tuple(rows), note=decision["compared"]["sentence"])


def _difference(one: Part) -> Cell:
    if one["low"] is None:
        return signed(one["difference"])
    return signed(one["difference"]), f"{signed(one['low'])} to {signed(one['high'])}"


def findings_table(findings: Sequence[Part]) -> Table:
    """The findings of the audit, those of one kind together."""
    header = ("Level", "Column", "Evidence", "What to do")
    rows = [(g.level, ", ".join(g.columns), g.evidence, g.advice) for g in grouped(findings)]
    return Table("Findings", header, tuple(rows), texts=4)


def cutoffs_table(cutoffs: Sequence[Part], horizons: Sequence[str]) -> Table:
    """The customers and the positives at each cutoff; of many cutoffs the latest."""
    shown = shown_horizons(list(horizons))
    labels = (f"Positive within {horizon_name(name)}" for name in shown)
    rows = [
        (
            row["cutoff"],
            row["role"],
            "; ".join(f"{count(n)} {reason}" for reason, n in row["refused"].items()),
            count(row["eligible"]),
            *(_positives(row, name) for name in shown),
        )
        for row in cutoffs[-_CUTOFFS:]
    ]
    more = len(cutoffs) - len(rows)
    note = f"{counted(more, 'earlier cutoff')} are in report.json." if more else ""
    header = ("Cutoff", "Role", "Not eligible", "Eligible", *labels)
    return Table("Eligible and positive customers at each cutoff", header, tuple(rows), 3, note)


def _positives(row: Part, horizon: str) -> Cell:
    if horizon not in row["positives"]:
        return "not yet known"
    shown = f"{count(row['positives'][horizon])} ({percent(row['rates'][horizon])})"
    masked = row["masked"][horizon]
    return (shown, f"{count(masked)} masked") if masked else shown


def columns_table(columns: Sequence[Part]) -> Table:
    """What was read of each column; of many those first that were not read, or not wholly."""
    shown = columns
    if len(columns) > _COLUMNS:
        shown = sorted(columns, key=lambda c: not (c["unread"] or c["left_out"]))[:_COLUMNS]
    rows = [
        (
            c["name"],
            f"{c['kind']}, {c['read_as']}" if c["read_as"] else c["kind"],
            c["left_out"] or c["values"],
            c["example"],
            "" if c["missing_share"] is None else percent(c["missing_share"]),
            f"{count(c['unread'])}: {c['unread_example']}" if c["unread"] else "",
        )
        for c in shown
    ]
    header = ("Column", "Kind", "Values", "Example", "Missing", "Not read")
    note = "Values under “not read” count as missing."
    if len(shown) < len(columns):
        note += f" {_COLUMNS} of {count(len(columns))} columns are shown; report.json has all."
    return Table("Columns", header, tuple(rows), texts=len(header), note=note)
