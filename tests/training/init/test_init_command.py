"""`propense init`: what it writes, where, and what it prints."""

from pathlib import Path

import pytest

from tests.training.cli.commands import Run
from training.study.study import read_study


def test_a_new_study_is_written_and_an_old_one_is_left_alone(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{n % 7},{'no' if n % 3 else 'yes'}\n" for n in range(90))
    Path("My Leads (May).csv").write_text("age,converted\n" + rows)
    ran = run("init", "My Leads (May).csv")
    assert ran.status == 0
    assert ran.out.splitlines()[-1].endswith("then: propense audit my-leads-may.yaml")
    assert read_study(Path("my-leads-may.yaml")).name == "my-leads-may"
    again = run("init", "My Leads (May).csv")
    assert (again.status, again.err.startswith("propense: my-leads-may.yaml must be a new file")) == (1, True)
    told = run("init", "My Leads (May).csv", "--name", "leads", "--out", "sub.yaml", "--json").told
    assert told["study"] == "sub.yaml"
    assert told["target"] == {"column": "converted", "positive": "yes"}
    assert run("init", *["x.csv"] * 3).status == 2
