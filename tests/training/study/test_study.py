import json
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from model.errors import StudyError
from model.store.manifest import NetworkSpec
from model.task import ColumnTask, ContractTask, Eligible, LogTask
from tests.training.study.texts import CONTRACTS, EVERYTHING, LOG, TABLE, write
from training.study.sections import (
    CustomersSource,
    EventsSource,
    FitOptions,
    NetworkOptions,
    SplitOptions,
    resolve_path,
)
from training.study.study import ColumnTarget, ContractTarget, Cutoffs, LogTarget, Study, read_study


def test_a_table_study_says_what_it_must_and_defaults_the_rest(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE)
    study = read_study(path)
    assert study.name == "telecom"
    assert study.data.customers == CustomersSource(path="customers.csv")
    assert study.data.events is None
    assert study.target == ColumnTarget(column="Churn", positive="Yes")
    assert study.task == ColumnTask(column="Churn", positive="Yes", lookback_days=None)
    assert (study.split, study.network, study.fit) == (SplitOptions(), NetworkOptions(), FitOptions())
    assert study.base == path.parent


def test_a_log_study_says_what_it_must_and_defaults_the_rest(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, LOG))
    assert study.data.events == EventsSource(path="events.csv", id="customer_id", time="date")
    assert study.target == LogTarget(outcome="occurs", horizons_days=(30, 90))
    assert study.task == LogTask(
        event="any",
        outcome="occurs",
        horizons_days=(30, 90),
        gap_days=0,
        lookback_days=None,
        eligible_within_days=365,
    )


def test_a_log_alone_has_a_smaller_network_unless_the_study_sets_its_size(tmp_path: Path) -> None:
    path = write(tmp_path, LOG)
    sizes = [(n.embedding, n.members) for n in (read_study(path).network, NetworkOptions())]
    assert sizes == [(4, 1), (8, 2)]
    network = read_study(path, ["network.members=3"]).network
    assert (network.embedding, network.members) == (4, 3)


def test_the_defaults_are_these() -> None:
    assert SplitOptions().model_dump() == {
        "test_fraction": None,
        "seed": 0,
        "time": None,
        "group": None,
        "compare": True,
    }
    assert NetworkOptions().model_dump() == {
        "head": "mlp",
        "width": 96,
        "layers": 2,
        "dropout": 0.0,
        "embedding": 8,
        "folds": 5,
        "members": 2,
        "piecewise": True,
        "choose": True,
        "max_events": 64,
    }
    assert FitOptions().model_dump() == {
        "device": "auto",
        "epochs": None,
        "patience": None,
        "batch_size": None,
        "learning_rate": 0.01,
        "weight_decay": 0.0001,
        "seed": 0,
        "refit": True,
    }
    assert Cutoffs().model_dump() == {"every_days": 30, "first": None, "last": None, "dates": ()}


def test_every_key_is_read(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, json.dumps(EVERYTHING)))
    assert study.model_dump(mode="json") == EVERYTHING | {"split": {**EVERYTHING["split"], "time": None}}
    assert isinstance(study.target, LogTarget)
    assert study.target.cutoffs == Cutoffs(every_days=7, first=date(2011, 1, 1), last=date(2011, 9, 10))
    assert study.task == LogTask(
        event=("cancel", "expire"),
        outcome="occurs",
        terminal=True,
        horizons_days=(30, 90),
        gap_days=1,
        lookback_days=300,
        ingestion_lag_days=2,
        eligible=Eligible(min_events=3, min_history_days=60, max_history_days=900),
        eligible_within_days=200,
        reactivates_within_days=14,
        returns=("join",),
        involuntary=("fail",),
        involuntary_within_days=5,
    )


def test_a_contract_study_says_what_it_must_and_defaults_the_rest(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, CONTRACTS))
    assert study.target == ContractTarget(ends="cancelled_at", horizons_days=(30, 90))
    assert study.task == ContractTask(ends="cancelled_at", horizons_days=(30, 90))
    assert (study.task.starts, study.task.eligible_within_days, study.task.outcome) == (None, None, "occurs")


