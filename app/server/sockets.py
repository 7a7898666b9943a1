"""Where the service listens."""

import logging
import resource
import socket
from contextlib import ExitStack
from typing import Final

_log: Final = logging.getLogger(__name__)
_OTHER_FILES: Final = 200  # beside connections: sockets, checkpoints, pipes


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


def allow_connections(n: int) -> int:
    """Raise the limit of open files so that N connections fit; how many do."""
    wanted = n + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        wanted = hard
        _log.warning("open files are limited to %d, so connections to %d", hard, max(1, hard - _OTHER_FILES))
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(1, wanted - _OTHER_FILES)
