"""The folder in which the metrics of several workers meet."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.observe.shared import VARIABLE, folder, shared_metrics
from model.errors import PropenseError


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_one_worker_needs_none(root: Path) -> None:
    with shared_metrics(1):
        assert folder() is None
    assert not list(root.iterdir())


def test_several_share_one_until_the_end(root: Path) -> None:
    with shared_metrics(2):
        there = folder()
        assert there
        assert there.parent == root
        (there / "counter_1.db").write_bytes(b"")
    assert folder() is None
    assert not list(root.iterdir())


def test_what_a_killed_service_left_is_removed_and_a_living_one_left_alone(root: Path) -> None:
    orphan, living = root / "propense-metrics-orphan", root / "propense-metrics-living"
    for there in (orphan, living):
        there.mkdir()
    with (living / "owner").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with shared_metrics(2):
            assert set(root.iterdir()) == {living, folder()}


def test_without_a_writable_folder_several_workers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("tempfile.gettempdir", nowhere)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(PropenseError) as refused, shared_metrics(4):
        pass
    assert str(refused.value) == (
        "4 workers need a folder to add up their metrics in, however neither /tmp nor /dev/shm can be "
        "written; mount a tmpfs at /tmp, or set PROPENSE_WORKERS=1"
    )
    with shared_metrics(1):
        pass


# Workers one after another, some killed: each counts, the last one is asked.
_RESTARTS = """
import os, signal, sys
from app.observe.metrics import Metrics
from pathlib import Path

def worker(n):
    metrics = Metrics()
    metrics.in_flight = 3
    metrics.count_request("/health/live", 200, 0.01)
    metrics.count_load_failure("churn")
    metrics.work_up()
    if n % 2:
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(0)

for n in range(30):
    pid = os.fork()
    if pid == 0:
        worker(n)
    os.waitpid(pid, 0)
metrics = Metrics()
metrics.in_flight = 1
metrics.count_request("/health/live", 200, 0.01)
metrics.work_up()
print(metrics._exposition().decode())
print("FILES", len(list(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).iterdir())))
"""


def test_counts_outlive_their_workers_but_gauges_and_files_do_not(root: Path) -> None:
    environment = {**os.environ, VARIABLE: str(root), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _RESTARTS]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    lines = told.splitlines()
    assert 'propense_requests_total{route="/health/live",status="200"} 31.0' in lines
    assert 'propense_request_seconds_count{route="/health/live"} 31.0' in lines
    assert 'propense_request_seconds_bucket{le="0.01",route="/health/live"} 31.0' in lines
    assert 'propense_model_load_failures_total{model="churn"} 30.0' in lines
    assert "propense_in_flight 1.0" in lines
    assert any(line.startswith("process_cpu_seconds_total ") for line in lines)
    # of the living: counters, histograms, gauges; of the dead: counters, histograms; the lock
    assert "FILES 6" in lines
