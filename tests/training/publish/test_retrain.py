"""`propense retrain`: a challenger goes into service on evidence; the registry is whole whatever happens."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from model.predictor import load_predictor
from model.store.checkpoint import read_checkpoint
from model.store.registry import Registry
from tests.model.stored import seal_again
from tests.training.cli.commands import SETTINGS, Ran, Run
from tests.training.shops import LOG, SMALL, TABLE, Published, log_shop, table_shop
from training.publish import retrain as retraining
from training.run.run import run_study
from training.study.study import ContractTarget, LogTarget, read_study

EPOCHS = "fit.epochs=12"
QUICK = [*SETTINGS, "--set", EPOCHS]
# The cnn head has no second teacher, which would make up for it.
CRIPPLED = ["--set", "network.head=cnn", "--set", "fit.epochs=1", "--set", "fit.learning_rate=0.000001"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 600 customers, and their model in `registry`; copied by each test that changes it."""
    folder = tmp_path_factory.mktemp("retrain")
    shop = table_shop(folder, 600)
    shop.study_file(TABLE)
    study = shop.study(TABLE, EPOCHS)
    retraining.retrain(study, Registry(folder / "registry"))
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "shop"))


def retrain(run: Run, folder: Path, *words: str) -> Ran:
    return run("retrain", folder / "study.yaml", "--registry", folder / "registry", *QUICK, *words)


