import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from model.task import ColumnTask, ContractTask, Eligible, LogTask
from tests.training.study.texts import SECTIONS, write
from training.study.sections import SplitOptions
from training.study.study import ColumnTarget, ContractTarget, read_study

CONFIGS = Path(__file__).parents[2] / "configs"
NAMES = ["churn", "oulad", "purchase", "sequences", "table"]
TEXTS = {name: (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8") for name in NAMES}
OPTIONAL = [
    (name, match)
    for name, text in TEXTS.items()
    for match in re.finditer(r"^( *)# ((\w+): \S+)(?: #.*)?$", text, re.MULTILINE)
]
WITHOUT_DEFAULT = {
    "type",
    "attributes",
    "first",
    "last",
    "time",
    "group",
    "returns",
    "allow_leaks",
    "terminal",
    "observed_until",
    "negative",
    "as_of",
    "ended_when",
    "dates",
    "test_fraction",
    "lookback_days",
    "groups",
    "changeable",
    "title",
    "threshold",
    "retention_days",
}


@pytest.mark.parametrize("name", NAMES)
def test_each_config_is_a_study_of_its_own_name(name: str) -> None:
    assert read_study(CONFIGS / f"{name}.yaml").name == name


def test_the_configs() -> None:
    churn, oulad, purchase, sequences, table = (read_study(CONFIGS / f"{name}.yaml") for name in NAMES)
    assert churn.task == LogTask(outcome="absent", horizons_days=(180,))
    assert purchase.task == LogTask(outcome="occurs", horizons_days=(30, 90, 180))
    assert churn.data == purchase.data
    assert oulad.task == ContractTask(
        ends="ended_at",
        starts="started_at",
        involuntary=("completed",),
        horizons_days=(30, 90, 170),
        eligible=Eligible(max_history_days=60),
    )
    assert table.task == ColumnTask(column="Churn", positive="Yes")
    assert sequences.task == ColumnTask(column="default", positive="1")
    heads = [study.network.head for study in (churn, oulad, purchase, sequences, table)]
    assert heads == ["mlp", "mlp", "mlp", "rnn", "mlp"]


@pytest.mark.parametrize(("name", "match"), OPTIONAL, ids=[f"{n}-{m[3]}" for n, m in OPTIONAL])
def test_a_key_behind_a_comment_sign_works_and_shows_its_default(
    tmp_path: Path, name: str, match: re.Match[str]
) -> None:
    text = TEXTS[name]
    shown = text[: match.start()] + match[1] + match[2] + text[match.end() :]
    study, other = read_study(write(tmp_path, text)), read_study(write(tmp_path, shown))
    assert (study.model_dump() == other.model_dump()) is (match[3] not in WITHOUT_DEFAULT)


def test_the_configs_explain_every_key() -> None:
    shown = set(re.findall(r"^ *(?:# )?(\w+):", "\n".join(TEXTS.values()), re.MULTILINE))
    models: list[type[BaseModel]] = [*SECTIONS.values(), ColumnTarget, ContractTarget, Eligible, SplitOptions]
    assert {key for model in models for key in model.model_fields} <= shown
