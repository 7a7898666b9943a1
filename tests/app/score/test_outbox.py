"""Answers for clients that read, that do not read yet, and that read no more."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message

from app.errors import Problem
from app.score.outbox import Outbox
from app.score.spool import Spool

PIECES = [bytes([n]) * 300_000 for n in range(40)]


class Reader:
    """A client: takes what it is sent while `reads` is set."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        await self.reads.wait()
        self.messages.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.messages[1:])


def run(use: Callable[[Reader, Outbox], Awaitable[None]], limit: int = 1 << 30) -> None:
    async def main() -> None:
        reader = Reader()
        outbox = Outbox(reader.send, b"text/csv", limit)
        try:
            await asyncio.wait_for(use(reader, outbox), 20)
        finally:
            await outbox.drop()

    asyncio.run(main())


def test_a_client_that_reads_gets_all_in_order() -> None:
    async def use(reader: Reader, outbox: Outbox) -> None:
        assert not outbox.started
        reader.reads.set()
        for piece in PIECES:
            await outbox.put(piece, sending=True)
        await outbox.close()
        assert reader.messages[0]["headers"] == [(b"content-type", b"text/csv")]
        assert reader.body == b"".join(PIECES)
        assert [message.get("more_body", False) for message in reader.messages[-2:]] == [True, False]

    run(use)


def test_a_client_that_reads_only_when_it_has_sent_all_is_not_waited_for() -> None:
    async def use(reader: Reader, outbox: Outbox) -> None:
        for piece in PIECES:
            await outbox.put(piece, sending=True)
        assert reader.messages == []
        reader.reads.set()
        await outbox.close()
        assert reader.body == b"".join(PIECES)

    run(use)


def test_a_client_that_reads_now_and_then_gets_all_in_order() -> None:
    async def use(reader: Reader, outbox: Outbox) -> None:
        for number, piece in enumerate(PIECES):
            (reader.reads.set if number % 10 > 5 else reader.reads.clear)()
            await outbox.put(piece, sending=True)
            await asyncio.sleep(0.001)
        reader.reads.set()
        await outbox.close()
        assert reader.body == b"".join(PIECES)

    run(use)


@pytest.mark.parametrize(("sending", "limit"), [(False, 1 << 30), (True, 1_000_000)])
def test_nothing_piles_up_beyond_the_limit(sending: bool, limit: int) -> None:
    async def use(reader: Reader, outbox: Outbox) -> None:
        async def put_all() -> None:
            for piece in PIECES:
                await outbox.put(piece, sending=sending)

        putting = asyncio.ensure_future(put_all())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(putting), 0.05)
        reader.reads.set()
        await putting
        await outbox.close()
        assert reader.body == b"".join(PIECES)

    run(use, limit)


def test_an_empty_answer_is_one_too() -> None:
    async def use(reader: Reader, outbox: Outbox) -> None:
        reader.reads.set()
        await outbox.put(b"", sending=True)
        assert not outbox.started
        await outbox.close()
        assert reader.body == b""
        assert reader.messages[0]["status"] == 200

    run(use)


def test_what_sending_raises_ends_the_answer() -> None:
    async def fail(_: Message) -> None:
        raise OSError("gone")

    async def main() -> None:
        outbox = Outbox(fail, b"text/csv", 1 << 20)
        await outbox.put(b"a", sending=False)
        await asyncio.sleep(0.01)
        with pytest.raises(OSError, match="gone"):
            await outbox.put(b"b", sending=False)
        with pytest.raises(OSError, match="gone"):
            await outbox.close()
        await outbox.drop()

    asyncio.run(main())


def test_a_spool_gives_back_what_it_took_and_its_room() -> None:
    spool = Spool.open(10)
    assert spool.on_disk
    spool.append(b"abcdef")
    assert spool.take(4) == b"abcd"
    spool.append(b"ghi")
    assert not spool.has_room(2)
    with pytest.raises(Problem, match="may have 10 bytes"):
        spool.append(b"jk")
    assert spool.take(99) == b"efghi"
    assert spool.has_room(10)
    assert spool.take(99) == b""
    spool.close()