def stored(folder: Path, version: int) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The decision in the report and in the manifest of a version."""
    home = folder / "registry" / "table" / str(version)
    report = json.loads((home / "report.json").read_text(encoding="utf-8"))
    return report["decision"], read_checkpoint(home).manifest.provenance["decision"]


def everything(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_challenger_of_more_customers_is_promoted(run: Run, tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 240)
    shop.study_file(TABLE)
    first = retrain(run, tmp_path, *CRIPPLED, "--json")
    assert (first.status, first.told["version"], first.told["champion"]) == (0, 1, 1)
    table_shop(tmp_path, 900)
    ran = retrain(run, tmp_path, "--json")
    assert (ran.status, ran.err) == (0, "")
    told, decision = ran.told, ran.told["decision"]
    assert told.items() >= {"name": "table", "version": 2, "champion": 2, "promoted": True}.items()
    assert (told["dry_run"], told["folder"]) == (False, str(tmp_path / "registry" / "table" / "2"))
    assert (decision["promoted"], decision["forced"]) == (True, False)
    assert (decision["champion"], decision["champion_was"]) == (2, 1)
    assert decision["log_loss"]["high"] < 0
    assert decision["auc"]["difference"] > 0
    assert decision["reason"].startswith("Promoted: its log loss on ")
    assert 100 < decision["compared"]["examples"] <= told["split"]["test"] == 180
    assert stored(tmp_path, 2) == (decision, decision)
    assert Registry(tmp_path / "registry").champion("table") == 2
    page = (tmp_path / "registry" / "table" / "2" / "report.html").read_text(encoding="utf-8")
    assert page.index('class="advice') < page.index("Champion and challenger")
    assert "Promoted: its log loss on " in page


def test_a_second_run_on_the_same_files_is_equal(run: Run, folder: Path) -> None:
    ran = retrain(run, folder)
    assert (ran.status, ran.err) == (0, "")
    assert "is equal within chance" in ran.out.splitlines()[-2]
    assert ran.out.splitlines()[-1] == f"table version 2 -> {folder}/registry/table/2/report.html"
    cells = {row[0]: row[1:] for row in ran.columns}  # and of the comparison behind it
    for name in ("AUC", "Log loss", "Calibration error"):
        champion, challenger, *difference = cells[name]
        assert champion == challenger
        assert difference == ["+0.0000"] * 3
    assert Registry(folder / "registry").champion("table") == 2


def test_a_worse_challenger_is_kept_and_the_champion_stays_in_service(run: Run, folder: Path) -> None:
    ran = retrain(run, folder, *CRIPPLED, "--json")
    assert (ran.status, ran.err) == (3, "")
    told, decision = ran.told, ran.told["decision"]
    assert (told["version"], told["champion"], told["promoted"]) == (2, 1, False)
    assert (decision["promoted"], decision["champion"], decision["champion_was"]) == (False, 1, 1)
    assert decision["log_loss"]["low"] > 0
    assert decision["reason"].startswith("Version 1 stays in service: its log loss on ")
    assert stored(folder, 2) == (decision, decision)
    assert Registry(folder / "registry").champion("table") == 1
    load_predictor(folder / "registry" / "table" / "1")
    compared = run("compare", "table", 1, 2, "--registry", folder / "registry", "--json").told
    assert compared["log_loss"] == ran.told["decision"]["log_loss"]
    assert compared["reason"].startswith("Version 2 is worse than version 1: log loss 0.")
    assert " of version 2's 120 test examples" in compared["compared"]["sentence"]
    shown = run("compare", "table", 2, 1, "--registry", folder / "registry")
    assert shown.out.splitlines()[-1].startswith("Version 1 is better than version 2: ")
    assert run("compare", "table", 2, 2, "--registry", folder / "registry").status == 1


def test_force_promotes_against_the_evidence(run: Run, folder: Path) -> None:
    ran = retrain(run, folder, *CRIPPLED, "--force", "--json")
    decision = ran.told["decision"]
    assert (ran.status, ran.told["champion"], ran.told["promoted"]) == (0, 2, True)
    assert (decision["promoted"], decision["forced"]) == (True, True)
    assert decision["log_loss"]["low"] > 0
    assert decision["reason"].startswith("Promoted by force: its log loss on ")
    assert Registry(folder / "registry").champion("table") == 2


def test_a_dry_run_changes_nothing(run: Run, folder: Path) -> None:
    before = everything(folder)
    ran = retrain(run, folder, "--dry-run", "--json")
    assert (ran.status, ran.told["promoted"], ran.told["dry_run"]) == (0, True, True)
    assert (ran.told["version"], ran.told["champion"], ran.told["folder"]) == (None, 1, None)
    assert ran.told["decision"]["champion"] == ran.told["decision"]["champion_was"] == 1
    plain = retrain(run, folder, *CRIPPLED, "--dry-run")
    assert plain.status == 3
    assert "Version 1 stays in service: " in plain.out.splitlines()[-2]
    assert plain.out.splitlines()[-1] == "Dry run: nothing was published or promoted."
    assert everything(folder) == before


def test_without_a_champion_the_challenger_becomes_it(run: Run, tmp_path: Path) -> None:
    table_shop(tmp_path, 150).study_file(TABLE)
    dry = retrain(run, tmp_path, "--dry-run", "--json")
    assert (dry.status, dry.told["promoted"], dry.told["champion"]) == (0, True, None)
    assert not (tmp_path / "registry").exists()
    ran = retrain(run, tmp_path, "--json")
    assert (ran.status, ran.told["version"], ran.told["champion"]) == (0, 1, 1)
    assert ran.told["decision"]["reason"] == "Promoted: table had no champion."
    assert ran.told["decision"]["compared"] is None
    assert stored(tmp_path, 1)[1] == ran.told["decision"]
    (tmp_path / "registry" / "table" / "champion").unlink()
    again = retrain(run, tmp_path, "--json")
    assert (again.status, again.told["version"], again.told["champion"]) == (0, 2, 2)
    assert Registry(tmp_path / "registry").champion("table") == 2


def test_training_decides_nothing(run: Run, folder: Path) -> None:
    words = ["train", folder / "study.yaml", "--registry", folder / "registry", *QUICK]
    assert run(*words, "--json").told["decision"] is None
    assert all(decision is None for decision in stored(folder, 2))
    assert "challenger" not in (folder / "registry" / "table" / "2" / "report.html").read_text(
        encoding="utf-8"
    )


UNFIT = {
    "another question": (
        "target.positive=No",
        "both models must have the same target, got another one than version 1: positive 'Yes' is now 'No'.",
    ),
    "a column is gone": (
        "data.customers.exclude=[tenure]",
        "the data must have the fields of version 1: the data must have the columns ['tenure'] of the model",
    ),
    "another seed": (
        "split.seed=2",
        "a comparison must have 10 examples of each outcome, of several customers, that neither model",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_cannot_be_compared_is_refused_before_anything_is_fitted(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    setting, why = UNFIT[case]
    before = everything(folder)
    with monkeypatch.context() as patched:
        patched.setattr(retraining, "run_study", lambda *_, **__: pytest.fail("a model was fitted"))
        ran = retrain(run, folder, "--set", setting, "--json")
    assert ran.status == 1
    assert ran.told["error"].startswith(
        f"the challenger cannot be compared with the champion, version 1: {why}"
    )
    assert ran.told["error"].endswith(
        "Nothing was trained. --force promotes the challenger uncompared; `propense train` publishes it "
        "unpromoted."
    )
    assert everything(folder) == before


def test_force_promotes_what_cannot_be_compared(run: Run, folder: Path) -> None:
    setting, why = UNFIT["another question"]
    forced = retrain(run, folder, "--set", setting, "--force", "--json")
    decision = forced.told["decision"]
    assert (forced.status, forced.told["champion"], decision["forced"]) == (0, 2, True)
    assert decision["reason"].startswith(f"Promoted by force, uncompared: {why}")
    assert decision["compared"] is decision["log_loss"] is None


def test_a_champion_without_a_record_or_damaged_is_refused(run: Run, folder: Path) -> None:
    champion = folder / "registry" / "table" / "1"
    seal_again(champion, lambda fields: fields["provenance"].pop("held_out"))
    assert "have a record of its held-out customers" in retrain(run, folder, "--json").told["error"]
    data = (champion / "measured.json").read_bytes()
    (champion / "measured.json").write_bytes(data.replace(b"0", b"1", 1))
    assert "measured.json is damaged" in retrain(run, folder, "--json").told["error"]
    assert retrain(run, folder, "--force").status == 0
    assert Registry(folder / "registry").champion("table") == 2


def test_a_champion_that_changes_meanwhile_is_not_replaced(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(folder / "registry")
    registry.publish("table", lambda folder, _: (folder / "as-if").touch())

    def meanwhile(*words: Any, **options: Any) -> Any:
        registry.promote("table", 2)
        return run_study(*words, **options)

    monkeypatch.setattr(retraining, "run_study", meanwhile)
    ran = retrain(run, folder, "--json")
    assert (ran.status, ran.told) == (
        1,
        {
            "error": "the champion of table must stay the same while a challenger is trained, got a change "
            "from version 1 to 2. Retrain to compare with the new champion."
        },
    )
    assert (registry.versions("table"), registry.champion("table")) == ([1, 2], 2)


class Killed(BaseException):
    """What no handler expects."""


def test_an_end_between_publishing_and_promoting_leaves_the_champion(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def promote(*_: Any) -> None:
        raise Killed

    registry, study = Registry(folder / "registry"), read_study(folder / "study.yaml", [*SMALL, EPOCHS])
    monkeypatch.setattr("model.store.registry.add_champion", promote)
    with pytest.raises(Killed):
        retraining.retrain(study, registry)
    monkeypatch.undo()
    assert (registry.versions("table"), registry.champion("table")) == ([1, 2], 1)
    for version in (1, 2):
        load_predictor(registry.folder("table", version))
    registry.promote("table", 2)


def test_a_log_is_compared_at_its_newest_test_date(run: Run, tmp_path: Path) -> None:
    log_shop(tmp_path, 250).study_file(LOG)
    short = ["--set", "fit.epochs=1", "--set", "split.test_fraction=0.4", "--set", "fit.refit=false"]
    assert retrain(run, tmp_path, *short, "--set", "target.cutoffs.last=2022-06-10").status == 0
    told = retrain(run, tmp_path, *short, "--dry-run", "--json").told
    compared = told["decision"]["compared"]
    assert (compared["horizon"], compared["test_dates"]) == ("30", ["2022-07-31"])
    assert 0 < compared["examples"] < told["split"]["test"]  # customers unseen by both
    assert "was trained on other customers at the same dates" not in compared["sentence"]


def test_help_tells_the_exit_status(run: Run) -> None:
    told = " ".join(run("retrain", "--help").out.split())
    assert "3 the champion stays" in told


def test_what_the_study_leaves_open_stays_as_it_was_for_the_champion(
    log_model: Published, contract_model: Published
) -> None:
    """Else a few more events could make another question of the same study."""
    study = log_model.study
    assert isinstance(study.target, LogTarget)
    assert study.target.terminal is None
    settled = retraining._settled(study, log_model.trained.folder)
    assert isinstance(settled.target, LogTarget)
    assert settled.target.terminal is False
    assert settled.base == study.base
    other = study.model_copy(update={"target": study.target.model_copy(update={"event": "visit"})})
    assert retraining._settled(other, log_model.trained.folder) == other
    assert isinstance(contract_model.study.target, ContractTarget)
    assert contract_model.study.target.starts is None
    settled = retraining._settled(contract_model.study, contract_model.trained.folder)
    assert isinstance(settled.target, ContractTarget)
    assert settled.target.starts == "joined"
