"""`propense score` and `propense evaluate`."""

import csv
from pathlib import Path

import pytest

from tests.training.cli.commands import Run
from tests.training.shops import Published


def probabilities(path: Path) -> dict[str, float]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["customer_id"]: float(row["probability"]) for row in csv.DictReader(file)}


@pytest.mark.parametrize("name", ["table", "log"])
def test_scoring_without_files_uses_the_study_s_own(
    run: Run,
    name: str,
    request: pytest.FixtureRequest,
    registry: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model: Published = request.getfixturevalue(f"{name}_model")
    monkeypatch.chdir("/")
    told = run("score", name, "--out", tmp_path / "own.csv", "--registry", registry, "--json").told
    n = len(model.shop.customers)
    assert told == {
        "name": name,
        "version": 1,
        "as_of": model.predictor.manifest.provenance["data_end"],
        "as_of_from": "the end of the log" if name == "log" else "the day that training dated this table by",
        "rows": n,
        "out": str(tmp_path / "own.csv"),
        "notes": told["notes"],
    }
    known = (
        "no category that training knew",
        "the model does not read",
        "found no event of",
        "beyond what training saw",
    )
    assert all(any(text in note for text in known) for note in told["notes"])
    files = ["--customers", model.shop.folder / "customers.csv"]
    files += ["--events", model.shop.folder / "events.csv"] if name == "log" else []
    out = ["--out", tmp_path / "named.csv", "--registry", registry]
    ran = run("score", name, *out, *files, "--as-of", told["as_of"], "--version", 1, "--device", "cpu")
    line = f"{n} rows scored as of {told['as_of']} (--as-of) -> {tmp_path / 'named.csv'}\n"
    notes = "".join(f"Note: {note}\n" for note in told["notes"])
    assert (ran.status, ran.out, ran.err) == (0, line + notes, "")
    assert probabilities(tmp_path / "own.csv") == probabilities(tmp_path / "named.csv")


def test_as_of_moves_the_question(run: Run, registry: Path, tmp_path: Path) -> None:
    for name, options in (("then", ["--as-of", "2022-07-01"]), ("now", [])):
        ran = run(
            "score", "log", "--out", tmp_path / f"{name}.csv", "--registry", registry, *options, "--json"
        )
        assert ran.told["as_of"].startswith({"then": "2022-07-01", "now": "2022-08-30T"}[name])
    assert probabilities(tmp_path / "then.csv") != probabilities(tmp_path / "now.csv")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--as-of", "soon"], "a time must have ISO 8601 such as 1997-03-01, got 'soon'"),
        (["--version", "7"], "table has no version 7; it has [1, 2]"),
        (["--version", "2"], "manifest.json cannot be read"),
        (["--device", "abacus"], "device must be one of auto, "),
        (["--customers", "nowhere.csv"], "nowhere.csv must be a file, got a path where there is none"),
        (["--out", "out.txt"], "--out must end in one of .csv, .parquet, .ndjson, .arrows, got 'out.txt'"),
        (
            ["--registry", "nowhere"],
            "there is no registry at nowhere. `propense train STUDY.yaml` makes one.",
        ),
    ],
    ids=["time", "version", "damaged", "device", "customers", "out", "registry"],
)
def test_a_score_that_is_refused_says_why_and_writes_nothing(
    run: Run,
    registry: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    text: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    ran = run("score", "table", "--out", "out.csv", "--registry", registry, *words, "--json")
    assert ran.status == 1
    assert text in ran.told["error"]
    assert ran.err == f"propense: {ran.told['error']}\n"
    assert sorted(tmp_path.iterdir()) == before


def test_a_name_that_is_nearly_right_is_suggested(run: Run, registry: Path) -> None:
    ran = run("evaluate", "tabel", "--registry", registry)
    assert ran.status == 1
    assert ran.err == (
        f"propense: the registry {registry} has no model tabel; it has log, table; did you mean table?\n"
    )


def test_evaluating_shows_the_figures_of_the_training(run: Run, registry: Path, log_model: Published) -> None:
    told = run("evaluate", "log", "--registry", registry, "--json").told
    assert told == {
        "name": "log",
        "version": 1,
        "source": "training",
        "metrics": log_model.predictor.manifest.metrics,
        "fairness": None,
    }
    plain = run("evaluate", "log", "--registry", registry)
    assert plain.out.startswith("log version 1, measured on customers held out in training\n10 days: ")


def test_evaluating_on_files_measures_anew(run: Run, registry: Path, log_model: Published) -> None:
    folder = log_model.shop.folder
    files = ["--customers", folder / "customers.csv", "--events", folder / "events.csv"]
    words = ["evaluate", "log", "--registry", registry, *files, "--as-of", "2022-06-01"]
    told = run(*words, "--json").told
    assert (told["source"], told["as_of"]) == ("files", "2022-06-01")
    assert told["metrics"]["30"]["model"]["n"] > log_model.trained.report["split"]["test"]
    assert run(*words).out.startswith("log version 1, measured on the files as of 2022-06-01\n")
    alone = ["evaluate", "log", "--registry", registry, *files[2:], "--as-of", "2022-06-01"]
    assert run(*alone, "--json").told["metrics"] == told["metrics"]
    note = f"Note: the customers are those of the study: {folder / 'customers.csv'}.\n"
    assert note in run(*alone).out


def test_a_log_alone_is_scored_with_the_customers_of_the_study(
    run: Run, registry: Path, log_model: Published, tmp_path: Path
) -> None:
    words = ["score", "log", "--registry", registry, "--events", log_model.shop.folder / "events.csv"]
    ran = run(*words, "--out", tmp_path / "alone.csv")
    assert "Note: the customers are those of the study: " in ran.out
    run("score", "log", "--registry", registry, "--out", tmp_path / "own.csv")
    assert probabilities(tmp_path / "alone.csv") == probabilities(tmp_path / "own.csv")
