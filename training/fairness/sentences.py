"""The fairness of one column in plain sentences, new or read from report.json."""

from collections.abc import Mapping
from typing import Any, Final

from training.fairness.by_group import FIGURES

NAMES: Final = {
    **{name: name.replace("_", " ") for name in FIGURES},
    "auc": "AUC",
    "calibration": "overprediction",
    "selected": "share selected",
}


def fairness_sentences(column: Mapping[str, Any]) -> list[str]:
    """Describe the gaps between the groups of a column, its small groups, and the columns that predict it.

    Args:
        column: one of the `columns` of `fairness.measure_fairness`.
    """
    lines = [f"The model {'reads' if column['is_read'] else 'does not read'} {column['column']!r}."]
    gaps = [gap for gap in column["gaps"] if gap["beyond_chance"]]
    if gaps:
        lines.append(f"Largest gaps beyond chance: {'; '.join(_gap(gap, column['groups']) for gap in gaps)}.")
    elif column["gaps"]:
        lines.append("No gap between its groups is beyond chance.")
    else:
        lines.append("No two of its groups are large enough to compare.")
    if small := [f"{group['name']} ({group['small']})" for group in column["groups"] if group["small"]]:
        lines.append(f"Not compared: {'; '.join(small)}.")
    return lines + _proxies(column["proxies"])


def _gap(gap: Mapping[str, Any], groups: list[Mapping[str, Any]]) -> str:
    figure = gap["figure"]
    values = {group["name"]: group["figures"][figure]["value"] for group in groups}
    sides = ", ".join(
        f"{_shown(values[gap[key]], figure)} for {gap[key]}" for key in ("high_group", "low_group")
    )
    value, low, high = (_shown(gap[key], figure).removesuffix(" %") for key in ("value", "low", "high"))
    unit = "" if figure == "auc" else " points"
    return f"{NAMES[figure]} {sides} ({value}{unit}, 95 % interval {low} to {high})"


def _shown(value: float, figure: str) -> str:
    return f"{value:.3f}" if figure == "auc" else f"{value:.1%}".replace("%", " %")


def _proxies(found: Mapping[str, Any] | None) -> list[str]:
    if found is None or found["together"] is None:
        return []
    together = (
        f"all columns of the model together have an AUC of {found['together']:.3f} for {found['group']}"
    )
    if not found["named"]:
        return [f"No column of the model predicts it well; {together}."]
    named = ", ".join(f"{one['column']} (AUC {one['auc']:.3f} for {one['group']})" for one in found["named"])
    return [f"Columns of the model that predict it: {named}; {together}."]
