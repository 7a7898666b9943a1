"""The page of a report: for who acts on it, for who checks it, and for who must know where it comes from."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from training.audit.sentences import audit_sentences
from training.measure.measuring import MODEL
from training.report import charts, tables, words
from training.report.card import limits, privacy, weaknesses
from training.report.headline import reach_sentences, recommendation
from training.report.report import test_size

_LONG: Final = re.compile(r"\S{20,}")
_SIGN: Final = re.compile(r"(?<=[_/)\]])(?=.)")
_FOLDER: Final = Path(__file__).parent


def render_html(report: Mapping[str, Any]) -> str:
    """Return a self-contained page without scripts or requests; texts from the data are escaped.

    Args:
        report: a `report.Report`, new or read from report.json.
    """
    horizons, audit = list(report["metrics"]), report["audit"]
    longest = horizons[-1]
    advice, why = recommendation(report)
    return _template().render(
        report=report,
        advice=advice,
        why=why,
        model=report["metrics"][longest][MODEL],
        longest=longest,
        ceiling=_ceiling(report["metrics"][longest][MODEL]["base_rate"]),
        style=Markup(_FOLDER.joinpath("report.css").read_text(encoding="utf-8")),
        box=charts.BOX,
        contacts=_contacts(report),
        test_size=test_size(report["split"]),
        figures=[tables.metrics_table(horizon, of) for horizon, of in report["metrics"].items()],
        checks=_checks(report, longest),
        groups=[tables.group_table(column) for column in (report["fairness"] or {}).get("columns", ())],
        charts={horizon: _charts(report, horizon) for horizon in report["curves"]},
        training=charts.training_chart(report["fit"]["history"], report["fit"]["best_epoch"]),
        findings=[tables.findings_table(audit["findings"])] if audit["findings"] else [],
        cutoffs=[tables.cutoffs_table(audit["cutoffs"], horizons)] if "cutoffs" in audit else [],
        audit_sentences=audit_sentences(audit),
        before={"Known weaknesses": weaknesses(report), "What it is not for": limits(report)},
        after={"Privacy": privacy(report)},
        columns=[tables.columns_table(report["data"]["columns"])] if report["data"]["columns"] else [],
        study=yaml.safe_dump(report["study"], sort_keys=False, allow_unicode=True),
    )


def _ceiling(base_rate: float) -> float | None:
    """The highest lift at 10 % that a ranking can have."""
    return min(10.0, 1 / base_rate) if base_rate else None


def _contacts(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """The sentences, tables and charts about whom to contact; None where the test does not show it."""
    contacts = report["contacts"]
    if report["verdict"]["fault"] or not contacts["everyone"]:
        return None
    everyone = tables.reach_table(contacts["everyone"], contacts["positives"], "All customers")
    left = contacts["positives"] - contacts["silent_positives"]
    active = [tables.reach_table(contacts["active"], left, "Only those who were still active")]
    return {
        "sentences": reach_sentences(report),
        "tables": [everyone, *(active if contacts["active"] else [])],
        "chart": charts.reach_chart(contacts["everyone"], contacts["positives"]),
    }


def _checks(report: Mapping[str, Any], longest: str) -> list[tables.Table]:
    """The tables of drivers, champion, test dates, other splits and learning curve, where there are any."""
    found = [tables.drivers_table(report["drivers"]), tables.effects_table(report["drivers"]["effects"])]
    if report["decision"] and report["decision"]["compared"]:
        found.append(tables.decision_table(report["decision"], report["version"]))
    if report["dates"]:
        found.append(tables.dates_table(report["dates"], longest))
    if len(report["splits"]) > 1:
        found.append(tables.splits_table(report["splits"]))
    if report["learning_curve"]:
        found.append(tables.learning_table(report["learning_curve"], report["learning_conclusion"]))
    return found


def _charts(report: Mapping[str, Any], horizon: str) -> list[charts.Chart]:
    """The charts of a horizon; charts that need both classes are left out without them."""
    curves = report["curves"][horizon]
    base_rate = report["metrics"][horizon][MODEL]["base_rate"]
    drawn = [charts.calibration_chart(curves["calibration"])]
    if curves["roc"]:
        drawn.append(charts.roc_chart(curves["roc"]))
    if curves["gain"]:
        drawn.append(charts.gain_chart(curves["gain"], base_rate))
    drawn.append(charts.score_chart(curves["histogram"]))
    if curves["precision_recall"]:
        drawn.append(charts.precision_recall_chart(curves["precision_recall"], base_rate))
    return drawn


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = (words.fixed, words.count, words.percent, words.between, words.duration, words.horizon_name)
    environment.filters |= {one.__name__: one for one in shown}
    environment.filters["breakable"] = _breakable
    return environment.get_template("report.html.j2")


def _breakable(text: str) -> Markup:
    """A text whose long names, such as `sum(amount)[order]_90d`, may break; `5 %` may not."""
    marked = _LONG.sub(lambda name: _SIGN.sub("\0", name[0]), text)
    return Markup(str(escape(marked)).replace("\0", "<wbr>").replace(" %", "\N{NO-BREAK SPACE}%"))
