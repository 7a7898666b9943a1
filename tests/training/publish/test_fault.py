"""A version that its test speaks against is published, but does not go into service."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.cli.commands import SETTINGS, Run

STUDY = """\
name: odd
data: {customers: {path: customers.csv}}
target: {column: left, positive: 1}
split: {time: year, compare: false}
"""


def write(folder: Path, late: float) -> None:
    """Rows of ten years; in the last two the share of positives is `late`, before it is 0.2."""
    draw = np.random.default_rng(0)
    year = np.repeat(np.arange(2010, 2020), 60)
    left = draw.random(600) < np.where(year >= 2018, late, 0.2)
    lines = [f"{x:.3f},{y},{int(z)}" for x, y, z in zip(draw.normal(size=600), year, left, strict=True)]
    (folder / "customers.csv").write_text("\n".join(["x,year,left", *lines]), encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")


@pytest.mark.parametrize(
    ("late", "begins"),
    [
        (1.0, "All of 120 test examples are positive: such a test measures nothing."),
        (0.9, "The model is worse than the base rate beyond chance"),
    ],
)
def test_a_first_version_with_a_fault_is_no_champion(
    run: Run, tmp_path: Path, late: float, begins: str
) -> None:
    write(tmp_path, late)
    words = ["train", tmp_path / "study.yaml", "--registry", tmp_path / "registry", *SETTINGS]
    ran = run(*words, "--json")
    if begins.startswith("The model") and ran.status == 0:
        pytest.fail(ran.told["verdict"]["sentences"])
    assert (ran.status, ran.told["version"], ran.told["champion"]) == (3, 1, None)
    assert ran.told["verdict"]["sentences"].startswith(begins)
    assert (
        "Check the values of 'left' (target.positive), and the rows with the latest 'year'"
        in (ran.told["verdict"]["fault"])
    )


def test_the_next_version_without_a_fault_becomes_champion(run: Run, tmp_path: Path) -> None:
    write(tmp_path, 1.0)
    words = ["train", tmp_path / "study.yaml", "--registry", tmp_path / "registry", *SETTINGS]
    ran = run(*words)
    assert ran.status == 3
    assert "In service is no version; `propense promote odd 1` changes that\nNot fit for service: " in ran.out
    write(tmp_path, 0.2)
    sound = run(*words, "--json")
    assert (sound.status, sound.told["version"], sound.told["champion"]) == (0, 2, 2)
