"""The facts of an audit in plain sentences, new or read from report.json."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from model.files.names import agreed, counted
from model.values.spelling import folded
from training.question.label_column import listed_counts


def audit_sentences(facts: Mapping[str, Any]) -> list[str]:
    """Describe the data, the eligible customers and the split.

    Args:
        facts: `training.audit.audit.Audit.facts`, new or read from report.json.
    """
    zone = facts["time_zone"]
    lines = [f"{_customers(facts)} Times without an offset are read in {zone}."]
    if facts["log"]:
        lines += _log(facts["log"])
    lines += facts.get("understood", [])
    lines += event_type_sentences(facts.get("event_types", ()))
    if "rate" in facts:
        lines.append(label_sentence(facts["label"]))
        positives = f"{facts['positives']:,} of {counted(facts['rows'], 'row')}"
        are = agreed(facts["positives"], "is", "are")
        lines.append(f"{positives} {are} positive ({facts['rate']:.1%}).")
    else:
        lines += _population(facts)
    n = facts["examples"]
    lines.append(
        f"Split: {facts['split']}. Examples: {n['train']:,} for training ({n['judged']:,} of them also for "
        f"early stopping and calibration), {n['test']:,} for the test."
    )
    return lines


def _customers(facts: Mapping[str, Any]) -> str:
    n, rows = facts["customers"], facts.get("table_rows", facts["customers"])
    if not facts.get("has_id", True):
        return f"{counted(rows, 'row')}; the study names no id, so each row counts as a customer of its own."
    if rows == n:
        return f"{counted(n, 'customer')}."
    if "time" in facts.get("split_kind", ""):
        return f"{rows:,} rows of {counted(n, 'customer')}; by time a customer's rows may be on both sides."
    return f"{rows:,} rows of {counted(n, 'customer')}; each row is an example, a customer's are on one side."


def shown_horizons(names: Sequence[str]) -> list[str]:
    """Return up to three horizons that fit on a line: the shortest, the middle and the longest."""
    return list(names) if len(names) <= 3 else [names[0], names[len(names) // 2], names[-1]]


def _log(log: Mapping[str, Any]) -> list[str]:
    return [
        f"{counted(log['events'], 'event')} from {log['first_event']} to {log['last_event']}, with "
        f"{counted(log['duplicate_events'], 'exact duplicate')}.",
        *(f"No events for {g['days']:,} days, between {g['after']} and {g['before']}." for g in log["gaps"]),
    ]


def _population(facts: Mapping[str, Any]) -> list[str]:
    log, cutoffs = facts["log"], facts["cutoffs"]
    lines = []
    observed = facts["observed_from"], facts["observed_until"]
    if not log or observed != (log["first_event"], log["last_event"]):
        lines.append("Observed from {} to {}.".format(*observed))
    lines += _not_eligible(facts["never_asked"], cutoffs)
    lines += _masked(cutoffs)
    lines += [*rate_sentences(cutoffs), *_shift(facts.get("base_rate_shift"))]
    if facts["came_back"]:
        lines.append(_came_back(facts["came_back"]))
    return lines


def _not_eligible(never: Mapping[str, Any], cutoffs: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    if n := never["customers"]:
        lines.append(
            f"Never eligible: {counted(n, 'customer')}; reasons at the latest cutoff: "
            f"{_tally(never['reasons'])}."
        )
    reasons: Counter[str] = Counter()
    for row in cutoffs:
        reasons.update(row["refused"])
    if reasons:
        lines.append(f"Not eligible, summed over {counted(len(cutoffs), 'cutoff')}: {_tally(reasons)}.")
    return lines


def _tally(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} ({n:,})" for reason, n in reasons.items())


def _masked(cutoffs: Sequence[Mapping[str, Any]]) -> list[str]:
    masked: Counter[str] = Counter()
    for row in cutoffs:
        masked.update(row["masked"])
    lines = [f"{masked[name]:,} at {name} days" for name in shown_horizons(list(masked))]
    if not any(masked.values()):
        return []
    return [
        "Examples with an incomplete window (beyond the data, or the customer left in the gap): "
        f"{', '.join(lines)}."
    ]


def rate_sentences(cutoffs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Describe how the share of positives at the longest horizon changes."""
    longest = max((int(name) for row in cutoffs for name in row["rates"]), default=0)
    rates = {row["cutoff"]: row["rates"][str(longest)] for row in cutoffs if str(longest) in row["rates"]}
    if len(rates) < 2:
        return []
    (first, *_, last), shares = rates, rates.values()
    return [
        f"Positive within {longest} days: {rates[first]:.1%} at {first}, {rates[last]:.1%} at {last}; over "
        f"all cutoffs {min(shares):.1%} to {max(shares):.1%}."
    ]


def _shift(shift: Mapping[str, Any] | None) -> list[str]:
    """Describe how far the base rate moved in training and to the test, and what such a shift does."""
    if shift is None:
        return []
    of = {"train": "the training cutoffs", "test": "the test"}
    moved = [f"{_between(*shift[role])} at {name}" for role, name in of.items() if shift[role]]
    low, high = shift["becomes"]
    return [
        f"Base rate: {', '.join(moved)}. A shift of this size turns a probability of "
        f"{shift['probability']:.1%} into {low:.1%} or {high:.1%}."
    ]


def _between(low: float, high: float) -> str:
    return f"{low:.1%}" if low == high else f"{low:.1%} to {high:.1%}"


def _came_back(back: Mapping[str, Any]) -> str:
    span = f"{back['within_days']:,} days, twice the longest horizon"
    if not back["left"]:
        return f"No customer who counts as gone was observed for {span}: the share of returns is not known."
    gone = f"{counted(back['left'], back['of'])} that {agreed(back['left'], 'counts', 'count')} as gone"
    were = agreed(back["back"], "was", "were")
    return f"Of {gone}, {back['back']:,} ({back['share']:.1%}) {were} followed by a return within {span}."


def label_sentence(label: Mapping[str, Any]) -> str:
    """List the values of the label by what they count as."""
    parts = []
    for side in ("positive", "negative", "excluded"):
        values = [(v["value"], v["count"]) for v in label["values"] if v["counts_as"] == side]
        if values:
            parts.append(f"{listed_counts(values)} {'are' if side == 'excluded' else 'count as'} {side}")
    names = [v["value"] for v in label["values"] if v["value"] is not None]
    return f"Values of {label['column']!r}: {'; '.join(parts)}.{_one_spelling(names)}"


def event_type_sentences(facts: Sequence[Mapping[str, Any]]) -> list[str]:
    """List the types of events by the key of the target that they count for."""
    groups: dict[str, dict[str, int]] = {}
    for one in facts:
        groups.setdefault(" and ".join(one["counts_as"]), {})[one["type"]] = one["count"]
    others = groups.pop("", {})
    lines = [
        f"Events that count as {key}: {listed_counts(values.items())}.{_one_spelling(list(values))}"
        for key, values in groups.items()
    ]
    return (
        [*lines, f"{'Other types' if lines else 'Types'} of events: {listed_counts(others.items())}."]
        if others
        else lines
    )


def _one_spelling(names: Sequence[str]) -> str:
    if len({folded(name) for name in names}) == len(names):
        return ""
    return " Spellings that differ in case, blanks or accents count as one."
