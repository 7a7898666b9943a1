"""Checkpoints and registries that were damaged or forged: never loaded; nothing in them runs."""

import json
import os
import pickle
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from model.errors import CheckpointError
from model.store.checkpoint import read_checkpoint
from model.store.registry import Registry
from tests.app.client import Client
from tests.app.server.test_refusals import problem
from tests.app.toys import LOG_SCHEMA, LOG_TASK, TABLE_SCHEMA, TABLE_TASK, publish
from tests.app.versions.watched import ASK, answers, churn, service
from tests.model.stored import seal_again

WEIGHTS, MANIFEST = "weights.safetensors", "manifest.json"


@pytest.fixture
def store(sound: Path, tmp_path: Path) -> Path:
    """A registry of one's own: `churn` in two versions, the first in service; `purchase`."""
    return shutil.copytree(sound, tmp_path / "store")


# --- bits and bytes


def refused(folder: Path) -> bool:
    try:
        read_checkpoint(folder, name="churn", version=2)
    except CheckpointError:
        return True
    return False


def boundaries(path: Path) -> Iterator[int]:
    """Where the parts of a file begin and end."""
    data = path.read_bytes()
    yield from (0, 1, 7, 8, 9, len(data) - 1)
    if path.name == MANIFEST:
        yield from (place for place, byte in enumerate(data) if byte == ord("\n"))
        return
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    for tensor in header.values():
        yield from (start + offset for offset in tensor["data_offsets"])


@pytest.mark.parametrize("name", [WEIGHTS, MANIFEST])
def test_a_file_cut_off_between_two_parts_is_refused(store: Path, name: str) -> None:
    path = store / "churn" / "2" / name
    whole = path.read_bytes()
    places = sorted({place for place in boundaries(path) if place < len(whole)}, reverse=True)
    assert len(places) > 10
    for place in places:
        os.truncate(path, place)
        assert refused(path.parent), place
    path.write_bytes(whole)
    assert not refused(path.parent)


@pytest.mark.parametrize(
    "n_flips", [300, pytest.param(10_000, marks=pytest.mark.heavy)], ids=["some", "many"]
)
def test_a_bit_that_flipped_is_noticed(store: Path, n_flips: int) -> None:
    folder, chance = store / "churn" / "2", random.Random(0)
    files = {path: path.read_bytes() for path in sorted(folder.iterdir())}
    for number in range(n_flips):
        path, data = list(files.items())[number % len(files)]
        bit = chance.randrange(8 * len(data))
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        assert refused(folder), (path.name, bit)
        path.write_bytes(data)
    assert not refused(folder)


# --- forgeries, each of a version that the registry then names as champion


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.target,)


def _pickled(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(pickle.dumps(Bomb(folder.parents[2] / "boom")))
    seal_again(folder)


def _torch_archive(folder: Path) -> None:
    torch.save({"w": torch.ones(1), "bomb": Bomb(folder.parents[2] / "boom")}, folder / WEIGHTS)
    seal_again(folder)


def _zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / WEIGHTS, "w") as archive:
        archive.writestr("../../../../boom", "")
    seal_again(folder)


def _not_finite(folder: Path) -> None:
    weights = load((folder / WEIGHTS).read_bytes())
    name = next(name for name, tensor in weights.items() if tensor.is_floating_point() and tensor.numel())
    weights[name].view(-1)[0] = float("nan")
    (folder / WEIGHTS).write_bytes(save(weights))
    seal_again(folder)


def _one_weight_changed(folder: Path) -> None:
    weights = load((folder / WEIGHTS).read_bytes())
    for tensor in weights.values():
        if tensor.is_floating_point():
            tensor += 0.5
    (folder / WEIGHTS).write_bytes(save(weights))
    seal_again(folder)


def _of_another_network(folder: Path) -> None:
    shutil.copy(folder.parents[1] / "purchase" / "1" / WEIGHTS, folder / WEIGHTS)
    seal_again(folder)


def _link_to_weights(folder: Path) -> None:
    outside = folder.parents[2] / "outside"
    (folder / WEIGHTS).rename(outside)
    (folder / WEIGHTS).symlink_to(outside)


def _pipe(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)


def _further_file(folder: Path) -> None:
    (folder / "hook.py").write_text("import os")


def _no_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def _part_elsewhere(folder: Path) -> None:
    seal_again(folder, lambda fields: fields["files"].update({"../../../outside.json": "1" * 64}))


def _newer_format(folder: Path) -> None:
    seal_again(folder, lambda fields: fields.update(format_version=999))