def test_every_key_of_a_contract_is_read(tmp_path: Path) -> None:
    target = {
        **{
            key: value
            for key, value in EVERYTHING["target"].items()
            if key not in ("event", "outcome", "terminal")
        },
        "ends": "until",
        "starts": "since",
        "cutoffs": {"dates": ["2020-01-01", "2020-03-01"]},
    }
    study = read_study(write(tmp_path, json.dumps(EVERYTHING | {"target": target})))
    assert isinstance(study.target, ContractTarget)
    assert study.target.cutoffs == Cutoffs(dates=(date(2020, 1, 1), date(2020, 3, 1)))
    assert study.task == ContractTask(
        ends="until",
        starts="since",
        horizons_days=(30, 90),
        gap_days=1,
        lookback_days=300,
        ingestion_lag_days=2,
        eligible=Eligible(min_events=3, min_history_days=60, max_history_days=900),
        eligible_within_days=200,
        reactivates_within_days=14,
        returns=("join",),
        involuntary=("fail",),
        involuntary_within_days=5,
    )


@pytest.mark.parametrize(
    ("terminal", "grace", "ends"), [(None, 0, False), (None, 3, True), (True, 0, True), (False, 0, False)]
)
def test_whether_an_event_ends_a_life_as_far_as_the_study_tells(
    tmp_path: Path, terminal: bool | None, grace: int, ends: bool
) -> None:
    settings = [f"target.reactivates_within_days={grace}", "target.event=cancel", "data.events.type=kind"]
    settings += [] if terminal is None else [f"target.terminal={str(terminal).lower()}"]
    study = read_study(write(tmp_path, LOG), settings)
    assert isinstance(study.task, LogTask)
    assert study.task.terminal == ends


@pytest.mark.parametrize(
    "text",
    [json.dumps(EVERYTHING), TABLE, LOG, CONTRACTS, f"{CONTRACTS}  cutoffs: {{dates: [2020-01-01]}}\n"],
    ids=["everything", "table", "log", "contracts", "dates"],
)
def test_a_study_survives_json_and_its_folder_stays_out_of_it(tmp_path: Path, text: str) -> None:
    study = read_study(write(tmp_path, text))
    stored = json.loads(json.dumps(study.model_dump(mode="json")))
    assert "base" not in stored
    assert Study.model_validate(stored).model_dump() == study.model_dump()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Berlin", '; did you mean "Europe/Berlin"?'),
        ("new york", '; did you mean "America/New_York"?'),
        ("utc", '; did you mean "UTC"?'),
        ("+02:00", ""),
        ("localtime", ""),
    ],
)
def test_an_unknown_time_zone_is_a_fault_with_its_place(tmp_path: Path, name: str, hint: str) -> None:
    text = LOG.replace("data:\n", f"data:\n  time_zone: {name!r}\n")
    with pytest.raises(StudyError) as error:
        read_study(write(tmp_path, text))
    assert str(error.value) == (
        f'study.yaml:3: data.time_zone: must be an IANA time zone such as Europe/Berlin, got "{name}"{hint}'
    )


def test_a_time_zone_is_kept(tmp_path: Path) -> None:
    text = LOG.replace("data:\n", "data:\n  time_zone: Europe/Berlin\n")
    assert read_study(write(tmp_path, text)).data.time_zone == "Europe/Berlin"
    assert read_study(write(tmp_path, LOG)).data.time_zone == "UTC"


