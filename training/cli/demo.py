"""`make demo`: two studies on real purchases, trained, served, and predicted over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.errors import PropenseError
from model.store.checkpoint import read_checkpoint
from model.store.registry import Registry
from model.times import format_instant, parse_time
from training.cli import console, figures
from training.prepare import read_dataset
from training.publish.publish import train
from training.study.study import Study, read_study

STUDIES: Final = ("purchase", "churn")
AS_OF: Final = "1997-12-31"
CUSTOMERS: Final = ("00003", "00021", "00101")  # customers of the CDNOW log
START_SECONDS: Final = 60


def main() -> None:
    """Run the demonstration in ./demo; what a first run trained, a second one finds there."""
    root = Path(__file__).resolve().parents[2]
    registry = Registry(root / "demo" / "registry")
    studies = {name: read_study(root / "configs" / f"{name}.yaml") for name in STUDIES}
    for study in studies.values():
        _train_once(study, registry)
    histories = _histories(studies[STUDIES[0]])
    with _service(registry.root) as url:
        for name in STUDIES:
            _ask(f"{url}/v1/models/{name}/predict", {"as_of": AS_OF, "customers": histories})
    console.print_lines(
        [
            "",
            "The models stay in demo/registry. To serve them: propense serve --registry demo/registry",
        ]
    )


def _train_once(study: Study, registry: Registry) -> None:
    present = registry.champion(study.name)
    if present is not None:
        manifest = read_checkpoint(registry.folder(study.name, present)).manifest
        if manifest.provenance["study"] == study.model_dump(mode="json"):
            console.print_lines([f"{study.name}: version {present} is trained already."])
            return
    console.print_lines(["", f"Training configs/{study.name}.yaml ({study.network.head} head) ..."])
    started = time.perf_counter()
    with console.epoch_progress() as on_epoch:
        trained = train(study, registry, on_epoch=on_epoch)
    registry.promote(study.name, trained.version)
    figures.print_report(trained.report)
    console.print_lines(
        [f"Trained in {time.perf_counter() - started:.0f} s; see {trained.folder}/report.html"]
    )


def _histories(study: Study) -> list[dict[str, Any]]:
    """The purchases of three customers as a program of yours would send them."""
    dataset, source = read_dataset(study), study.data.events
    assert source is not None
    assert dataset.log is not None
    rows = []
    for customer in CUSTOMERS:
        position = dataset.ids.index(customer)
        log = dataset.log.part(position, position + 1)
        until = log.until(np.zeros(1, dtype=np.int64), np.array([parse_time(AS_OF)]))[0]
        events = [
            {source.time: format_instant(log.times[i]), **{n: float(log.values[n][i]) for n in source.values}}
            for i in range(until)
        ]
        rows.append({source.id: customer, "events": events})
    return rows


@contextmanager
def _service(registry: Path) -> Iterator[str]:
    """The service on a free port of this machine, stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PROPENSE_")}
    environment |= {
        "PROPENSE_REGISTRY": str(registry),
        "PROPENSE_PORT": str(port),
        "PROPENSE_LOG_LEVEL": "warning",
    }
    service = subprocess.Popen([sys.executable, "-m", "app"], env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(service, f"{url}/health/ready")
        yield url
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(timeout=10)
    console.print_lines([f"The service stopped with exit status {service.returncode}."])


def _wait_until_ready(service: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if service.poll() is not None:
            raise PropenseError(f"the service ended at its start with exit status {service.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise PropenseError(f"the service was not ready within {START_SECONDS} s")


def _ask(url: str, question: dict[str, Any]) -> None:
    request = urllib.request.Request(
        url, json.dumps(question).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        answer = json.load(response)
    lines = ["", f"POST {url}", *_compact(question), f"{response.status}", *_compact(answer)]
    console.print_lines(lines)


def _compact(document: dict[str, Any]) -> list[str]:
    """JSON with one line a customer."""
    rows = {key: value for key, value in document.items() if isinstance(value, list)}
    head = {key: value for key, value in document.items() if key not in rows}
    lines = [json.dumps(head)[:-1] + ","]
    for key, value in rows.items():
        listed = [f"   {json.dumps(row)}" for row in value]
        lines += [f' "{key}": [', *(f"{row}," for row in listed[:-1]), listed[-1], " ]}"]
    return lines


if __name__ == "__main__":
    try:
        main()
    except PropenseError as error:
        sys.exit(f"demo: {error}")
