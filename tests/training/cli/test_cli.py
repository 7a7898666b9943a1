"""Commands that write: a refusal publishes nothing and says all that is wrong."""

from pathlib import Path

import pytest

from model.store.checkpoint import read_checkpoint
from model.store.registry import Registry
from tests.training.cli.commands import SETTINGS, Run
from tests.training.shops import TABLE, table_shop


def test_training_twice_makes_two_versions_and_the_first_stays_in_service(run: Run, tmp_path: Path) -> None:
    study, root = table_shop(tmp_path, 120).study_file(TABLE), tmp_path / "models"
    train = ["train", study, "--registry", root, *SETTINGS]
    first = run(*train)
    assert (first.status, first.err) == (0, "")
    assert 'Will churn of a customer be "Yes"?' in first.out
    assert "Split: tested on 20% of the rows, stratified by the label" in first.out
    rows = {cells[0]: cells for cells in first.cells}
    assert list(rows) == ["model", "95 %", "gradient boosting", "base rate"]
    assert f"table version 1 -> {root / 'table' / '1'}/report.html" in first.out.splitlines()
    assert "In service is version" not in first.out
    second = run(*train)
    assert "In service is version 1; `propense promote table 2` changes that" in second.out.splitlines()
    third = run(*train, "--json")
    assert third.told.items() >= {"name": "table", "version": 3, "champion": 1}.items()
    assert third.told["folder"] == str(root / "table" / "3")
    assert f"{third.told['metrics']['label']['model']['auc']:.4f}" == rows["model"][1]
    assert third.told["verdict"]["sentences"] in first.out.splitlines()
    assert third.told["metrics"] == read_checkpoint(root / "table" / "3").manifest.metrics
    (listed,) = run("models", "--registry", root, "--json").told["models"]
    assert (listed["name"], listed["versions"], listed["champion"]) == ("table", [1, 2, 3], 1)
    assert f"{listed['figures'][0]['auc']:.4f}" == rows["model"][1]
    assert run("delete", "table", 1, "--registry", root).status == 1
    assert run("delete", "table", 2, "--registry", root, "--json").told == {"name": "table", "deleted": [2]}
    assert run("prune", "table", "--keep", 1, "--registry", root).out == "table: removed no version\n"


def test_a_key_of_the_study_is_overruled(run: Run, tmp_path: Path) -> None:
    study = table_shop(tmp_path, 120).study_file(TABLE)
    told = run(
        "train", study, "--registry", tmp_path / "r", *SETTINGS, "--set", "network.width=12", "--json"
    ).told
    assert told["study"]["network"]["width"] == 12
    assert told["fit"]["epochs"] == 4


def test_a_learning_curve_is_drawn_on_request(run: Run, tmp_path: Path) -> None:
    study = table_shop(tmp_path, 120).study_file(TABLE)
    words = ["train", study, "--registry", tmp_path / "r", *SETTINGS, "--set", "fit.refit=false"]
    told = run(*words, "--learning-curve", "--json").told
    assert [point["share"] for point in told["learning_curve"]] == [0.125, 0.25, 0.5, 1.0]
    assert told["learning_conclusion"].startswith(
        "The last doubling of the customers changed the log loss by "
    )
    shown = run(*words, "--learning-curve")
    assert told["learning_conclusion"] in shown.out.splitlines()
    assert [cells[0] for cells in shown.cells][-4:] == ["12.5%", "25.0%", "50.0%", "100.0%"]
    without = run(*words, "--json").told
    assert (without["learning_curve"], without["learning_conclusion"]) == ([], "")


def test_a_column_that_states_the_label_is_refused_and_nothing_is_published(run: Run, tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 120)
    for row, left in zip(shop.customers, shop.churned, strict=True):
        row["goodbye"] = 1.0 if left else 0.0
    shop.save_table()
    words = ["train", shop.study_file(TABLE), "--registry", tmp_path / "r", *SETTINGS]
    refused = run(*words, "--json")
    assert refused.status == 1
    assert refused.told["error"].startswith("a column must not reveal the label, got ")
    assert "- goodbye: " in refused.told["error"]
    assert not (tmp_path / "r").exists()
    allowed = run(*words, "--set", "allow_leaks=[goodbye]")
    assert allowed.status == 0
    assert "WARNING goodbye: " in allowed.out


