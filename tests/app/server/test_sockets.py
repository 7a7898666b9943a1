import asyncio
import logging
import resource
import socket

import pytest

from app.server.sockets import (
    allow_connections,
    bound,
    refuse_new_clients,
    url,
    wait_until_accepted,
)


def test_an_address_is_taken_before_anyone_listens() -> None:
    with bound("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert url(taken) == f"http://127.0.0.1:{port}"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        taken.listen()
        socket.create_connection(("127.0.0.1", port)).close()


def test_an_address_of_version_6() -> None:
    with bound("::1", 0) as taken:
        assert url(taken) == f"http://[::1]:{taken.getsockname()[1]}"


def test_everywhere_means_both_versions() -> None:
    with bound("::", 0) as everywhere:
        everywhere.listen()
        socket.create_connection(("127.0.0.1", everywhere.getsockname()[1])).close()


def test_a_taken_address_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {port}: address already in use"):
            bound("127.0.0.1", port)


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(OSError, match=r"cannot listen on 999\.1\.1\.1 port 1: "):
        bound("999.1.1.1", 1)


@pytest.mark.parametrize(
    ("limits", "n", "raised"),
    [
        ((1024, 1 << 20), 4096, (4360, 1 << 20)),
        ((1 << 20, 1 << 20), 4096, None),
        ((1024, resource.RLIM_INFINITY), 4096, (4360, resource.RLIM_INFINITY)),
        ((1024, 2048), 1784, (2048, 2048)),
    ],
)
def test_the_limit_of_open_files_is_raised(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], n: int, raised: tuple[int, int] | None
) -> None:
    called: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: called.append(new))
    assert allow_connections(4096) == (n, 64)
    assert called == ([raised] if raised else [])


def test_a_hard_limit_lowers_the_connections(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1024))
    with caplog.at_level(logging.WARNING):
        assert allow_connections(4096) == (760, 64)
    assert caplog.messages == ["open files are limited to 1024, so connections to 760"]


def test_a_small_limit_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    assert allow_connections(4096) == (24, 8)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (40, 40))
    with pytest.raises(
        OSError, match=r"open files are limited to 40; set the limit \(`ulimit -n`\) to 48 or more"
    ):
        allow_connections(4096)


def test_a_socket_closes_without_losing_a_client() -> None:
    async def serve() -> bytes:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(1))
            writer.close()

        with bound("127.0.0.1", 0) as listening:
            listening.listen()
            address = listening.getsockname()
            with socket.create_connection(address) as client:  # not accepted yet
                client.sendall(b"x")
                refuse_new_clients(listening)
                server = await asyncio.start_server(echo, sock=listening)
                await wait_until_accepted([listening])
                server.close()
                with pytest.raises(OSError, match=r"timed out|refused"):
                    await asyncio.to_thread(socket.create_connection, address, timeout=0.2)
                return await asyncio.to_thread(client.recv, 1)

    assert asyncio.run(serve()) == b"x"


def test_a_sandbox_that_forbids_the_filter_is_no_error() -> None:
    class Sandboxed(socket.socket):
        def setsockopt(self, *_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

    with Sandboxed() as listening:
        refuse_new_clients(listening)
