"""Listening sockets: taking an address, and closing it without losing a client."""

import asyncio
import ctypes
import logging
import resource
import select
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Final

_log: Final = logging.getLogger(__name__)
_OTHER_FILES: Final = 200  # beside connections: sockets, checkpoints, pipes; half of a limit that is small
_SPARE: Final = 64  # connections beyond the limit of connections
_LEAST_FILES: Final = 48
_HANDSHAKE_SECONDS: Final = 0.02  # for clients that the kernel was just connecting
_SO_ATTACH_FILTER: Final = 26  # of Linux; the module socket has no name for it
# A BPF program over the TCP header: drop a packet with the flag SYN, let all others pass.
_DROP_SYN: Final = struct.pack(
    "HBBI" * 4, 0x30, 0, 0, 13, 0x45, 0, 1, 0x02, 0x06, 0, 0, 0, 0x06, 0, 0, 0xFFFFFFFF
)


def bound(host: str, port: int) -> socket.socket:
    """A TCP socket with its address taken, but not listening yet: until then clients are refused, not hung.

    Raises:
        OSError: the address cannot be had; the message names it.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        with ExitStack() as undo:
            taken = undo.enter_context(socket.socket(family))
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:  # "::" means IPv4 as well
                taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
            taken.bind(address)
            undo.pop_all()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OSError(f"cannot listen on {host} port {port}: {reason}") from None
    return taken


def url(listening: socket.socket) -> str:
    """What to type to reach a socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def allow_connections(n: int) -> tuple[int, int]:
    """Raise the limit of open files so that N connections fit, and some to spare; how many of each do.

    Raises:
        OSError: the limit leaves no room to work with.
    """
    wanted = n + _SPARE + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        wanted = hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < _LEAST_FILES:
        raise OSError(
            f"open files are limited to {wanted}; set the limit (`ulimit -n`) to {_LEAST_FILES} or more"
        )
    room = wanted - min(_OTHER_FILES, wanted // 2)
    spare = min(_SPARE, room // 4)
    if room - spare < n:
        _log.warning("open files are limited to %d, so connections to %d", hard, room - spare)
    return room - spare, spare


def refuse_new_clients(listening: socket.socket) -> None:
    """Have the kernel connect no further clients; those already connected still wait to be accepted.

    Closing a socket resets the clients that it has not accepted. So its queue must be empty by then and stay
    so: the first packet of a new client is dropped, and when the client sends it again it is refused. Systems
    other than Linux have no such filter, and a sandbox may forbid it: then a client that comes in the last
    moment may be reset.
    """
    if sys.platform == "linux":
        program = ctypes.create_string_buffer(_DROP_SYN)
        pointer = struct.pack("HP", len(_DROP_SYN) // 8, ctypes.addressof(program))
        with suppress(OSError):
            listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, pointer)


async def wait_until_accepted(sockets: Sequence[socket.socket]) -> None:
    """Wait until the event loop has accepted every client that is connected to listening sockets."""
    await asyncio.sleep(_HANDSHAKE_SECONDS)
    queues = select.poll()
    for each in sockets:
        queues.register(each, select.POLLIN)
    while queues.poll(0):
        await asyncio.sleep(0)