def test_a_bad_study_is_refused_with_all_its_faults_and_nothing_is_published(
    run: Run, tmp_path: Path
) -> None:
    text = TABLE.replace("id: id", "idd: id").replace("column: churn", "column: [churn]")
    study = table_shop(tmp_path, 60).study_file(text)
    words = ["train", study, "--registry", tmp_path / "r", "--set", "fit.epochs=0"]
    plain, as_json = run(*words), run(*words, "--json")
    faults = [
        'study.yaml:3: data.customers.idd: unknown key; did you mean "id"?',
        'study.yaml:4: target.column: must be text (in quotes if needed), got ["churn"]',
        "--set fit.epochs: must be greater than 0, got 0",
    ]
    assert (plain.status, plain.out) == (1, "")
    assert plain.err.removeprefix("propense: ").splitlines() == faults
    assert as_json.status == 1
    assert as_json.told == {"error": "\n".join(faults)}
    assert not (tmp_path / "r").exists()


def test_data_that_cannot_be_used_are_refused_and_nothing_is_published(run: Run, tmp_path: Path) -> None:
    study = table_shop(tmp_path, 60).study_file(TABLE)
    ran = run("train", study, "--registry", tmp_path / "r", "--set", "target.column=gone", "--json")
    assert ran.status == 1
    assert ran.told["error"].startswith(
        "the customer table has no column 'gone'; its columns are 'id', 'tenure'"
    )
    assert ran.err == f"propense: {ran.told['error']}\n"
    assert not (tmp_path / "r").exists()


def test_promote_and_rollback(run: Run, registry: Path) -> None:
    promoted = run("promote", "table", 2, "--registry", registry)
    assert (promoted.status, promoted.out) == (0, "table: version 2 is champion; a running service follows\n")
    assert Registry(registry).champion("table") == 2
    back = run("rollback", "table", "--registry", registry, "--json")
    assert (back.status, back.told) == (0, {"name": "table", "champion": 1})
    assert Registry(registry).champion("table") == 1
    once_more = run("rollback", "table", "--registry", registry)
    assert (once_more.status, once_more.out) == (1, "")
    assert once_more.err.startswith("propense: table had no champion before version 1. To change it, run")
    assert Registry(registry).champion("table") == 1


def test_a_version_that_is_not_there_is_not_promoted(run: Run, registry: Path) -> None:
    ran = run("promote", "table", 7, "--registry", registry, "--json")
    assert (ran.status, ran.told) == (1, {"error": "table has no version 7; it has [1, 2]"})
    assert Registry(registry).champion("table") == 1


def test_models_are_listed(run: Run, registry: Path) -> None:
    ran = run("models", "--registry", registry)
    assert ran.status == 0
    assert [(cells[0], cells[2], cells[-1]) for cells in ran.cells] == [
        ("1", "mlp", "champion"),
        ("1", "mlp", "champion"),
        ("2", "", ""),
    ]
    assert ran.cells[-1][-2] == "damaged"
    assert "manifest.json cannot be read" in ran.out


def test_the_registry_is_that_of_the_environment(
    run: Run, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROPENSE_REGISTRY", str(registry))
    assert len(run("models", "--json").told["models"]) == 2


def test_simulate_writes_a_shop_once(run: Run, tmp_path: Path) -> None:
    words = ["simulate", "--customers", 30, "--out", tmp_path / "shop", "--seed", 1]
    told = run(*words, "--json").told
    assert told.keys() == {"customers", "events", "asked", "as_of", "left", "purchased", "out"}
    assert (told["customers"], told["as_of"]) == (30, "2024-10-02")
    text = (tmp_path / "shop" / "events.csv").read_text()
    assert text.count("\n") == told["events"] + 1
    again = run(*words)
    assert (again.status, again.out) == (1, "")
    assert "--force" in again.err or "force" in again.err
    forced = run(*words, "--force")
    assert forced.status == 0
    assert forced.out == (
        f"30 customers with {told['events']:,} events -> {tmp_path / 'shop'}; truth as of 2024-10-02\n"
    )
    assert (tmp_path / "shop" / "events.csv").read_text() == text
