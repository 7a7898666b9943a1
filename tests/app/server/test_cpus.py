import os
from pathlib import Path

import pytest

from app.server import cpus as module
from app.server.cpus import cpus, limit_threads


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of /sys/fs/cgroup, on a machine of 64 CPUs."""
    monkeypatch.setattr(module, "_CGROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    return tmp_path


def in_groups(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lines: str) -> None:
    listing = tmp_path / "listing"
    listing.write_text(lines)
    groups = module._own_groups(listing)
    monkeypatch.setattr(module, "_own_groups", lambda _: groups)


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    ("quota", "n"),
    [
        ("max 100000", 64),
        ("200000 100000", 2),
        ("50000 100000", 1),
        ("250000 100000", 2),
        ("9900000 100000", 64),
    ],
)
def test_the_quota_of_version_2(machine: Path, monkeypatch: pytest.MonkeyPatch, quota: str, n: int) -> None:
    in_groups(monkeypatch, machine, "0::/\n")
    write(machine / "cpu.max", quota + "\n")
    assert cpus() == n


def test_the_quota_of_a_group_around_the_own_one(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_groups(monkeypatch, machine, "0::/outer/inner\n")
    write(machine / "outer" / "inner" / "cpu.max", "max 100000\n")
    write(machine / "outer" / "cpu.max", "300000 100000\n")
    assert cpus() == 3


@pytest.mark.parametrize(("quota", "n"), [("400000", 4), ("-1", 64)])
def test_the_quota_of_version_1(machine: Path, monkeypatch: pytest.MonkeyPatch, quota: str, n: int) -> None:
    in_groups(monkeypatch, machine, "5:cpuset:/\n4:cpu,cpuacct:/docker/17\n0::/\n")
    write(machine / "cpu,cpuacct" / "docker" / "17" / "cpu.cfs_quota_us", quota + "\n")
    write(machine / "cpu,cpuacct" / "docker" / "17" / "cpu.cfs_period_us", "100000\n")
    assert cpus() == n


def test_the_affinity_where_there_is_no_quota(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module._own_groups(machine / "missing") == {}
    in_groups(monkeypatch, machine, "0::/gone\n")
    assert cpus() == 64


def test_threads_are_limited_for_each_library(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    for name in names:
        monkeypatch.setenv(name, "64")
    limit_threads(2)
    assert [os.environ[name] for name in names] == ["2"] * 3
