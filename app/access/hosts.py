"""Which hosts a request without a key may name, and which pages may send it.

No site may have a browser ask the service: a page can have its own name lead to this machine (DNS rebinding),
and can post forms to any address. Neither works where a request needs a key, which no browser sends itself.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final, Literal

from app.errors import Problem

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OWN_SITE: Final = (b"same-origin", b"none")


@lru_cache(maxsize=64)
def kind_of(host: str) -> Literal["loopback", "network", "name"]:
    """Return what an address is: this machine's own, one on a network, or no IP address at all."""
    if host == "localhost":
        return "loopback"
    try:
        address = ip_address(host)
    except ValueError:
        return "name"
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return "loopback" if address.is_loopback else "network"


def check_page(headers: Mapping[bytes, bytes], method: str, hosts: Collection[str]) -> None:
    """Check the host that a request without a key names, and the page that sends it.

    Args:
        hosts: allowed names beside those of this machine; `*` allows all.

    Raises:
        Problem: a host that is not allowed, or a page of another site that may change something.
    """
    host = headers.get(b"host")
    if host is not None and "*" not in hosts:
        name = _name_of(host)
        if not (_is_near(name) or name in hosts):
            detail = "without keys, Host must be localhost or one of PROPENSE_ALLOWED_HOSTS"
            raise Problem(403, "host-not-allowed", detail)
    if method not in _SAFE and _is_cross_site(headers, host or b""):
        raise Problem(403, "cross-site", "without keys, no page of another site may send this")


def _is_near(name: str) -> bool:
    """Whether no site of the internet can have a name: this machine's own, and those without a dot."""
    kind = kind_of(name)
    return kind == "loopback" or (kind == "name" and name != "" and "." not in name)


def _is_cross_site(headers: Mapping[bytes, bytes], host: bytes) -> bool:
    """Whether a page of another site sends a request. What is no browser sends neither header."""
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site.lower() not in _OWN_SITE
    origin = headers.get(b"origin")
    return origin is not None and origin.lower().partition(b"://")[2] != host.lower()


@lru_cache(maxsize=64)
def _name_of(host: bytes) -> str:
    """The name or address in a Host header, without the port."""
    name = host.decode("latin-1").lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.rpartition(":")[0] if name.count(":") == 1 else name
