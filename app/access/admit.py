"""What every request meets first: which paths are whose, and from where they may be asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette._utils import get_route_path
from starlette.types import Scope

from app.access.addresses import came_by_network
from app.access.keyring import Keyring
from app.errors import Problem

CALLER: Final = "propense.caller"
"""Where in the ASGI scope the id of the caller's key is."""

Admit = Callable[[Scope, Mapping[bytes, bytes]], None]
PROBES: Final = frozenset({"/health/live", "/health/ready"})
_ADMIN: Final = frozenset({"/metrics", "/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"})


def is_admin(path: str, method: str) -> bool:
    """Whether a request is for those who run the service."""
    return path in _ADMIN or (method == "POST" and path.endswith("/reload"))


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask for what.

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
        """Follow the changes of the keys for ever, if there are any."""
        if self.keyring:
            await self.keyring.watch()

    def admit(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Let a request in, and note whose it is.

        Raises:
            Problem: it may not come in.
        """
        path = get_route_path(scope)
        if path in PROBES:
            return
        admin = is_admin(path, scope["method"])
        if admin and self._admin_without_key(scope):
            return
        if self.keyring:
            caller = self.keyring.caller(headers)
            scope[CALLER] = caller.key.id
            caller.check("admin" if admin else "predict")
        elif not self.open_to_all and came_by_network(scope):
            detail = (
                "the service has no keys, so it answers its own machine alone; PROPENSE_KEYS gives it some"
            )
            raise Problem(403, "no-keys", detail)

    def _admin_without_key(self, scope: Scope) -> bool:
        """Whether an admin request came in by a door that only this machine has."""
        if self.admin_port is None:
            if self.open_to_all and (self.public or came_by_network(scope)):
                raise _nothing_here()
            return False
        if (scope.get("server") or (None, None))[1] != self.admin_port:
            raise _nothing_here()
        return not self.admin_public and not came_by_network(scope)


def _nothing_here() -> Problem:
    return Problem(404, "not-found", "there is nothing at this path")
