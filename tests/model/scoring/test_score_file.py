"""Batch scoring: every customer gets a row, whatever the form of the file, and a refusal spoils nothing."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from model.errors import PropenseError
from model.scoring.as_of import AsOf, today
from model.times import DAY, parse_time
from tests.model.scoring.scoring import LATE, probabilities, read, score
from tests.training.shops import TABLE, Published, publish, table_shop, write_csv
from training.prepare import prepare


def refusal(*args: Any, **changes: Any) -> str:
    with pytest.raises(PropenseError) as caught:
        score(*args, **changes)
    return str(caught.value)


def test_a_table_s_scores_as_csv(table_model: Published, tmp_path: Path) -> None:
    scored = score(table_model, tmp_path / "out.csv")
    rows = read(tmp_path / "out.csv")
    assert list(rows[0]) == ["customer_id", "probability", "error"]
    assert [row["customer_id"] for row in rows] == [row["id"] for row in table_model.shop.customers]
    assert rows[6]["customer_id"] == "0007"
    assert (scored.rows, scored.as_of) == (len(rows), today("UTC"))
    values = [float(row["probability"]) for row in rows]
    assert all(0 < p < 1 for p in values)
    assert len(set(values)) > 200


def test_a_log_s_scores_as_csv(log_model: Published, tmp_path: Path) -> None:
    scored = score(log_model, tmp_path / "out.csv")
    rows = read(tmp_path / "out.csv")
    assert list(rows[0]) == [
        "customer_id",
        "probability",
        "probability_10d",
        "probability_30d",
        "eligible",
        "not_eligible_because",
        "error",
    ]
    assert [row["customer_id"] for row in rows] == [row["id"] for row in log_model.shop.customers]
    assert all(row["probability"] == row["probability_30d"] for row in rows)
    assert all(float(row["probability_10d"]) <= float(row["probability_30d"]) for row in rows)
    assert {row["eligible"] for row in rows} == {"true", "false"}
    last = max(parse_time(e["when"]) for row in log_model.shop.customers for e in row["events"])
    assert (scored.rows, scored.as_of.instant) == (len(rows), last)


def test_parquet_holds_the_same_as_csv(log_model: Published, tmp_path: Path) -> None:
    score(log_model, tmp_path / "out.csv")
    score(log_model, tmp_path / "out.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert [str(field.type) for field in table.schema] == [
        "string",
        "double",
        "double",
        "double",
        "bool",
        "string",
        "string",
    ]
    for row, wanted in zip(table.to_pylist(), read(tmp_path / "out.csv"), strict=True):
        assert row["customer_id"] == wanted["customer_id"]
        assert row["probability_10d"] == float(wanted["probability_10d"])
        assert row["eligible"] == (wanted["eligible"] == "true")


def test_eligible_is_who_had_an_event_shortly_before(log_model: Published, tmp_path: Path) -> None:
    as_of = parse_time(LATE)
    score(log_model, tmp_path / "out.csv", as_of=as_of)
    for row, customer in zip(read(tmp_path / "out.csv"), log_model.shop.customers, strict=True):
        times = [parse_time(event["when"]) for event in customer["events"]]
        able = any(as_of - 60 * DAY < t <= as_of for t in times)
        assert row["eligible"] == str(able).lower()
        early = "not yet a customer" if min(times, default=as_of + 1) > as_of else "no event within 60 days"
        assert row["not_eligible_because"] == ("" if able else early)


def test_as_of_is_the_instant_of_the_question(log_model: Published, tmp_path: Path) -> None:
    """Scores of an earlier day are those of a log that ends there."""
    as_of = parse_time(LATE)
    assert score(log_model, tmp_path / "out.csv", as_of=as_of).as_of.instant == as_of
    score(log_model, tmp_path / "later.csv")
    known = [
        {"who": row["id"], **event}
        for row in log_model.shop.customers
        for event in row["events"]
        if parse_time(event["when"]) <= as_of
    ]
    write_csv(tmp_path / "known.csv", known)
    score(log_model, tmp_path / "known-out.csv", events=tmp_path / "known.csv", as_of=as_of)
    asked, cut, later = (probabilities(tmp_path / n) for n in ("out.csv", "known-out.csv", "later.csv"))
    assert asked == pytest.approx(cut, abs=1e-9)
    assert asked != pytest.approx(later, abs=1e-3)


def test_the_dates_of_a_table_age_to_the_instant_asked(table_model: Published, tmp_path: Path) -> None:
    score(table_model, tmp_path / "out.csv")
    score(table_model, tmp_path / "later.csv", as_of=parse_time("2030-01-01"))
    now, later = probabilities(tmp_path / "out.csv"), probabilities(tmp_path / "later.csv")
    dated = {row["id"] for row in table_model.shop.customers if row["since"]}
    assert {id_ for id_ in now if now[id_] != later[id_]} == dated


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("model", ["table_model", "log_model", "contract_model", "contract_log_model"])
def test_chunks_equal_the_whole(
    model: str,
    form: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published: Published = request.getfixturevalue(model)
    score(published, tmp_path / "whole.csv", as_of=parse_time(LATE))
    monkeypatch.setattr("model.scoring.blocks.CHUNK_ROWS", 7)
    told: list[int] = []
    scored = score(published, tmp_path / f"chunks.{form}", as_of=parse_time(LATE), on_rows=told.append)
    n = len(published.shop.customers)
    assert scored.rows == n
    assert told == [*range(7, n, 7), n]
    if form == "csv":
        chunks = probabilities(tmp_path / "chunks.csv")
    else:
        rows = pyarrow.parquet.read_table(tmp_path / "chunks.parquet").to_pylist()
        chunks = {row["customer_id"]: row["probability"] for row in rows}
    assert chunks == pytest.approx(probabilities(tmp_path / "whole.csv"), abs=1e-6)


def test_a_file_needs_only_what_the_model_reads(table_model: Published, tmp_path: Path) -> None:
    rows = [{"comment": "x, y", **row} for row in reversed(table_model.shop.customers)]  # and no label
    write_csv(tmp_path / "new.csv", rows)
    score(table_model, tmp_path / "out.csv", customers=tmp_path / "new.csv")
    score(table_model, tmp_path / "own.csv")
    assert list(probabilities(tmp_path / "out.csv")) == [row["id"] for row in rows]
    assert probabilities(tmp_path / "out.csv") == pytest.approx(probabilities(tmp_path / "own.csv"), abs=1e-6)


def test_customers_without_an_id_are_called_by_their_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.scoring.blocks.CHUNK_ROWS", 7)
    shop = table_shop(tmp_path, 60)
    model = publish(shop, TABLE)
    shop.customers[8]["id"] = None
    shop.save_table()
    scored = score(model, tmp_path / "out.csv")
    assert [row["customer_id"] for row in read(tmp_path / "out.csv")][7:10] == ["0008", "9", "0010"]
    assert "1 row without an id: the number of the row is the id." in scored.notes
    nameless = publish(shop, TABLE.replace(", id: id", "").replace("name: table", "name: nameless"))
    score(nameless, tmp_path / "out.csv")
    assert [row["customer_id"] for row in read(tmp_path / "out.csv")] == [str(n) for n in range(1, 61)]


def test_customers_of_the_log_alone_are_scored_too(log_model: Published, tmp_path: Path) -> None:
    write_csv(tmp_path / "few.csv", [{"id": "0001", "plan": "free", "since": "2021-01-01"}])
    scored = score(log_model, tmp_path / "out.csv", customers=tmp_path / "few.csv")
    active = {row["id"] for row in log_model.shop.customers if row["events"]}
    assert scored.rows == len(active | {"0001"})
    assert set(probabilities(tmp_path / "out.csv")) == active | {"0001"}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("id,tenure,since\n1,2,\n", "new.csv has no column 'contract'"),
        (None, "new.csv must be a file, got a path where there is none"),
        ("", "new.csv must hold rows, got an empty file"),
    ],
    ids=["a column is missing", "no file", "empty"],
)
def test_a_file_that_cannot_be_scored_leaves_the_old_scores(
    table_model: Published, tmp_path: Path, content: str | None, text: str
) -> None:
    (tmp_path / "out.csv").write_text("old")
    if content is not None:
        (tmp_path / "new.csv").write_text(content)
    refused = refusal(table_model, tmp_path / "out.csv", customers=tmp_path / "new.csv")
    assert text in refused
    assert (tmp_path / "out.csv").read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} <= {"out.csv", "new.csv"}


def test_a_fault_far_into_a_file_leaves_the_old_scores_and_no_draft(
    table_model: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.scoring.blocks.CHUNK_ROWS", 7)
    lines = (table_model.shop.folder / "customers.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "new.csv").write_text("\n".join([*lines, *["1,2,3"] * 100]), encoding="utf-8")
    (tmp_path / "out.csv").write_text("old")
    text = refusal(table_model, tmp_path / "out.csv", customers=tmp_path / "new.csv", as_of=parse_time(LATE))
    assert " must have the header's 11 fields, got 3; row " in text
    assert (tmp_path / "out.csv").read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"out.csv", "new.csv"}


def test_a_log_without_a_field_is_refused(log_model: Published, tmp_path: Path) -> None:
    write_csv(tmp_path / "new.csv", [{"who": "0001", "when": "2022-02-02", "kind": "buy", "items": 1.0}])
    text = refusal(log_model, tmp_path / "out.csv", events=tmp_path / "new.csv")
    assert text.startswith(
        "new.csv has no column 'amount' (and lacks 'shop' too); its columns are 'who', 'when', 'kind', "
    )
    assert not (tmp_path / "out.csv").exists()


def test_files_that_are_not_named_are_asked_for(
    table_model: Published, log_model: Published, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    assert refusal(table_model, out, customers=None) == (
        "this model reads a customer table; name it with --customers FILE"
    )
    log = "this model reads an event log; name it with --events FILE"
    assert refusal(log_model, out, events=None, customers=None) == log
    assert refusal(log_model, out, events=None).startswith(
        f"{log}, or as a column 'events': customers.csv has"
    )
    assert refusal(log_model, out, customers=None) == (
        "this model reads a customer table; name it with --customers FILE"
    )


def test_another_suffix_is_refused(table_model: Published, tmp_path: Path) -> None:
    assert (
        refusal(table_model, tmp_path / "out.txt")
        == "--out must end in one of .csv, .parquet, .ndjson, .arrows, got 'out.txt'"
    )


def test_a_log_in_parts_is_read_as_one(log_model: Published, tmp_path: Path) -> None:
    table = pa.csv.read_csv(log_model.shop.folder / "events.csv", convert_options=id_as_text())
    half = len(table) // 2
    (tmp_path / "parts").mkdir()
    for name, part in (("a", table.slice(0, half)), ("b", table.slice(half))):
        pyarrow.parquet.write_table(part, tmp_path / "parts" / f"{name}.parquet")
    score(log_model, tmp_path / "out.csv", events=tmp_path / "parts" / "*.parquet")
    score(log_model, tmp_path / "own.csv")
    assert probabilities(tmp_path / "out.csv") == pytest.approx(probabilities(tmp_path / "own.csv"), abs=1e-9)


def id_as_text() -> Any:
    return pa.csv.ConvertOptions(column_types={"who": pa.string()})


def test_a_log_is_asked_at_its_end(log_model: Published, tmp_path: Path) -> None:
    told = score(log_model, tmp_path / "out.csv").as_of
    assert told == AsOf(prepare(log_model.study).as_of, "the end of the log")


def test_one_date_of_a_log_moves_no_score(log_model: Published, tmp_path: Path) -> None:
    own = score(log_model, tmp_path / "own.csv")
    text = (log_model.shop.folder / "events.csv").read_text()
    fields = dict.fromkeys(text.splitlines()[0].split(","), "") | {"who": "0001", "when": "2031-08-01"}
    (tmp_path / "late.csv").write_text(text + ",".join(fields.values()) + "\n")
    late = score(log_model, tmp_path / "out.csv", events=tmp_path / "late.csv")
    assert late.as_of == own.as_of
    assert (tmp_path / "out.csv").read_text() == (tmp_path / "own.csv").read_text()
    [note] = set(late.notes) - set(own.notes)
    assert " is after" in note
    assert "'0001' at 2031-08-01" in note


def test_a_row_of_a_table_scores_the_same_whoever_else_is_there(
    table_model: Published, tmp_path: Path
) -> None:
    as_of = AsOf(prepare(table_model.study).as_of, "the test")
    rows = table_model.shop.customers
    for name, there in (("own", rows), ("typo", [{**rows[0], "since": "2035-08-22"}, *rows[1:]])):
        write_csv(tmp_path / f"{name}.csv", there)
    for chosen in (None, as_of):
        own, typo = (
            score(table_model, tmp_path / f"{name}_s.csv", customers=tmp_path / f"{name}.csv", as_of=chosen)
            for name in ("own", "typo")
        )
        assert own.as_of == typo.as_of == (chosen or today("UTC"))
        scored = [list(probabilities(tmp_path / f"{name}_s.csv").items())[1:] for name in ("own", "typo")]
        assert scored[0] == scored[1]
        assert any(note.startswith("1 of ") and "of 'since' is after" in note for note in typo.notes)


def test_a_model_without_dates_is_asked_today(tmp_path: Path) -> None:
    shop = table_shop(tmp_path, 60)
    model = publish(shop, TABLE, "data.customers.exclude=[since]")
    scored = score(model, tmp_path / "out.csv")
    assert scored.as_of == today("UTC")


@pytest.mark.parametrize("model", ["table_model", "log_model"])
def test_what_cannot_be_read_is_told_of_a_table_and_beside_a_log(
    model: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    published: Published = request.getfixturevalue(model)
    rows = [{n: v for n, v in row.items() if n != "events"} for row in published.shop.customers]

    def spoilt(name: str, n: int) -> Path:
        """The customers, with no date in the first n rows."""
        spoilt_rows = [{**row, "since": "1904-05-06"} for row in rows[:n]]
        file = write_csv(tmp_path / name, [*spoilt_rows, *rows[n:]])
        file.write_text(file.read_text().replace("06.05.1904", "soon"))
        return file

    notes = score(published, tmp_path / "out.csv", customers=spoilt("one.csv", 1)).notes
    assert any(note.startswith("1 of ") and "of 'since' cannot be read as a date" in note for note in notes)
    told = refusal(published, tmp_path / "none.csv", customers=spoilt("all.csv", len(rows)))
    assert "values of 'since' that cannot be read as a date" in told
    assert not (tmp_path / "none.csv").exists()


def test_a_log_without_the_event_that_was_asked_about_is_scored(log_model: Published, tmp_path: Path) -> None:
    """Who is scored has not done it yet: the files may well hold nobody who has."""
    events = [
        {"who": row["id"], **event}
        for row in log_model.shop.customers
        for event in row["events"]
        if event["kind"] == "visit"
    ]
    path = write_csv(tmp_path / "visits.csv", events)
    scored = score(log_model, tmp_path / "out.csv", events=path, as_of=parse_time(LATE))
    assert scored.rows == len(read(tmp_path / "out.csv")) == len(log_model.shop.customers)


def test_a_row_that_cannot_be_read_keeps_its_place_and_says_why(
    table_model: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.scoring.blocks.CHUNK_ROWS", 7)
    lines = (table_model.shop.folder / "customers.csv").read_text(encoding="utf-8").splitlines()
    lines[10:10] = ["1,2,3"]
    (tmp_path / "new.csv").write_text("\n".join(lines), encoding="utf-8")
    scored = score(table_model, tmp_path / "out.csv", customers=tmp_path / "new.csv")
    rows = read(tmp_path / "out.csv")
    assert scored.rows == len(rows) == len(lines) - 1
    bad = rows.pop(9)
    why = "must have the header's 11 fields, got 3"
    assert bad == {"customer_id": "", "probability": "", "error": f"row 10 {why}"}
    assert [row["customer_id"] for row in rows] == [row["id"] for row in table_model.shop.customers]
    assert f"new.csv: left out 1 row of {len(lines) - 1:,}: row 11 {why}." in scored.notes


def test_columns_that_the_model_does_not_read_are_listed(
    table_model: Published, log_model: Published, tmp_path: Path
) -> None:
    for model in (table_model, log_model):
        rows = [{n: v for n, v in row.items() if n != "events"} for row in model.shop.customers]
        file = write_csv(tmp_path / "wide.csv", [{"comment": "x", **row} for row in rows])
        assert "comment" in score(model, tmp_path / "out.csv", customers=file).ignored


def test_customers_without_an_id_beside_a_log_have_no_score(log_model: Published, tmp_path: Path) -> None:
    rows = [{n: v for n, v in row.items() if n != "events"} for row in log_model.shop.customers]
    rows[3] = {**rows[3], "id": None}
    file = write_csv(tmp_path / "new.csv", rows)
    score(log_model, tmp_path / "whole.csv")
    scored = score(log_model, tmp_path / "out.csv", customers=file)
    found = read(tmp_path / "out.csv")
    assert (found[3]["customer_id"], found[3]["error"]) == ("", "row 4 must have an id in 'id', got nothing")
    assert [row["customer_id"] for row in found[:3]] == [row["id"] for row in rows[:3]]
    assert "left out 1 of 160 customers without 'id'." in scored.notes
    known = probabilities(tmp_path / "whole.csv")
    assert {row["customer_id"]: float(row["probability"]) for row in found[4:] if row["probability"]} == (
        pytest.approx({row["customer_id"]: known[row["customer_id"]] for row in found[4:]}, abs=1e-6)
    )


def test_what_was_left_out_of_a_log_is_noted(log_model: Published, tmp_path: Path) -> None:
    events = [{"who": row["id"], **event} for row in log_model.shop.customers for event in row["events"]]
    spoilt = [
        {**event, "who": None} if n % 7 == 1 else {**event, "when": "03/01/2022"} if n % 7 == 2 else event
        for n, event in enumerate(events)
    ]
    spoilt = [{**event, "amount": "1,5"} if n % 7 == 3 else event for n, event in enumerate(spoilt)]
    path = write_csv(tmp_path / "new.csv", spoilt)
    notes = score(log_model, tmp_path / "out.csv", events=path, as_of=parse_time(LATE)).notes
    for text in ("events without 'who' (row ", "events whose 'when' is not in", "'amount': read "):
        assert any(text in note for note in notes), text


def test_events_nested_in_a_customer_file_are_those_of_a_log(log_model: Published, tmp_path: Path) -> None:
    score(log_model, tmp_path / "log.csv", as_of=parse_time(LATE))
    path = tmp_path / "nested.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in log_model.shop.customers))
    score(log_model, tmp_path / "out.csv", customers=path, events=None, as_of=parse_time(LATE))
    wanted, found = read(tmp_path / "log.csv"), read(tmp_path / "out.csv")
    for name in ("customer_id", "eligible", "not_eligible_because", "error"):
        assert [row[name] for row in found] == [row[name] for row in wanted]
    assert probabilities(tmp_path / "out.csv") == pytest.approx(probabilities(tmp_path / "log.csv"), abs=1e-6)


def test_a_nested_event_that_cannot_be_read_is_noted_or_costs_the_score(
    log_model: Published, tmp_path: Path
) -> None:
    rows = [dict(row) for row in log_model.shop.customers[:20]]
    rows[2] = {**rows[2], "events": [{"when": "soon", "kind": "buy"}, {"when": "2022-01-01", "amount": "x"}]}
    path = tmp_path / "nested.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options: dict[str, Any] = {"customers": path, "events": None, "as_of": parse_time(LATE)}
    notes = score(log_model, tmp_path / "out.csv", **options).notes
    assert "left out 1 event whose 'when' cannot be read as a time, such as 'soon'." in notes
    assert "1 value of 'amount' of events is no number, such as 'x'; read as missing." in notes
    assert {row["error"] for row in read(tmp_path / "out.csv")} == {""}
    assert "1 row without a score: the column 'error' says why." in (
        rejecting := score(log_model, tmp_path / "out.csv", reject=True, **options).notes
    )
    assert not any("'when'" in note or "'amount' of events" in note for note in rejecting)
    errors = [row["error"] for row in read(tmp_path / "out.csv")]
    assert errors[2].startswith(
        "row 3, event 1, when must be a time in ISO 8601 such as 1997-03-01, got 'soon'"
    )
    assert [n for n, error in enumerate(errors) if error] == [2]


def test_reasons_stand_beside_each_score(log_model: Published, tmp_path: Path) -> None:
    score(log_model, tmp_path / "out.parquet", reasons=2)
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert table.column_names[-5:] == ["reason_1", "reason_1_points", "reason_2", "reason_2_points", "error"]
    first, second = (table[f"reason_{n}_points"].to_pylist() for n in (1, 2))
    assert all(abs(a) >= abs(b) for a, b in zip(first, second, strict=True))
    assert all("(usual: " in text for text in table["reason_1"].to_pylist())
    score(log_model, tmp_path / "plain.parquet")
    plain = pyarrow.parquet.read_table(tmp_path / "plain.parquet")
    assert plain["probability"] == table["probability"]
