"""Checkpoints and registries on the disk, for tests."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import CheckpointError
from model.store.checkpoint import Weights, read_checkpoint, write_checkpoint
from model.store.registry import Registry
from tests.model.build import tiny_manifest

REPORTS = {"report.json": b'{"auc": 0.81}', "report.html": b"<h1>churn</h1>"}
REPAIR = "Restore the folder from a copy, or train again."
N_PARTS = 4


def refusal(act: Callable[[], object]) -> str:
    """The text with which an act is refused."""
    with pytest.raises(CheckpointError) as caught:
        act()
    return str(caught.value)


def tiny_weights() -> Weights:
    return {"body.weight": np.arange(6.0).reshape(2, 3) / 7, "counts": np.array([3, 1])}


def written(folder: Path, *, name: str = "churn", version: int = 1) -> Path:
    write_checkpoint(folder, tiny_manifest(name, version), tiny_weights(), REPORTS)
    return folder


def unreadable(folder: Path, **place: Any) -> str:
    """The text with which a checkpoint is refused."""
    return refusal(lambda: read_checkpoint(folder, **place))


def seal_again(folder: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
    """Edit the manifest and make every hash right again, as a forger would. Spells out the digest's rule."""
    path = folder / "manifest.json"
    fields = json.loads(path.read_bytes())
    for name in fields["files"]:
        fields["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    change(fields)
    del fields["digest"]
    text = json.dumps({**fields, "digest": "0" * 64}, indent=2) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(text.replace("0" * 64, digest))


def fill(folder: Path, version: int) -> None:
    for part in range(N_PARTS):
        (folder / f"part-{part}").write_text(f"{version}\n" * 500)


def is_whole(folder: Path) -> bool:
    wanted = {f"part-{part}": f"{folder.name}\n" * 500 for part in range(N_PARTS)}
    return {path.name: path.read_text() for path in folder.iterdir()} == wanted


def with_versions(root: Path, n: int, name: str = "churn") -> Registry:
    registry = Registry(root)
    for _ in range(n):
        registry.publish(name, fill)
    return registry
