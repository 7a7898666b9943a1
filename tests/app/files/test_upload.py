"""Spooling a file: its folder, its time, and a disk without room."""

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from app.errors import Problem
from app.files import upload
from app.files.upload import receive_file, send_file, spool


def messages(*sent: Message) -> Any:
    """A `receive` of these messages; after the last it waits."""
    waiting = list(sent)

    async def receive() -> Message:
        if not waiting:
            await asyncio.sleep(60)
        return waiting.pop(0)

    return receive


def body(content: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": content, "more_body": more}


def test_a_body_in_pieces_is_a_file_and_the_folder_goes() -> None:
    with spool() as folder:
        pieces = [bytes([n]) * 700_000 for n in range(4)]
        receive = messages(*map(body, pieces), body(b"", more=False))
        asyncio.run(receive_file(receive, folder / "file.csv", seconds=10))
        assert (folder / "file.csv").read_bytes() == b"".join(pieces)
    assert not folder.exists()


def test_a_client_that_leaves_or_takes_too_long(tmp_path: Path) -> None:
    with pytest.raises(ClientDisconnect):
        asyncio.run(
            receive_file(messages(body(b"a"), {"type": "http.disconnect"}), tmp_path / "f", seconds=10)
        )
    with pytest.raises(Problem, match=r"a file must be sent within 0\.05 seconds") as refused:
        asyncio.run(receive_file(messages(body(b"a")), tmp_path / "f", seconds=0.05))
    assert refused.value.status == 408


def test_a_disk_without_room_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Problem) as refused, spool():
        raise OSError(errno.ENOSPC, "No space left on device")
    assert (refused.value.status, refused.value.kind) == (503, "no-room")

    def fails(**_: object) -> None:
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr(upload, "TemporaryDirectory", fails)
    with pytest.raises(Problem, match="no room on disk"), spool():
        pass


def test_a_file_is_sent_with_its_length(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_bytes(b"x" * 600_000)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(send_file(send, tmp_path / "scores.csv", [(b"content-type", b"text/csv")]))
    assert sent[0]["headers"] == [(b"content-type", b"text/csv"), (b"content-length", b"600000")]
    assert b"".join(message["body"] for message in sent[1:]) == b"x" * 600_000
    assert [message.get("more_body", False) for message in sent[1:]] == [True, True, True, False]