def test_a_study_cannot_be_changed(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, TABLE))
    with pytest.raises(ValidationError, match="frozen"):
        study.fit.epochs = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("Yes", "Yes"),
        ('"yes"', "yes"),
        ("1", "1"),
        ("1.0", "1"),
        ("0.5", "0.5"),
        ("true", "true"),
        ("True", "True"),
        ("off", "off"),
        ("' Yes '", "Yes"),
        ("01", "01"),
        ("12:30", "12:30"),
        ("12345678901234567", "12345678901234567"),
    ],
)
def test_a_positive_label_keeps_the_spelling_of_the_columns(tmp_path: Path, written: str, label: str) -> None:
    study = read_study(write(tmp_path, TABLE.replace("Yes", written)))
    assert isinstance(study.target, ColumnTarget)
    assert study.target.positive == label


def test_bare_dates_are_cutoffs(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, f"{LOG}  cutoffs: {{first: 2011-09-01, last: 2011-09-10}}\n"))
    assert isinstance(study.target, LogTarget)
    assert (study.target.cutoffs.first, study.target.cutoffs.last) == (date(2011, 9, 1), date(2011, 9, 10))


def test_a_group_may_be_the_id(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, TABLE), ["data.customers.id=household", "split.group=household"])
    assert study.split.group == "household"


def test_a_section_without_keys_is_the_default(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, f"{LOG}  cutoffs:\n  eligible:\nsplit:\nnetwork:\nfit:\n"))
    assert study.model_dump() == read_study(write(tmp_path, LOG)).model_dump()


def test_the_bounds_of_the_network_are_those_of_a_checkpoint() -> None:
    """But that a checkpoint may hold one network, which stands for a bag."""
    largest = {"width": 4096, "layers": 16, "embedding": 256, "folds": 64, "members": 256}
    smallest = {"width": 4, "layers": 1, "embedding": 1, "folds": 2, "members": 1}
    of_spec = set(NetworkSpec.model_fields)
    for options, spec, step in ((largest, largest, 1), (smallest, smallest | {"folds": 1}, -1)):
        assert NetworkSpec(**NetworkOptions(**options).model_dump(include=of_spec)).folds == options["folds"]
        assert NetworkSpec(**NetworkOptions().model_dump(include=of_spec) | spec).folds == spec["folds"]
        for model, bounds in ((NetworkOptions, options), (NetworkSpec, spec)):
            for key, value in bounds.items():
                with pytest.raises(ValidationError, match=f"{key}\n"):
                    model.model_validate(NetworkOptions().model_dump(include=of_spec) | {key: value + step})


def test_a_path_starts_from_the_folder_of_the_study() -> None:
    base = Path("studies")
    assert resolve_path("data/customers.csv", base) == base / "data" / "customers.csv"
    assert resolve_path("/data/*.parquet", base) == Path("/data/*.parquet")
    assert resolve_path("~/customers.csv", base) == Path.home() / "customers.csv"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that cannot be imported, but carries a file."""
    folder = tmp_path / "carrier"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('a data file must not need this')\n")
    (folder / "data" / "log.csv").write_text("id\n1\n")
    (tmp_path / "plain_module.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_a_file_of_a_package_is_found_without_importing_it(package: Path) -> None:
    assert resolve_path("package:carrier/data/log.csv", Path()) == package / "data" / "log.csv"


@pytest.mark.parametrize("inner", ["data/none.csv", "data", ""])
@pytest.mark.usefixtures("package")
def test_a_file_that_a_package_does_not_carry_is_refused(inner: str) -> None:
    with pytest.raises(StudyError) as caught:
        resolve_path(f"package:carrier/{inner}", Path())
    assert str(caught.value) == (
        f'the Python package "carrier" has no file "{inner}"; correct "package:carrier/{inner}"'
    )


@pytest.mark.parametrize("name", ["no_such_package", "no-such-package", "plain_module", ""])
@pytest.mark.usefixtures("package")
def test_a_package_that_is_not_installed_is_named(name: str) -> None:
    with pytest.raises(StudyError) as caught:
        resolve_path(f"package:{name}/log.csv", Path())
    assert str(caught.value) == (
        f'"package:{name}/log.csv" needs the Python package "{name}", which is not installed:'
        f" pip install {name}"
    )
