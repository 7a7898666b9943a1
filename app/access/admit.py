"""Admission of requests: who may call which path, and from where."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final, Literal

from starlette._utils import get_route_path
from starlette.types import Scope

from app.access.keyring import Keyring
from app.errors import Problem

CALLER: Final = "propense.caller"
"""The place of the ASGI scope that holds the id of the caller's key."""

Admit = Callable[[Scope, Mapping[bytes, bytes]], None]
PROBES: Final = frozenset({"/health/live", "/health/ready"})
_ADMIN: Final = frozenset({"/metrics", "/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"})


def is_admin(path: str, method: str) -> bool:
    """Return whether only those who run the service may send a request."""
    return path in _ADMIN or (method == "POST" and path.endswith("/reload"))


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
    """

    keyring: Keyring | None
    public: bool
    open_to_all: bool
    admin_port: int | None
    admin_public: bool

    async def watch(self) -> None:
        """Follow the changes of the file of keys for ever, if there is one."""
        if self.keyring:
            await self.keyring.watch()

    def admit(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Admit a request, and note the key of its caller in the scope.

        Raises:
            Problem: its caller may not send it.
        """
        path = get_route_path(scope)
        if "\n" in path:  # the router would match the path without it
            raise _nothing_here()
        if path in PROBES:
            return
        admin = is_admin(path, scope["method"])
        if admin and self._admin_without_key(scope):
            return
        if self.keyring:
            caller = self.keyring.caller(headers)
            scope[CALLER] = caller.key.id
            caller.check("admin" if admin else "predict")
        elif not self.open_to_all and _came_by_network(scope):
            detail = "the service has no keys, so it answers its own machine only; set PROPENSE_KEYS"
            raise Problem(403, "no-keys", detail)

    def _admin_without_key(self, scope: Scope) -> bool:
        """Whether an admin request came by an address that only this machine reaches, which needs no key."""
        if self.admin_port is None:
            if self.open_to_all and (self.public or _came_by_network(scope)):
                raise _nothing_here()
            return False
        if (scope.get("server") or (None, None))[1] != self.admin_port:
            raise _nothing_here()
        return not self.admin_public and not _came_by_network(scope)


def _nothing_here() -> Problem:
    return Problem(404, "not-found", "there is nothing at this path")
