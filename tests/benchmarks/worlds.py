"""Cases of little shops, for the tests of the benchmarks."""

from pathlib import Path
from typing import Any

import yaml

from tests.benchmarks.quality.cases import Case, read_case
from tests.training.shops import CONTRACT_LOG, LOG, SMALL, TABLE

CUT = "2022-07-20"  # of logs that end on 2022-08-31


def table_case(folder: Path) -> Case:
    """A small study of a `table_shop` in the folder."""
    return _case(folder, "people", TABLE, kind="table")


def log_case(folder: Path, **more: Any) -> Case:
    """Likewise of a `log_shop`."""
    return _case(folder, "buyers", LOG, kind="log", cuts=[CUT], **more)


def contract_case(folder: Path) -> Case:
    """Likewise of a `contract_shop`."""
    return _case(folder, "members", CONTRACT_LOG, kind="log", cuts=[CUT])


def _case(folder: Path, name: str, text: str, **more: Any) -> Case:
    study = yaml.safe_load(text)
    for setting in SMALL:
        key, value = setting.split("=")
        section, field = key.split(".")
        study.setdefault(section, {})[field] = yaml.safe_load(value)
    cases = folder / "cases"
    cases.mkdir(exist_ok=True)
    (cases / f"{name}.yaml").write_text(yaml.safe_dump({**more, "study": study}))
    return read_case(cases / f"{name}.yaml")
