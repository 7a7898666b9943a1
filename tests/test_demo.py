"""What the README says of the demo is what the demo's study gives today."""

import re
from pathlib import Path

import pytest

from model.store.registry import Registry
from training.measure.measuring import display_name
from training.publish.publish import train
from training.study.study import read_study

ROOT = Path(__file__).resolve().parents[1]
ROW = re.compile(r"^│(\w[^│]*?) *│ *(?:[\d.]+│ *){3}([\d.]+)│", re.MULTILINE)


@pytest.mark.heavy
def test_the_recommendation_and_the_order_of_the_models_are_those_of_the_readme(tmp_path: Path) -> None:
    shown = (
        (ROOT / "README.md").read_text(encoding="utf-8").partition("The demo prints")[2].partition("POST")[0]
    )
    shown = re.sub(r"│gradient (.*)\n│boosting.*", r"│gradient boosting \1", shown)  # two lines of one cell
    report = train(read_study(ROOT / "configs" / "churn.yaml"), Registry(tmp_path)).report
    losses = {display_name(name): one["log_loss"] for name, one in report["metrics"]["180"].items()}
    order = sorted(losses, key=lambda name: losses[name])
    assert order == [name for name, _ in sorted(ROW.findall(shown), key=lambda row: float(row[1]))]
    recommended = report["verdict"]["sentences"].partition(":")[0]
    assert f"{recommended}: " in " ".join(shown.split())
