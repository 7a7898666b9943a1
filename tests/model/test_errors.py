import pytest

from model.errors import DataError, redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://user:hunter2@db/shop is no file", "postgresql://user:***@db/shop is no file"),
        ("postgresql:/user:hunter2@db/shop", "postgresql:/user:***@db/shop"),
        ("https://u:p@ss/w:rd@h.example/x", "https://u:***@h.example/x"),
        ("s3://:hunter2@bucket", "s3://:***@bucket"),
        ("redis+tls://u:hunter2@h?x=1", "redis+tls://u:***@h?x=1"),
        ("odbc:db?user=me&Password=hunter2&x=1", "odbc:db?user=me&Password=***&x=1"),
        ("host=db password='hunter2' x=1", "host=db password=*** x=1"),
        ("http://localhost:8000/x and a@b.example", "http://localhost:8000/x and a@b.example"),
        ("row 3, time 10:00 must be a date", "row 3, time 10:00 must be a date"),
    ],
)
def test_no_error_has_a_password(text: str, shown: str) -> None:
    assert redacted(text) == shown
    assert str(DataError(text)) == shown


def test_a_long_text_is_redacted_at_once() -> None:
    word = "x" * 2_000_000  # a pattern that looks on from each letter would take hours
    assert redacted(f"{word} https://u:p@h") == f"{word} https://u:***@h"
