"""Which addresses other machines can reach."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Literal

from starlette.types import Scope


@lru_cache(maxsize=64)
def kind_of(host: str) -> Literal["loopback", "network", "name"]:
    """What an address is: this machine's own, one on a network, or no IP address at all."""
    if host == "localhost":
        return "loopback"
    try:
        address = ip_address(host)
    except ValueError:
        return "name"
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return "loopback" if address.is_loopback else "network"


def came_by_network(scope: Scope) -> bool:
    """Whether a request came to an address of a network; a Unix socket, which has no IP address, is none."""
    server = scope.get("server")
    return server is not None and kind_of(server[0]) == "network"
