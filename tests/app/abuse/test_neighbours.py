"""A customer's score does not depend on who else is asked about, or on what others send at the same time."""

import http.client
import json
import random
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from typing import Any, Final

import pytest

from tests.app.abuse.conftest import Target
from tests.app.abuse.wire import predict, refused, scores
from tests.app.client import JSON
from tests.app.process import HANGS
from tests.app.toys import AS_OF, CONTRACTS

SAME: Final = 1e-6
Row = dict[str, Any]


def table_rows(n: int) -> list[Row]:
    chance = random.Random(0)
    return [
        {
            "Total Charges": chance.choice([None, 0.0, 7.5, chance.uniform(-5, 50)]),
            "contract": chance.choice([*CONTRACTS[:5], "never seen", None]),
            "copy": chance.choice([1, 2.5, True, None]),
            "_senior": chance.choice([0, 1, True, None]),
            "since": chance.choice(["1995-01-31", "1997-12-31T10:00:00Z", None]),
            "bill_1": chance.uniform(0, 10),
        }
        for _ in range(n)
    ]


def log_rows(n: int) -> list[Row]:
    chance = random.Random(0)

    def event() -> Row:
        date = f"1997-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        return {
            "date": date,
            "amount": chance.uniform(0, 10),
            "kind": chance.choice(["buy", "visit", "x", None]),
        }

    return [{"tenure": chance.uniform(0, 10), "events": [event() for _ in range(n % 12)]} for n in range(n)]


BAD: Final[list[Any]] = [{"contract": []}, {"bill_1": 1e39}, {"since": "soon"}, {"x": 1}, 7]
ROWS: Final = {"churn": table_rows(4_096), "purchase": log_rows(4_096)}


class Asking:
    """One client over one connection."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)

    def scores(self, name: str, rows: Sequence[Row]) -> list[float]:
        """Of some customers."""
        body = json.dumps({"as_of": AS_OF, "customers": rows})
        self._http.request("POST", f"/v1/models/{name}/predict", body, JSON)
        answer = self._http.getresponse()
        told = answer.read()
        assert answer.status == 200, told
        return [one["probability"] for one in json.loads(told)["predictions"]]

    def close(self) -> None:
        self._http.close()


def asked(port: int, name: str, rows: Sequence[Row]) -> list[float]:
    asking = Asking(port)
    try:
        return asking.scores(name, rows)
    finally:
        asking.close()


def alone(port: int, name: str, rows: Sequence[Row]) -> list[float]:
    """The scores of rows that are asked about one by one."""
    asking = Asking(port)
    try:
        return [asking.scores(name, [row])[0] for row in rows]
    finally:
        asking.close()


GARBAGE: Final = (
    b'{"customers": [{"contract": []}]}',
    b'{"customers": [{"bill_1": NaN}]}',
    b'{"customers": [{}, {"bill_1": 1e39}, {"events": 3}]}',
    b'{"customers": [%s]}' % b",".join([b'{"since": "soon"}'] * 500),
    b"[" * 300_000,
    b"\xff",
)


@contextmanager
def garbage(port: int) -> Iterator[None]:
    """Another client meanwhile, who sends what has to be refused."""
    done = threading.Event()

    def send() -> None:
        for body in cycle(GARBAGE):
            refused(predict(port, body), 400, 422)
            if done.wait(0.002):
                return

    with ThreadPoolExecutor(1) as client:
        sending = client.submit(send)
        try:
            yield
        finally:
            done.set()
        sending.result()


@pytest.mark.parametrize("name", ["churn", "purchase"])
def test_a_row_alone_is_a_row_in_any_batch(target: Target, name: str) -> None:
    rows = ROWS[name]
    with garbage(target.port):
        single = alone(target.port, name, rows[:40])
        for size in (2, 17, 256, 4_096):
            together = asked(target.port, name, rows[:size])
            assert together[:40] == pytest.approx(single[:size], abs=SAME)
            assert asked(target.port, name, rows[size - 1 :: -1])[::-1] == pytest.approx(together, abs=SAME)


@pytest.mark.parametrize("name", ["churn", "purchase"])
def test_clients_at_the_same_time_get_their_own_scores(target: Target, name: str) -> None:
    rows = ROWS[name][:128]
    wanted = asked(target.port, name, rows)
    with garbage(target.port), ThreadPoolExecutor(8) as clients:
        shares = [range(first, len(rows), 8) for first in range(8)]
        got = list(clients.map(lambda share: alone(target.port, name, [rows[n] for n in share]), shares))
    for share, told in zip(shares, got, strict=True):
        assert told == pytest.approx([wanted[n] for n in share], abs=SAME)


def test_a_bad_row_refuses_its_own_request_only(target: Target) -> None:
    rows = ROWS["churn"][:50]
    wanted = asked(target.port, "churn", rows)
    for bad in BAD:
        body = json.dumps({"as_of": AS_OF, "customers": [*rows, bad]}).encode()
        assert [fault["row"] for fault in refused(predict(target.port, body), 422)["errors"]] == [51]
        assert asked(target.port, "churn", rows) == wanted


def test_what_is_odd_about_a_neighbour_changes_nothing(target: Target) -> None:
    odd = {"Total Charges": 3.4e38, "contract": "\0" * 1_000, "since": "9999-12-31", "bill_2": -3.4e38}
    rows = ROWS["churn"][:50]
    body = json.dumps({"as_of": AS_OF, "customers": [odd, *rows, odd]}).encode()
    with_odd = scores(predict(target.port, body))
    assert with_odd[1:-1] == pytest.approx(asked(target.port, "churn", rows), abs=SAME)
