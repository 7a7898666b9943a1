"""`propense explain`: the reasons of one customer on a terminal and as JSON."""

import json
from pathlib import Path

import pytest

from tests.training.cli.commands import Run


def test_all_reasons_of_a_customer_of_a_log_sum_to_its_probability(run: Run, registry: Path) -> None:
    said = json.loads(run("explain", "log", "--customer", "0003", "--registry", registry, "--json").out)
    total = said["base_logit"] + sum(reason["logit"] for reason in said["reasons"])
    assert total == pytest.approx(said["logit"], abs=1e-6)
    assert said["horizon_days"] == 30
    change = said["change"]
    assert change["logit"] == said["logit"]
    assert change["base_logit"] + sum(r["logit"] for r in change["reasons"]) == pytest.approx(said["logit"])


def test_the_terminal_has_80_columns_of_it(run: Run, registry: Path) -> None:
    options = ["--since", "2022-06-01", "--as-of", "2022-07-01", "--horizon", 10, "--registry", registry]
    ran = run("explain", "log", "--customer", "0003", *options)
    lines = [line for line in ran.out.splitlines() if not line.startswith("Note: ")]
    assert lines[0] == "log version 1: customer 0003 as of 2022-07-01"
    assert " within 10 days; a typical customer has " in lines[1]
    assert any(line.startswith("Since 2022-06-01: ") for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_customer_of_a_table_is_explained_without_a_change(run: Run, registry: Path) -> None:
    said = json.loads(run("explain", "table", "--customer", "0007", "--registry", registry, "--json").out)
    assert "change" not in said
    assert said["horizon_days"] is None


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["log", "--customer", "003"], "--customer must be in the files, got '003'; did you mean '"),
        (["table", "--customer", "0007", "--since", "2020-01-01"], "this model reads none"),
        (["log", "--customer", "0003", "--since", "2023-01-01"], "--since must name a day before"),
        (["log", "--customer", "0003", "--horizon", "11"], "the model has 10, 30"),
        (
            ["table", "--customer", "0007", "--threshold", ".3"],
            "list them under reasons.changeable, and train",
        ),
    ],
)
def test_what_cannot_be_explained_is_refused(run: Run, registry: Path, words: list[str], why: str) -> None:
    ran = run("explain", *words, "--registry", registry)
    assert ran.status
    assert why in ran.err


def test_without_a_customer_it_says_what_drives_the_model(run: Run, registry: Path) -> None:
    said = run("explain", "log", "--registry", registry, "--json").told
    assert (said["name"], said["version"]) == ("log", 1)
    lines = run("explain", "log", "--registry", registry).out.splitlines()
    assert lines[0] == f"log version 1, on {said['examples']} test examples"
    assert all(any(group["group"] in line for line in lines) for group in said["groups"])
    assert max(map(len, lines)) <= 80
    assert "needs --customer" in run("explain", "log", "--threshold", ".3", "--registry", registry).err
