"""Admission of requests: who may call which route, and from where.

No site may have a browser ask the service without a key: a page can have its own name lead to this machine
(DNS rebinding), and can post forms to any address. Neither works where a request needs a key, which no
browser sends itself.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final, Literal

from starlette.types import Scope

from app.access.keyring import Keyring
from app.errors import Problem

CALLER: Final = "propense.caller"
"""The place of the ASGI scope that holds the id of the caller's key."""

Admit = Callable[[Scope, Mapping[bytes, bytes]], None]
PROBES: Final = frozenset({"/health/live", "/health/ready"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OWN_SITE: Final = (b"same-origin", b"none")
_CALLERS: Final = frozenset(
    {
        "/v1/models",
        "/v1/models/{name}",
        "/v1/models/{name}/predict",
        "/v1/models/{name}/versions/{version}/predict",
        "/v1/models/{name}/score",
        "/v1/models/{name}/versions/{version}/score",
    }
)


def is_admin(route: str | None) -> bool:
    """Return whether only those who run the service may call a route: any that is not listed here as open.

    Args:
        route: the pattern of the route that the router takes; None: there is none.
    """
    return route is not None and route not in _CALLERS


def _came_by_network(scope: Scope) -> bool:
    """Whether a request came to an address on a network; a Unix socket has none."""
    server = scope.get("server")
    return server is not None and kind_of(server[0]) == "network"


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of admission.

    Attributes:
        keyring: the keys; None: no key is needed.
        public: whether the service listens to other machines.
        open_to_all: whether other machines may call without a key.
        admin_port: the only port that answers what `is_admin`; None: the one port answers it.
        admin_public: whether that port listens to other machines.
        hosts: names that a request without a key may be sent to, beside those of this machine.
    """

    keyring: Keyring | None
    public: bool
    open_to_all: bool
    admin_port: int | None
    admin_public: bool
    hosts: frozenset[str] = frozenset()

    async def watch(self) -> None:
        """Follow the changes of the file of keys for ever, if there is one."""
        if self.keyring:
            await self.keyring.watch()

    def admit(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Admit a request, and note the key of its caller in the scope.

        Args:
            scope: with the route that the router takes.

        Raises:
            Problem: its caller may not send it.
        """
        if "\n" in scope["path"]:  # the router would match the path without it, as a proxy would not
            raise _nothing_here()
        route = getattr(scope.get("route"), "path", None)
        if route in PROBES:
            return
        admin = is_admin(route)
        if admin and self._admin_without_key(scope):
            check_page(headers, scope["method"], self.hosts)
        elif self.keyring:
            caller = self.keyring.caller(headers)
            scope[CALLER] = caller.key.id
            caller.check("admin" if admin else "predict")
        elif not self.open_to_all and _came_by_network(scope):
            detail = "the service has no keys, so it answers its own machine only; set PROPENSE_KEYS"
            raise Problem(403, "no-keys", detail)
        elif self.hosts or not self._open_here(scope):
            check_page(headers, scope["method"], self.hosts)

    def _admin_without_key(self, scope: Scope) -> bool:
        """Whether an admin request came by an address that only this machine reaches, which needs no key."""
        if self.admin_port is None:
            if self._open_here(scope):
                raise _nothing_here()
            return False
        if (scope.get("server") or (None, None))[1] != self.admin_port:
            raise _nothing_here()
        return not self.admin_public and not _came_by_network(scope)

    def _open_here(self, scope: Scope) -> bool:
        """Whether other machines may call, without a key, the address that a request came to."""
        return self.open_to_all and (self.public or _came_by_network(scope))


def _nothing_here() -> Problem:
    return Problem(404, "not-found", "there is nothing at this path")


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
