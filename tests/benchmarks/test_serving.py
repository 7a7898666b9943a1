"""What `make bench-serve` asks, how it checks and measures a server, and what it writes."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.benchmarks.serving import __main__ as command
from tests.benchmarks.serving import contenders, models
from tests.benchmarks.serving.bench import Sizes
from tests.benchmarks.serving.bulk import FORMS, Bulk, floor_post
from tests.benchmarks.serving.contenders import bare, floor, ours, peers
from tests.benchmarks.serving.customer import Customer
from tests.benchmarks.serving.inside import Inside
from tests.benchmarks.serving.load import LoadError
from tests.benchmarks.serving.machine import apart, cores, cpu_seconds, memory_mb, pinned, tree
from tests.benchmarks.serving.process import Post, ask, serving
from tests.benchmarks.serving.sample import CATEGORIES, EVENTS, FLOATS, INTEGERS, customers, histories, labels
from tests.benchmarks.serving.single import Asked, Level, Single, measure
from tests.benchmarks.serving.soak import told
from tests.benchmarks.serving.tables import bulk_row, ceiling, inside_row, log_row, single_row

CORE = cores()[0]
ROWS = customers(10)


def test_customers_repeat_and_are_what_the_servers_read() -> None:
    assert (len(INTEGERS), len(FLOATS), len(CATEGORIES)) == (10, 10, 8)
    assert customers(10) == ROWS
    for row in ROWS:
        assert Customer.model_validate_json(json.dumps(row)).model_dump() == row


def test_who_left_is_told_by_the_fields_in_part() -> None:
    rows = customers(4000)
    left = np.array(labels(rows)) == "yes"
    monthly = np.array([row["contract"] == "monthly" for row in rows])
    assert 0.1 < left.mean() < 0.5
    assert left[monthly].mean() > 1.3 * left[~monthly].mean()


def test_a_history_has_50_events_oldest_first() -> None:
    for row in histories(3):
        when = [event["when"] for event in row["events"]]
        assert len(when) == EVENTS
        assert when == sorted(when)
        assert when[-1] < models.AS_OF


def test_a_tree_of_processes_is_measured_as_one() -> None:
    busy = "x = bytearray(64 << 20)\nwhile True: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], start_new_session=True) as process:
        try:
            while cpu_seconds(tree(process.pid)) < 0.2 or memory_mb(tree(process.pid)) < 64:
                time.sleep(0.01)
            assert len(tree(process.pid)) == 2
            assert cpu_seconds([process.pid]) < cpu_seconds(tree(process.pid))
            assert memory_mb([process.pid]) < 64
        finally:
            os.killpg(process.pid, 9)
    assert cpu_seconds([process.pid]) == memory_mb([process.pid]) == 0


def test_work_apart_has_one_thread_on_one_core() -> None:
    assert apart(CORE, partial(os.getenv, "OMP_NUM_THREADS")) == "1"
    assert apart(CORE, partial(os.sched_getaffinity, 0)) == {CORE}
    with pinned(cores()[1]):
        assert os.sched_getaffinity(0) == {cores()[1]}
    assert CORE in os.sched_getaffinity(0)


def test_a_server_that_ends_says_why() -> None:
    with (
        pytest.raises(LoadError, match="ended with 3: no such luck"),
        serving(
            [sys.executable, "-c", "import sys; print('no such luck'); sys.exit(3)"],
            {},
            Post("/", b"", {}),
            core=CORE,
        ),
    ):
        pass


def test_a_server_that_refuses_its_first_request_is_not_waited_for() -> None:
    contender = floor()
    assert contender.command is not None
    with (
        pytest.raises(LoadError, match="must answer the first request, got 422 "),
        serving(contender.command, {}, contender.post({"age": 1}), core=CORE),
    ):
        pass


def test_the_floor_and_the_limit_are_measured() -> None:
    for figures in measure([Asked(floor()), Asked(bare())], ROWS, seconds=0.1, core=CORE):
        assert len(figures.levels) == 3
        assert all(0 < level.p50 <= level.p99 and level.rate > 10 for level in figures.levels)
        assert 5 < figures.memory_mb < 500
        assert figures.cold_start_s > 0.05


def test_a_wrong_answer_and_an_accepted_fault_are_found() -> None:
    with pytest.raises(LoadError, match=r"^floor.* must answer 0\.4, got 0\.5 \(200 "):
        measure([Asked(floor(), [0.5, 0.4])], ROWS, seconds=0.1, core=CORE)
    with pytest.raises(LoadError, match=r"^bare.* must refuse .*\"many\".*, got 200$"):
        measure([Asked(replace(bare(), reads=True))], ROWS, seconds=0.1, core=CORE)


def test_the_floor_counts_a_list_of_customers() -> None:
    contender = floor()
    assert contender.command is not None
    with serving(contender.command, {}, contender.post(ROWS[0]), core=CORE) as server:
        assert ask(server.port, floor_post(ROWS)) == (200, b'{"customers":10}')
        assert ask(server.port, floor_post([*ROWS, {}]))[0] == 422


def test_a_peer_is_asked_in_its_own_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contenders, "PEERS", tmp_path)
    assert [(peer.name, peer.command) for peer in peers()] == [
        ("LitServe", None),
        ("BentoML", None),
        ("MLServer", None),
    ]
    sent = json.loads(peers()[2].post(ROWS[0]).body)["inputs"]
    assert {tensor["name"]: tensor["data"][0] for tensor in sent} == ROWS[0]
    assert {tensor["datatype"] for tensor in sent} == {"INT64", "FP64", "BYTES"}
    assert peers()[2].probability({"outputs": [{"data": [0.25]}]}) == 0.25


def test_ours_is_asked_with_a_key(tmp_path: Path) -> None:
    service = ours("ours", "table", tmp_path, tmp_path / "keys.json")
    assert service.headers["Authorization"].startswith("Bearer pk_")
    assert json.loads((tmp_path / "keys.json").read_text())
    assert json.loads(service.post(ROWS[0]).body) == {"as_of": models.AS_OF, "customers": [ROWS[0]]}
    assert FORMS[2].post(service, ROWS).path == "/v1/models/table/score"
    assert FORMS[2].post(service, ROWS).headers["Content-Type"] == "text/csv"


def test_each_form_holds_every_row_and_reads_its_answer() -> None:
    bodies = {form.name: form.write(ROWS) for form in FORMS}
    assert json.loads(bodies["JSON rows"])["customers"] == ROWS
    columns = json.loads(bodies["JSON columns"])["columns"]
    table = pa.ipc.open_stream(bodies["Arrow"]).read_all()
    assert table.to_pylist() == ROWS
    assert columns == table.to_pydict()
    assert bodies["CSV"].decode().splitlines()[1] == ",".join(map(str, ROWS[0].values()))
    answers = {
        "JSON rows": b'{"predictions": [{"probability": 0.5}, {"probability": 0.25}]}',
        "CSV": b"customer_id,probability,error\r\n1,0.5,\r\n2,0.25,\r\n",
        "Arrow": arrow({"probability": [0.5, 0.25]}),
    }
    for form in FORMS:
        assert form.read(answers[form.name if form.name in answers else "JSON rows"]) == [0.5, 0.25]


def arrow(columns: dict[str, list[Any]]) -> bytes:
    """An Arrow stream."""
    sink, table = pa.BufferOutputStream(), pa.table(columns)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def test_memory_is_flat_or_not() -> None:
    asked = np.arange(0, 1001, 20)
    noise = np.random.default_rng(0).normal(0, 0.1, len(asked))
    settling = np.where(asked < 100, 40.0, 100.0)
    flat, growing = told(asked, settling + noise, 2.0), told(asked, settling + asked / 100, 2.0)
    assert (flat.n, flat.rate) == (1000, 500.0)
    assert "which is flat (below 1%)" in flat.sentence()
    assert growing.growth == pytest.approx(0.1, rel=0.02)
    assert "which is not flat" in growing.sentence()


def test_cells_hold_ratios() -> None:
    def of(rate: float) -> Single:
        levels = [Level(rate * n, 1.0, 3.0, 40.0, 0.5) for n in (1, 2, 3)]
        return Single(tuple(levels), 60.4, 0.5)

    assert single_row("ours", of(2000.0), of(1000.0)) == (
        "| ours | 2,000 / 4,000 / 6,000 | 2.00 / 2.00 / 2.00 | 1.00 / 1.00 / 1.00 | 3.00 / 3.00 / 3.00 "
        "| 40 / 40 / 40 | 60 | 0.50 | 0.50 |"
    )
    assert "took 25 µs of its core a request: it can drive 40,000 a second" in ceiling(
        replace(of(1.0), levels=(Level(20_000.0, 1.0, 2.0, 30.0, 0.5),))
    )
    many = Bulk(1000, 200_000.0, 4.5)
    few = Bulk(1000, 100_000.0, 9.0)
    assert bulk_row("CSV", many, few) == "| CSV | 1,000 | 200,000 | 100,000 | 2.00 | 5.0 | 4.50 |"
    alone = Inside(1000, 4000.0, 2500.0)
    assert inside_row("table", alone) == "| table | 1,000 | 4,000 | 4.0 | 2,500 | 62% |"
    assert log_row("log", many, alone) == "| log | 1,000 | 200,000 | 5.00 | 2.50 | 2.00 |"


def test_the_command_names_what_it_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contenders, "PEERS", tmp_path)
    seen: list[tuple[float, int]] = []
    monkeypatch.setattr(command, "run", lambda made, n_soak: seen.append((made.seconds, n_soak)))
    results = tmp_path / "RESULTS.md"
    command.main(["--seconds", "0.5", "--soak", "9", "--results", str(results)])
    assert seen == [(0.5, 9)]
    assert "`make bench-serve SECONDS=0.5 SOAK=9`" in results.read_text()


@pytest.mark.heavy
def test_the_whole_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contenders, "PEERS", tmp_path)
    results = tmp_path / "RESULTS.md"
    sizes = Sizes(400, 200, bulk=(10, 20), histories=(1, 5), inside=(1, 5))
    command.main(["--seconds", "0.1", "--soak", "500", "--results", str(results)], sizes=sizes)
    text = results.read_text()
    firsts = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")]
    assert firsts == [
        *("server", "---", "floor: FastAPI, pydantic, a constant", "bare uvicorn, constant bytes"),
        *("ours", "tutorial: pydantic, DataFrame, torch"),
        *("LitServe", "BentoML", "MLServer"),
        *("body", "---"),
        *(f"ours: {form.name}" for form in FORMS for _ in range(2)),
        *("model", "---", *["table"] * 2),
        *("model", "---", *["log-mlp"] * 2, *["log-rnn"] * 2),
    ]
    assert text.count("| not installed | - |") == 3
    assert "answered by" not in text
    assert re.search(r"\n500 requests over 8 connections, ", text)
