import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.training.study.texts import refusal, write
from training.study.study import ColumnTarget, Study


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (
            "data: {}\ntarget: {column: a, positive: 1}",
            "data.customers: missing; the target column is read from it",
        ),
        (
            "data: {}\ntarget: {outcome: absent, horizons_days: [1]}",
            "data.events: missing; the target's outcome is compiled from it",
        ),
        (
            "data: {customers: }\ntarget: {column: a, positive: 1}",
            "data.customers: missing; the target column is read from it",
        ),
        (
            "data: {customers: {path: c, exclude: [a]}}\ntarget: {column: a, positive: 1}",
            'data.customers.exclude[0]: column "a" is already used by target.column; keep one',
        ),
        (
            "data: {customers: {path: c, id: k, exclude: [k]}}\ntarget: {column: a, positive: 1}",
            'data.customers.exclude[0]: column "k" is already used by data.customers.id; keep one',
        ),
        (
            "data: {customers: {path: c, numeric: [b], sequences: {s: [b]}}}\n"
            "target: {column: a, positive: 1}",
            'data.customers.sequences.s[0]: column "b" is already used by data.customers.numeric[0];'
            " keep one",
        ),
        (
            "data: {events: {path: e, id: k, time: t, values: [v, t]}}\n"
            "target: {outcome: absent, horizons_days: [1]}",
            'data.events.values[1]: column "t" is already used by data.events.time; keep one',
        ),
        (
            "data: {customers: {path: c}}\ntarget: {column: a, positive: 1}\nsplit: {time: b, group: c}",
            "split.group: cannot be combined with split.time; keep one of them",
        ),
        (
            "data: {customers: {path: c, exclude: [b]}}\ntarget: {column: a, positive: 1}\nsplit: {group: b}",
            'split.group: column "b" is the label or excluded, so it cannot split',
        ),
        (
            "data: {customers: {path: c}}\ntarget: {column: a, positive: 1}\nfairness: {groups: [b, a]}",
            'fairness.groups[1]: column "a" is the id or the target\'s, so it forms no groups',
        ),
        (
            "data: {events: {path: e, id: i, time: t}}\ntarget: {outcome: absent, horizons_days: [1]}\n"
            "fairness: {groups: [b]}",
            "fairness.groups[0]: needs data.customers, which has the column",
        ),
        (
            "data: {customers: {path: c}}\ntarget: {column: a, positive: 1}\nsplit: {time: a}",
            'split.time: column "a" is the label or excluded, so it cannot split',
        ),
        (
            "data: {}\ntarget: {ends: a, horizons_days: [1]}",
            "data.customers: missing; the target column is read from it",
        ),
        (
            "data: {customers: {path: c, exclude: [a]}}\ntarget: {ends: a, starts: b, horizons_days: [1]}",
            'data.customers.exclude[0]: column "a" is already used by target.ends; keep one',
        ),
        (
            "data: {customers: {path: c}}\ntarget: {ends: a, starts: a, horizons_days: [1]}",
            'target.starts: column "a" is already used by target.ends; keep one',
        ),
        (
            "data: {customers: {path: c}}\ntarget: {ends: a, horizons_days: [1]}\nsplit: {group: a}",
            'split.group: column "a" is the label or excluded, so it cannot split',
        ),
        (
            "data: {customers: {path: c}}\ntarget: {ends: a, horizons_days: [1]}\nsplit: {time: b}",
            "split.time: needs a target column; other studies are always tested on later cutoffs",
        ),
        (
            "data: {customers: {path: c}}\ntarget: {ends: a, horizons_days: [1], returns: [join]}",
            "target.returns: needs data.events, which the study does not name",
        ),
        (
            "data: {customers: {path: c}}\ntarget: {ends: a, horizons_days: [1], involuntary: [fail]}",
            "target.involuntary: needs data.events, which the study does not name",
        ),
        (
            "data: {customers: {path: c}}\ntarget: {ends: a, horizons_days: [1], eligible_within_days: 9}",
            "target.eligible_within_days: needs data.events, which the study does not name",
        ),
        (
            "data: {customers: {path: c}}\n"
            "target: {ends: a, horizons_days: [1], eligible: {min_events: 2, min_history_days: 3}}",
            "target.eligible.min_events: needs data.events, which the study does not name",
        ),
        (
            "data: {customers: {path: c, id: k}, events: {path: e, id: k, time: t}}\n"
            "target: {ends: a, horizons_days: [1], involuntary: [fail]}",
            'data.events.type: missing; target.involuntary ["fail"] is looked up in this column',
        ),
        (
            "data: {events: {path: e, id: k, time: t}}\n"
            "target: {event: [cancel, end], outcome: occurs, horizons_days: [1]}",
            'data.events.type: missing; target.event ["cancel", "end"] is looked up in this column',
        ),
        (
            "data: {events: {path: e, id: k, time: t}}\n"
            "target: {outcome: absent, horizons_days: [1]}\nsplit: {group: region}",
            "split.group: needs data.customers, which has the column",
        ),
        *(
            (
                f"data: {{events: {{path: e, id: k, time: t, type: y}}}}\n"
                f"target: {{event: {event}, outcome: {outcome}, horizons_days: [1], {key}}}",
                f"target.{key.partition(':')[0]}: needs target.event to name a terminal event type, with "
                "outcome: occurs",
            )
            for event, outcome, key in [
                ("any", "occurs", "reactivates_within_days: 3"),
                ("cancel", "absent", "returns: [join]"),
                ("cancel", "absent", "involuntary: [fail]"),
                ("any", "absent", "terminal: true"),
            ]
        ),
        (
            "data: {events: {path: e, id: k, time: t, type: y}}\n"
            "target: {event: cancel, outcome: occurs, horizons_days: [1], returns: [join], terminal: false}",
            "target.returns: needs a terminal event; leave out terminal: false",
        ),
    ],
)
def test_rules_between_sections(tmp_path: Path, lines: str, fault: str) -> None:
    (line,) = refusal(write(tmp_path, f"name: rules\n{lines}\n")).splitlines()
    assert re.sub(r"^study.yaml:\d: ", "", line) == fault


def test_rules_hold_for_a_study_made_in_code() -> None:
    with pytest.raises(ValidationError, match="the target column is read from it"):
        Study.model_validate({"name": "code", "data": {}, "target": ColumnTarget(column="a", positive="1")})


@pytest.mark.parametrize(
    ("target", "got"),
    [
        ("{}", "none of them"),
        ("{lookback_days: 3}", "none of them"),
        ("{horizons_days: [30], eligible: {}, cutoffs: {}}", "none of them"),
        ("{column: a, positive: b, outcom: occurs}", "several: column, positive, outcom"),
        ("{ends: a, horizons_days: [30], event: cancel}", "several: ends, event"),
    ],
)
def test_a_target_has_one_form(tmp_path: Path, target: str, got: str) -> None:
    assert refusal(write(tmp_path, f"name: forms\ndata: {{}}\ntarget: {target}\n")) == (
        "study.yaml:3: target: must name a column of the customer table (column, positive), an outcome of the"
        f" event log (outcome, horizons_days) or the end of a contract (ends, horizons_days), got {got}"
    )


@pytest.mark.parametrize("target", ["3", "", "[column]"])
def test_a_target_is_a_section(tmp_path: Path, target: str) -> None:
    (line,) = refusal(write(tmp_path, f"name: forms\ndata: {{}}\ntarget: {target}\n")).splitlines()
    assert line.startswith("study.yaml:3: target: must be a section of keys, got ")
