"""Findings of one kind are one paragraph with one line to write; a single finding stays as it is."""

from dataclasses import asdict

import yaml

from training.audit.findings import Finding, Level, exclude_line, grouped, remedy, yaml_list

NAMES = ["a", "yes", "c, [d]", 'e "f"', "Straße: g"]


def leak(name: str, probe: str = "one_class", level: Level = "leak") -> dict[str, object]:
    return asdict(Finding(probe, level, name, f"{name!r} is filled.", remedy(level, name)))


def test_columns_of_one_kind_are_one_group_with_a_line_to_write() -> None:
    [group] = grouped(leak(name) for name in NAMES)
    assert group.columns == tuple(NAMES)
    assert group.evidence == (
        "'a' is filled. 'yes' is filled. 'c, [d]' is filled. The same holds for 'e \"f\"', 'Straße: g'."
    )
    assert group.advice.count(yaml_list(NAMES)) == 2
    assert exclude_line(NAMES) in group.advice


def test_other_kinds_and_levels_are_other_groups_in_their_order() -> None:
    rows = asdict(Finding("row_order", "warning", None, "Sorted.", "Shuffle."))
    found = [leak("a"), leak("b", "states_the_label"), leak("c"), leak("a", level="warning"), rows]
    groups = grouped(found)
    assert [(g.level, g.columns) for g in groups] == [
        ("leak", ("a", "c")),
        ("leak", ("b",)),
        ("warning", ("a",)),
        ("warning", ()),
    ]
    assert (groups[-1].evidence, groups[-1].advice) == ("Sorted.", "Shuffle.")
    assert groups[1].advice == found[1]["advice"]


def test_a_list_is_read_back_from_one_line() -> None:
    text = yaml_list(NAMES * 20)
    assert "\n" not in text
    assert yaml.safe_load(text) == NAMES * 20
