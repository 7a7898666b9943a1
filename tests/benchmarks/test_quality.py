"""`make bench-quality` from files to tables, on little shops."""

import re
from pathlib import Path

import pytest

from tests.benchmarks.quality import ours
from tests.benchmarks.quality.__main__ import main
from tests.benchmarks.quality.records import load
from tests.benchmarks.worlds import log_case, table_case
from tests.training.cli.commands import runner
from tests.training.shops import log_shop, table_shop


class Bench:
    """A folder with data and cases, in which the command runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.raw, self.results = folder / "raw" / "quality.json", folder / "RESULTS.md"

    def __call__(self, *words: str) -> None:
        places = ("--data", str(self.folder), "--case-folder", str(self.folder / "cases"))
        main([*places, *words], raw=self.raw, results=self.results)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("tests.benchmarks.quality.__main__.CORES", 1000)  # this process keeps its cores
    return Bench(tmp_path)


@pytest.fixture
def _in_this_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run = runner(monkeypatch, capsys)
    monkeypatch.setattr(ours, "propense", lambda *words: run(*words, "--json").told)


@pytest.mark.usefixtures("_in_this_process")
def test_a_table_goes_from_its_file_to_results(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    table_shop(bench.folder, 160)
    table_case(bench.folder)
    bench("--seeds", "5", "--peers", "logistic", "pareto")
    told = capsys.readouterr()
    network, logistic, pareto = load(bench.raw)
    assert [r.model for r in (network, logistic, pareto)] == ["propense-mlp", "logistic", "pareto"]
    assert network.counts[:2] == (128, 32)
    assert network.data == logistic.data == pareto.data
    assert network.reason is None
    assert network.measures["auc"] > 0.5
    assert network.fit_seconds is not None
    assert network.wall_seconds is not None
    assert 0 < network.fit_seconds < network.wall_seconds
    assert network.published in {"mlp", "linear"}
    assert pareto.reason == "asks about repeated purchases, which this question does not"
    assert f"people, seed 5, propense-mlp: AUC {network.measures['auc']:.4f}, log loss" in told.err
    text = bench.results.read_text()
    assert '`make bench-quality DATA=FOLDER CASES="people" SEEDS="5" PEERS="logistic pareto"`' in text
    assert told.out.strip() in text
    assert str(bench.folder) not in text
    bench("--render")
    assert capsys.readouterr().out == told.out


@pytest.mark.usefixtures("_in_this_process")
def test_a_log_goes_from_its_files_to_results(bench: Bench) -> None:
    log_shop(bench.folder, 80)
    log_case(bench.folder)
    bench("--seeds", "0", "--heads", "mlp", "--peers", "none")
    (record,) = load(bench.raw)
    assert (record.model, record.kind, record.reason) == ("propense-mlp", "log", None)
    assert 0 < record.counts[2] < record.counts[1]
    assert record.measures["log_loss"] < 2
    assert "| Propense |" in bench.results.read_text()


@pytest.mark.usefixtures("_in_this_process")
def test_seeds_are_counted_by_what_was_published(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    table_shop(bench.folder, 160)
    table_case(bench.folder)
    bench("--flips", "2")
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("| people | "))
    assert sum(int(word) for word in re.findall(r"(?:mlp|linear) (\d)", row)) == 2
    assert row in bench.results.read_text()
    assert not bench.raw.exists()


def test_a_case_without_its_data_is_told(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    table_case(bench.folder)
    bench("--peers", "none")
    told = capsys.readouterr()
    why = "customers.csv is not in the folder of the data"
    assert f"people is left out: {why}" in told.err
    assert f"**people** was left out: {why}." in told.out
    assert not bench.results.exists()


def test_a_command_that_fails_is_told_and_the_others_go_on(bench: Bench) -> None:
    shop = table_shop(bench.folder, 160)
    for row, left in zip(shop.customers, shop.churned, strict=True):
        row["reason"] = "moved" if left else None  # states the label, which training refuses
    shop.save_table()
    table_case(bench.folder)
    bench("--seeds", "0", "--peers", "logistic")
    network, logistic = load(bench.raw)
    assert not network.measures
    assert network.reason is not None
    assert "[reason]" in network.reason
    assert logistic.measures["auc"] > 0.9
    assert f"- Propense: {network.reason}." in bench.results.read_text()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--data", "no-such-folder"], "--data must be the folder of the data sets, got no-such-folder"),
        ([], "--data must be the folder of the data sets, got None"),
    ],
)
def test_a_folder_must_be_named(words: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    assert why in capsys.readouterr().err


def test_an_unknown_case_is_refused_in_a_line(bench: Bench) -> None:
    table_case(bench.folder)
    with pytest.raises(SystemExit, match=r"^bench-quality: a case must be one of \['people'\], got \['x'\]"):
        bench("--cases", "x")
