"""What a report says first: its title, whether to use the model, and whom to contact, in business words."""

from collections.abc import Mapping
from typing import Any, Final

from model.files.names import counted
from model.task import ColumnTask, ContractTask, Task
from training.measure.measuring import BASE_RATE, display_name

RECOMMENDED: Final = 0.1  # the share of customers of which the first sentences speak


def made_title(task: Task) -> str:
    """Return a title for a study without one."""
    if isinstance(task, ColumnTask):
        return f"Which customers will have {task.column} {_values(task)}?"
    within = f"within {counted(task.horizons_days[-1], 'day')}"
    if isinstance(task, ContractTask):
        return f"Which running contracts will end {within}?"
    return f"Which customers will have {_event(task.event_types, task.outcome)} {within}?"


def of_whom(task: Task) -> str:
    """Return what tells the positive customers from others: `customers` and this."""
    if isinstance(task, ColumnTask):
        return f"with {task.column} {_values(task)}"
    if isinstance(task, ContractTask):
        return "whose contract ended"
    return f"with {_event(task.event_types, task.outcome)}"


def _values(task: ColumnTask) -> str:
    return " or ".join(f"“{value}”" for value in task.positives)


def _event(types: tuple[str, ...], outcome: str) -> str:
    names = " or ".join(f"“{name}”" for name in types)
    if outcome == "absent":
        return f"no {names} event" if names else "no event"
    return f"a {names} event" if names else "another event"


def recommendation(report: Mapping[str, Any]) -> tuple[str, str]:
    """Return the advice in a few words, and the sentence that explains it."""
    verdict = report["verdict"]
    against = "the base rate" if verdict["against"] == BASE_RATE else display_name(verdict["against"])
    if verdict["fault"]:
        return "Do not use this version.", verdict["fault"]
    if verdict["against"] == BASE_RATE and verdict["outcome"] != "beats":
        return (
            "Do not act on these probabilities.",
            "They tell these customers apart no better than chance: contact customers at random, or find "
            "data that say more about them.",
        )
    sentence = {
        "beats": f"On the test it predicts better than {against}, the best other method.",
        "equals": f"On the test {against} does as well.",
        "trails": f"On the test {against} predicts better.",
    }[verdict["outcome"]]
    return "Use it: contact the likeliest customers first.", sentence


def reach_sentences(report: Mapping[str, Any]) -> list[str]:
    """Say what contacting the likeliest customers would have reached, and how many of them are gone."""
    contacts, whom = report["contacts"], report["of_whom"]
    n, positives = contacts["customers"], contacts["positives"]
    top = next(one for one in contacts["everyone"] if one["share"] == RECOMMENDED)
    days = report["task"].get("horizons_days", [0])[-1]
    when = f" On {contacts['date']}, looking {counted(days, 'day')} ahead," if contacts["date"] else ""
    at_random = round(positives * top["customers"] / n)
    lines = [
        f"{when} the {top['customers']:,} likeliest of {n:,} customers hold {top['found']:,} of the "
        f"{positives:,} {whom}; as many customers at random would hold {at_random:,}.".strip()
    ]
    lines[0] = lines[0][0].upper() + lines[0][1:]
    if contacts["silent_days"] and contacts["silent"]:
        gone = "are gone already" if report["task"]["outcome"] == "absent" else "may be gone already"
        lines.append(
            f"Of these {top['customers']:,}, {top['silent']:,} had no event in the "
            f"{contacts['silent_days']} days before: they {gone}. The second table is of those who were "
            "still active."
        )
    return lines
