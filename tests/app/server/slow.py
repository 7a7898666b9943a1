"""The service, with a registry that takes a minute to read: `python -m tests.app.server.slow`."""

import time

from app.__main__ import main
from app.versions import loader
from model.store.checkpoint import Checkpoint


def read_checkpoint(*_: object, **__: object) -> Checkpoint:
    """Nothing can interrupt it, as nothing can a slow disk."""
    time.sleep(60)
    raise AssertionError


if __name__ == "__main__":
    vars(loader).update(read_checkpoint=read_checkpoint)
    main()
