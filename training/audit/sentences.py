"""The facts of an audit in plain sentences, for the terminal and the report."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from model.files.names import counted


def audit_sentences(facts: Mapping[str, Any]) -> list[str]:
    """What the data look like, who is asked about, and how they were split.

    Args:
        facts: `training.audit.audit.Audit.facts`, fresh or read back from report.json.
    """
    zone = facts["time_zone"]
    told = [f"{counted(facts['customers'], 'customer')}. Times without an offset are read in {zone}."]
    if facts["log"]:
        told += _log(facts["log"])
    told += facts.get("understood", [])
    if "rate" in facts:
        told.append(f"{facts['positives']:,} of {facts['rows']:,} rows are positive ({facts['rate']:.1%}).")
    else:
        told += _population(facts)
    n = facts["examples"]
    told.append(
        f"Split: {facts['split']}. Examples: {n['train']:,} to train, {n['judged']:,} of them to stop "
        f"early and to calibrate, {n['test']:,} to test."
    )
    return told


def shown_horizons(names: Sequence[str]) -> list[str]:
    """The horizons that fit on a line: all of a few, else the shortest, the middle and the longest."""
    return list(names) if len(names) <= 3 else [names[0], names[len(names) // 2], names[-1]]


def _log(log: Mapping[str, Any]) -> list[str]:
    repeat = "repeats" if log["duplicate_events"] == 1 else "repeat"
    told = [
        f"{counted(log['events'], 'event')} from {log['first_event']} to {log['last_event']}; "
        f"{log['duplicate_events']:,} {repeat} an earlier one in every field that is read."
    ]
    told += [
        f"No event of anybody for {g['days']:,} days, between {g['after']} and {g['before']}."
        for g in log["gaps"]
    ]
    return told


def _population(facts: Mapping[str, Any]) -> list[str]:
    told, log, cutoffs = [], facts["log"], facts["cutoffs"]
    observed = facts["observed_from"], facts["observed_until"]
    if not log or observed != (log["first_event"], log["last_event"]):
        told.append("Observed from {} to {}.".format(*observed))
    told += _not_asked(facts["never_asked"], cutoffs)
    told += _masked(cutoffs)
    told += _drift(cutoffs)
    if facts["came_back"]:
        told.append(_came_back(facts["came_back"]))
    return told


def _not_asked(never: Mapping[str, Any], cutoffs: Sequence[Mapping[str, Any]]) -> list[str]:
    told = []
    if n := never["customers"]:
        are = "is" if n == 1 else "are"
        told.append(
            f"{counted(n, 'customer')} {are} asked about at no cutoff; at the latest: "
            f"{_tally(never['reasons'])}."
        )
    reasons: Counter[str] = Counter()
    for row in cutoffs:
        reasons.update(row["refused"])
    if reasons:
        told.append(f"Not asked, over all {counted(len(cutoffs), 'cutoff')}: {_tally(reasons)}.")
    return told


def _tally(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} ({n:,})" for reason, n in reasons.items())


def _masked(cutoffs: Sequence[Mapping[str, Any]]) -> list[str]:
    masked: Counter[str] = Counter()
    for row in cutoffs:
        masked.update(row["masked"])
    told = [f"{masked[name]:,} by {name} days" for name in shown_horizons(list(masked))]
    if not any(masked.values()):
        return []
    return [
        f"Examples whose window is not known (not over, or the customer left in the gap): {', '.join(told)}."
    ]


def _drift(cutoffs: Sequence[Mapping[str, Any]]) -> list[str]:
    """How the share of positives by the longest horizon moves."""
    longest = max((int(name) for row in cutoffs for name in row["rates"]), default=0)
    rates = {row["cutoff"]: row["rates"][str(longest)] for row in cutoffs if str(longest) in row["rates"]}
    if len(rates) < 2:
        return []
    (first, *_, last), shares = rates, rates.values()
    return [
        f"Positive by {longest} days: {rates[first]:.1%} at {first}, {rates[last]:.1%} at {last}; at every "
        f"cutoff from {min(shares):.1%} to {max(shares):.1%}."
    ]


def _came_back(back: Mapping[str, Any]) -> str:
    span = f"{back['within_days']:,} days, twice the longest horizon"
    if not back["left"]:
        return f"Nobody who counts as gone was observed for {span}: how many come back is not known."
    return (
        f"Of {back['left']:,} {back['of']} that count as gone, {back['back']:,} ({back['share']:.1%}) were "
        f"back within {span}."
    )