def _another_head(folder: Path) -> None:
    seal_again(folder, lambda fields: fields["network"].update(head="cnn"))


def _another_category(folder: Path) -> None:
    def add(fields: dict[str, object]) -> None:
        text = json.dumps(fields["schema"]).replace('"contract 0"', '"contract 0", "contract x"', 1)
        fields["schema"] = json.loads(text)

    seal_again(folder, add)


def _unhashed(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-1])


def _empty(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"")


FORGERIES: dict[Callable[[Path], None], str] = {
    _unhashed: f"churn/2/{WEIGHTS} is damaged or exchanged",
    _empty: f"churn/2/{WEIGHTS} is damaged or exchanged",
    _pickled: f"churn/2/{WEIGHTS} must have a header of",
    _torch_archive: f"churn/2/{WEIGHTS} must have a header of",
    _zip: f"churn/2/{WEIGHTS} must have a header of",
    _not_finite: f"churn/2/{WEIGHTS} must have finite weights",
    _one_weight_changed: "golden customers must get their stored probabilities",
    _of_another_network: "the weights must fit the network of the manifest",
    _link_to_weights: f"churn/2/{WEIGHTS} must not be a symbolic link",
    _pipe: f"churn/2/{WEIGHTS} must be a regular file",
    _further_file: "churn/2/hook.py is not a part",
    _no_manifest: f"churn/2/{MANIFEST} cannot be read",
    _part_elsewhere: f"churn/2/{MANIFEST} must list plain lower-case names",
    _newer_format: f"churn/2/{MANIFEST} must have a format version up to 1, got 999",
    _another_head: "the weights must fit the network of the manifest",
    _another_category: "the weights must fit the network of the manifest",
}


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__[1:])
def test_a_forged_version_is_refused_and_the_old_one_answers(
    store: Path, forge: Callable[[Path], None], tmp_path: Path
) -> None:
    forge(store / "churn" / "2")
    with service(store, watch_seconds=0) as client:
        problem(client.predict("churn", ASK, version=2), 503, "model-not-in-service")
        Registry(store).promote("churn", 2)
        told = problem(client.request("POST", "/v1/models/churn/reload"), 409, "not-reloaded")["detail"]
        assert FORGERIES[forge] in told
        assert str(tmp_path) not in told
        wanted, serving, _ = churn(client)
        assert (wanted, serving) == (2, 1)
        assert client.get("/health/ready").status_code == 200
        assert answers(client, 1)
    assert not (tmp_path / "boom").exists()


# --- the registry itself


def assert_serves_on(client: Client) -> None:
    for _ in range(2):
        client.request("POST", "/v1/models/churn/reload")
        assert answers(client, 1)
    assert client.get("/health/ready").status_code == 200


def test_links_out_of_the_registry_lead_nowhere(store: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    publish(outside, "churn", TABLE_SCHEMA, TABLE_TASK, seed=7)
    publish(outside, "other", LOG_SCHEMA, LOG_TASK)
    (store / "other").symlink_to(outside / "other")
    (store / "churn" / "3").symlink_to(outside / "churn" / "1")
    (store / "churn" / "champion").write_text("3\n")
    with service(store, watch_seconds=0) as client:
        for path in ("/v1/models/other/reload", "/v1/models/other/predict"):
            problem(client.request("POST", path), 404, "unknown-model")
        problem(client.predict("churn", ASK, version=3), 404, "unknown-version")
        assert churn(client)[:2] == (None, None)
        assert client.predict("churn", ASK, version=2).status_code == 200


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "large"])
def test_a_champion_file_that_is_none_changes_nothing(store: Path, tmp_path: Path, kind: str) -> None:
    path, secret = store / "churn" / "champion", tmp_path / "secret"
    secret.write_text("password")
    with service(store, watch_seconds=0) as client:
        path.unlink()
        match kind:
            case "link":
                path.symlink_to(secret)
            case "pipe":
                os.mkfifo(path)
            case "folder":
                path.mkdir()
            case _:
                path.write_bytes(b"1" * 1_000_000)
        assert_serves_on(client)
        assert "password" not in client.get("/v1/models/churn").text


def test_serving_writes_nothing(store: Path) -> None:
    def everything() -> list[tuple[str, int, int]]:
        stats = [(str(path), path.stat()) for path in sorted(store.rglob("*"))]
        return [(path, stat.st_mtime_ns, stat.st_ino) for path, stat in stats]

    before = everything()
    with service(store) as client:
        assert client.predict("churn", ASK, version=2).status_code == 200
        assert_serves_on(client)
    assert everything() == before
