"""Who is measured with single rows: how each is run, asked and read."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.serving.models import question
from tests.benchmarks.serving.process import PORT, ROOT, Command, Post
from tests.benchmarks.serving.sample import FLOATS, INTEGERS, Row

JSON: Final = {"Content-Type": "application/json"}
PEERS: Final = ROOT / ".bench" / "serving"  # an environment for each: they want other versions than ours
_RATE: Final = 1_000_000  # requests a second of our key: a limit, though never reached


@dataclass(frozen=True)
class Contender:
    """A server for single rows.

    Attributes:
        command: what runs it; None where its package is not installed.
        body, probability: the JSON of a request about one customer, and what its answer says.
        reads: whether it reads the body at all, and so refuses a bad one.
    """

    name: str
    command: Command | None
    path: str = "/predict"
    body: Callable[[Row], Any] = dict
    probability: Callable[[Any], float] = lambda answer: float(answer["probability"])
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    environment: Mapping[str, str] = field(default_factory=dict)
    reads: bool = True

    def post(self, row: Row) -> Post:
        """A request about one customer."""
        return Post(self.path, json.dumps(self.body(row)).encode(), self.headers)

    def bad_posts(self, row: Row) -> list[Post]:
        """Requests that must be refused: a wrong type, an unknown field, broken JSON."""
        broken = [{**row, INTEGERS[0]: "many"}, {**row, "colour": 1}]
        cut_off = Post(self.path, self.post(row).body[:-1], self.headers)
        return [*map(self.post, broken), cut_off]


def bare() -> Contender:
    """The limit."""
    return Contender("bare uvicorn, constant bytes", _module(sys.executable, "bare"), reads=False)


def floor() -> Contender:
    """What the ratios are to."""
    return Contender("floor: FastAPI, pydantic, a constant", _module(sys.executable, "floor"))


def tutorial() -> Contender:
    """How one begins."""
    return Contender("tutorial: pydantic, DataFrame, torch", _module(sys.executable, "tutorial"))


def ours(label: str, name: str, registry: Path, keys: Path) -> Contender:
    """The service, with a key and a rate limit.

    Args:
        name: of the model.
        keys: the file of keys, to which one is added.
    """
    return Contender(
        label,
        [sys.executable, "-m", "app"],
        path=f"/v1/models/{name}/predict",
        body=lambda row: question([row]),
        probability=lambda answer: float(answer["predictions"][0]["probability"]),
        headers={**JSON, "Authorization": f"Bearer {_key(keys)}"},
        environment={
            "PROPENSE_PORT": PORT,
            "PROPENSE_DRAIN_SECONDS": "0",
            "PROPENSE_REGISTRY": str(registry),
            "PROPENSE_KEYS": str(keys),
        },
    )


def peers() -> list[Contender]:
    """LitServe, BentoML and MLServer, set up as their documentation has it."""
    return [_litserve(), _bentoml(), _mlserver()]


def installed() -> list[str]:
    """The packages of the peers that are there."""
    return [package for package in ("litserve", "bentoml", "mlserver") if _python_with(package)]


def _litserve() -> Contender:
    python = _python_with("litserve")
    return Contender(_named("LitServe", python), python and _module(python, "litserve_server"))


def _bentoml() -> Contender:
    python = _python_with("bentoml")
    service = "tests.benchmarks.serving.servers.bentoml_service:Service"
    words = ["-m", "bentoml", "serve", service, "--host", "127.0.0.1", "--port", PORT]
    return Contender(
        _named("BentoML", python), python and [python, *words], environment={"BENTOML_DO_NOT_TRACK": "True"}
    )


def _mlserver() -> Contender:
    python = _python_with("mlserver")
    return Contender(
        _named("MLServer", python),
        python and _module(python, "mlserver_runtime"),
        path="/v2/models/customers/infer",
        body=lambda row: {"inputs": [_tensor(name, value) for name, value in row.items()]},
        probability=lambda answer: float(answer["outputs"][0]["data"][0]),
    )


def _module(python: str, name: str) -> Command:
    return [python, "-m", f"tests.benchmarks.serving.servers.{name}", PORT]


def _python_with(package: str) -> str | None:
    """The interpreter of a peer's environment."""
    home = PEERS / package
    return str(home / "bin" / "python") if (home / ".installed").is_file() else None


def _named(name: str, python: str | None) -> str:
    """A peer with its version."""
    if python is None:
        return name
    program = f"from importlib.metadata import version; print(version({name.lower()!r}))"
    found = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True)
    return f"{name} {found.stdout.strip()}"


def _tensor(name: str, value: Any) -> dict[str, Any]:
    kind = "INT64" if name in INTEGERS else "FP64" if name in FLOATS else "BYTES"
    return {"name": name, "shape": [1], "datatype": kind, "data": [value]}


def _key(keys: Path) -> str:
    """The text of a new key."""
    words = ["--file", str(keys), "--name", "bench", "--scope", "predict", "--rate", str(_RATE)]
    made = subprocess.run(
        [sys.executable, "-m", "app.keys", "add", *words],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.strip()
