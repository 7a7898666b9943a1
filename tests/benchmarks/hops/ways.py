"""The ways through the product that are followed, each in real processes."""

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.app.toys import AS_OF, LOG_SCHEMA, LOG_TASK, TABLE_SCHEMA, TABLE_TASK, publish
from tests.benchmarks.hops.record import Hops, Recorder

START_S: Final = 120.0
HEAD: Final = "mlp"  # that of a study that names none

ROW: Final = {"Total Charges": 5.5, "contract": "contract 1", "_senior": True, "since": "1997-01-01"}
CUSTOMER: Final = {
    "customer_id": "1",
    "tenure": 3.5,
    "events": [{"date": "1997-01-01", "kind": "buy", "amount": 9.5, "shop": "north"}],
}
CSV: Final = "Total Charges,contract,copy,_senior,since,bill_1,bill_2\n5.5,contract 1,1,true,01.01.1997,1,2\n"
STUDY: Final = """\
name: cancel
data:
  customers: {path: shop/customers.csv, id: customer_id}
  events: {path: shop/events.csv, id: customer_id, time: time, type: type, values: [amount]}
target:
  event: cancel
  outcome: occurs
  horizons_days: [30, 90]
  eligible_within_days: 60
  cutoffs: {every_days: 60}
network: {width: 8, layers: 1, members: 2, embedding: 2}
fit: {device: cpu, epochs: 1}
"""


def follow(folder: Path) -> Iterator[tuple[str, Hops]]:
    """Yield the name of each way and what it enters."""
    registry = folder / "registry"
    publish(registry, "table", TABLE_SCHEMA, TABLE_TASK, head=HEAD)
    publish(registry, "log", LOG_SCHEMA, LOG_TASK, head=HEAD)
    recorder = Recorder(folder / "service.log")
    with _service(recorder, registry) as post:
        posts = {
            "POST, one row of a table": partial(post, "table", "predict", _question(ROW)),
            "POST, one customer of a log": partial(post, "log", "predict", _question(CUSTOMER)),
            "/score, a CSV": partial(post, "table", "score", CSV.encode(), "text/csv"),
        }
        for name, act in posts.items():
            yield name, _warm(recorder, act)
    yield "train, a small study", _train(Recorder(folder / "train.log"), folder)


def _warm(recorder: Recorder, act: Callable[[], object]) -> Hops:
    """Follow the third of three: the first ones load and compile."""
    act()
    act()
    return recorder.hops(act)


def _question(customer: dict[str, Any]) -> bytes:
    return json.dumps({"as_of": AS_OF, "customers": [customer]}).encode()


@contextmanager
def _service(recorder: Recorder, registry: Path) -> Iterator[Callable[..., None]]:
    """A recorded service; sends it POSTs over one connection."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"registry": registry, "port": port, "watch_seconds": 0, "log_level": "error"}
    environment = recorder.environment() | {f"PROPENSE_{k.upper()}": str(v) for k, v in settings.items()}
    process = subprocess.Popen([sys.executable, "-m", "app"], env=environment)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_S)
    try:
        _wait_until_ready(connection)
        yield partial(_post, connection)
    finally:
        connection.close()
        process.terminate()
        process.wait(START_S)


def _wait_until_ready(connection: http.client.HTTPConnection) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            connection.request("GET", "/health/ready")
            response = connection.getresponse()
            response.read()
        except OSError:
            connection.close()
        else:
            if response.status == http.HTTPStatus.OK:
                return
        time.sleep(0.1)
    raise TimeoutError(f"the service was not ready within {START_S:.0f} s")


def _post(
    connection: http.client.HTTPConnection,
    model: str,
    route: str,
    body: bytes,
    content_type: str = "application/json",
) -> None:
    connection.request("POST", f"/v1/models/{model}/{route}", body, {"content-type": content_type})
    response = connection.getresponse()
    text = response.read()
    if response.status != http.HTTPStatus.OK:
        raise ValueError(f"{route} answered {response.status}: {text.decode()}")


def _train(recorder: Recorder, folder: Path) -> Hops:
    propense = Path(sys.executable).with_name("propense")
    run = partial(subprocess.run, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    run([propense, "simulate", "--customers", "300", "--out", "shop"])
    (folder / "cancel.yaml").write_text(STUDY)
    environment = recorder.environment() | {"OMP_NUM_THREADS": "1"}
    return recorder.hops(lambda: run([propense, "train", "cancel.yaml"], env=environment))
