"""Parquet in, Parquet out."""

import random
from typing import Any

import pytest

from tests.app.client import Client
from tests.app.files.forms import (
    EVENT,
    PARQUET,
    log_table,
    parquet,
    post,
    predicted,
    refusal,
    scores,
    table,
)


def test_a_file_is_scored_like_a_request(client: Client) -> None:
    read = scores(client, parquet(log_table(), row_group_size=2), PARQUET, "purchase")
    wanted = predicted(client, "purchase", [{"tenure": 3, "events": [EVENT, EVENT]}, {"tenure": 1}, {}])
    assert [row["probability"] for row in read] == pytest.approx(wanted, abs=1e-6)
    assert [(row["customer_id"], row["error"]) for row in read] == [("1", None), ("2", None), ("3", None)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd", "data_page_size": 1_000},
        {"use_dictionary": False},
        {"data_page_version": "2.0", "write_statistics": True, "write_page_index": True},
        {"compression": "none", "row_group_size": 5_000},
        {"version": "1.0", "store_schema": False},
    ],
)
def test_many_rows_in_any_layout(client: Client, options: dict[str, Any]) -> None:
    n_rows = 20_000
    ids = list(map(str, range(n_rows)))
    content = parquet(table(customer_id=ids, bill_1=[n % 9 for n in range(n_rows)]), **options)
    read = scores(client, content, PARQUET)
    assert [row["customer_id"] for row in read] == ids
    assert len({round(row["probability"], 6) for row in read[::9]}) == 1
    assert len({round(row["probability"], 6) for row in read[:9]}) == 9


def test_what_is_no_parquet_or_cut_off_is_refused(client: Client) -> None:
    content = parquet(table(bill_1=[1.0]))
    for body in (
        b"PAR1",
        b"customer_id\n1\n",
        content[:-1],
        content[4:],
        content[:300] + content[-300:],
    ):
        status, detail = refusal(client, body, PARQUET)
        assert status == 422
        assert detail.startswith("file.parquet cannot be read as Parquet: ")


def test_no_damage_does_harm(client: Client) -> None:
    """Bits are flipped, most of them in the footer and the heads of pages, which are most of a small file.

    A crash of the parser ends the child; the next file is scored by another.
    """
    draw, statuses = random.Random(0), []
    content = parquet(log_table(customer_id=["a", "b", "a"]), row_group_size=2)
    for number in range(150):
        damaged = bytearray(content[: draw.randrange(len(content))] if number % 10 == 0 else content)
        for _ in range(draw.choice([1, 1, 4])):
            if damaged:
                damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        statuses.append(post(client, bytes(damaged), PARQUET, "purchase").status_code)
    assert set(statuses) <= {200, 422, 500}
    assert len(scores(client, content, PARQUET, "purchase")) == 3


def test_a_footer_that_ends_the_process_harms_no_other_file(client: Client) -> None:
    content = parquet(log_table(), write_page_index=True)
    broken = post(client, content[:-8] + b"\x00" * 4 + content[-4:], PARQUET, "purchase")
    assert broken.status_code in (422, 500)
    assert len(scores(client, content, PARQUET, "purchase")) == 3
