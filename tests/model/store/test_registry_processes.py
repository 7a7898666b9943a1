"""The registry with several processes: killed, concurrent and read-only ones."""

import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from model.store.registry import Registry
from tests.model.stored import N_PARTS, fill, is_whole, refusal, with_versions


def start(root: Path, turns: int) -> subprocess.Popen[str]:
    """A process that publishes, promotes and rolls back, and prints each version it made."""
    script = f"""
import sys
from pathlib import Path
from model.store.registry import Registry
registry = Registry(Path(sys.argv[1]))
def fill(folder, version):
    for part in range({N_PARTS}):
        (folder / f"part-{{part}}").write_text(f"{{version}}\\n" * 500)
print("ready", flush=True)
for turn in range(int(sys.argv[2])):
    version = registry.publish("churn", fill)
    registry.promote("churn", version)
    if turn % 3 == 1:
        registry.rollback("churn")
    print(version, flush=True)
"""
    command = [sys.executable, "-c", script, str(root), str(turns)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])


def test_sigkill_at_random_moments_leaves_a_valid_registry(tmp_path: Path) -> None:
    registry, moments = Registry(tmp_path), random.Random(0)
    versions: list[int] = []
    rounds = 0
    while rounds < 15 or not versions:  # on a busy machine the first version takes more rounds
        rounds += 1
        with start(tmp_path, 10_000) as process:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            with suppress(subprocess.TimeoutExpired):
                process.wait(moments.uniform(0, 0.04 * max(1, rounds / 15)))
            process.kill()
        assert process.returncode == -9
        versions = registry.versions("churn")
        assert versions == list(range(1, len(versions) + 1))
        assert all(is_whole(registry.folder("churn", version)) for version in versions)
        champion = registry.champion("churn")
        assert champion in versions if versions else champion is None
    assert registry.publish("churn", fill) == len(versions) + 1
    assert not list((tmp_path / "churn").glob(".tmp-*"))


def test_publishers_at_the_same_time_get_versions_of_their_own(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    with start(tmp_path, 6) as one, start(tmp_path, 6) as other, ThreadPoolExecutor(3) as threads:
        made = list(threads.map(lambda _: registry.publish("churn", fill), range(6)))
        printed = [process.communicate()[0] for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0)
    made += [int(line) for text in printed for line in text.split()[1:]]
    assert sorted(made) == list(range(1, 19))
    assert registry.versions("churn") == list(range(1, 19))
    assert all(is_whole(registry.folder("churn", version)) for version in made)


def test_a_read_only_registry_can_be_read_and_reading_writes_nothing(tmp_path: Path) -> None:
    registry = with_versions(tmp_path / "registry", 2)
    registry.promote("churn", 2)
    for path in (registry.root, *registry.root.rglob("*")):
        path.chmod(0o555)
    before = {path: path.stat().st_mtime_ns for path in (registry.root, *registry.root.rglob("*"))}
    try:
        assert registry.names() == ["churn"]
        assert registry.versions("churn") == [1, 2]
        assert registry.champion("churn") == 2
        assert is_whole(registry.folder("churn", registry.resolve("churn", None)))
        if os.geteuid() != 0:  # the superuser may write anywhere
            assert "cannot be changed" in refusal(lambda: registry.publish("churn", fill))
            assert "cannot be changed" in refusal(lambda: registry.promote("churn", 1))
            assert "cannot be changed" in refusal(lambda: registry.rollback("churn"))
        assert {path: path.stat().st_mtime_ns for path in before} == before
        assert {registry.root, *registry.root.rglob("*")} == set(before)
    finally:
        for path in before:
            path.chmod(0o755)
