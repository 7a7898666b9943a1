"""Loading versions of the registry: read, verified and rebuilt in a thread."""

import gc
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, Protocol, TypeVar

from anyio.to_thread import run_sync

from app.observe.metrics import Metrics
from model.errors import PropenseError
from model.predictor import Predictor
from model.store.checkpoint import read_checkpoint
from model.store.manifest import Manifest
from model.store.registry import Registry

_log: Final = logging.getLogger(__name__)


class Described(Protocol):
    """Something that was built of a version."""

    @property
    def manifest(self) -> Manifest:
        """The manifest of the version."""


_Built = TypeVar("_Built", bound=Described)


@dataclass(frozen=True)
class Refused:
    """Why a version is not in service."""

    reason: str


@dataclass(frozen=True)
class Loader:
    """Loads versions of a registry in a thread.

    Attributes:
        device: where networks run.
        threads: of the CPU, for one prediction.
        metrics: count versions that cannot be loaded.
    """

    registry: Registry
    device: str
    threads: int
    metrics: Metrics

    async def load(
        self,
        name: str,
        version: int,
        build: Callable[[Predictor], _Built],
        *,
        present: _Built | None = None,
    ) -> _Built | Refused:
        """Load a version, with its hashes and golden customers checked; log the reason if that fails.

        Args:
            build: builds the result of it, in the same thread.
            present: the result of an earlier load, which is returned if the files are the same.
        """

        def read_and_build() -> _Built:
            checkpoint = read_checkpoint(self.registry.folder(name, version), name=name, version=version)
            if present and checkpoint.manifest == present.manifest:
                return present
            if checkpoint.manifest.network.reads_steps or self.device != "cpu":
                _import_torch(self.threads)
            return build(Predictor.build(checkpoint, device=self.device))

        try:
            return await run_sync(read_and_build, abandon_on_cancel=True)
        except PropenseError as error:
            kept = present.manifest.version if present else None
            state = f"does not replace {kept}" if kept not in (None, version) else "is not in service"
            if kept == version:
                state = "stays in service as it was loaded, though its files are damaged"
            _log.error("%s %d %s: %s", name, version, state, error)
            reason = self.without_paths(error)
        except Exception:  # the other models go into service all the same
            _log.exception("%s %d is not in service", name, version)
            reason = "loading failed in an unexpected way; the log of the service has the reason"
        self.metrics.count_load_failure(name)
        return Refused(reason)

    def without_paths(self, error: PropenseError | str) -> str:
        """Return a reason without paths, for clients, who need not know where the registry is."""
        root, text = self.registry.root, str(error).replace(f"{self.registry.root}/", "")
        if root.is_absolute():
            text = text.replace(f" at {root}", "").replace(f" {root}", "").replace(f"{root}", "the registry")
        return text


@cache
def _import_torch(threads: int) -> None:
    """Import torch, for a network that needs it, and set its objects aside as those of the start are."""
    import torch

    torch.set_num_threads(threads)
    gc.freeze()
