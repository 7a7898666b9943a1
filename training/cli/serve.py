"""The command that starts the HTTP service."""

import os
import sys
from importlib import import_module
from typing import Annotated

import typer

from training.cli.options import DEFAULT_REGISTRY, AsJson, RegistryDir

app = typer.Typer()


@app.command("serve")
def serve_command(
    registry: RegistryDir = DEFAULT_REGISTRY,
    host: Annotated[
        str, typer.Option("--host", envvar="PROPENSE_HOST", help="Address; 0.0.0.0 is every interface.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", envvar="PROPENSE_PORT", min=1, max=65535, help="TCP port.")
    ] = 8000,
    json: AsJson = False,
) -> None:
    """Serve the registry's champions over HTTP until stopped; /docs describes the routes."""
    from model.store.registry import Registry

    names = Registry(registry).names()  # fails here, in one line, if there is no registry
    if json:
        from training.cli import console

        console.print_json({"url": f"http://{host}:{port}", "models": names})
    sys.stdout.flush()
    os.environ |= {"PROPENSE_REGISTRY": str(registry), "PROPENSE_HOST": host, "PROPENSE_PORT": str(port)}
    # By name: `training` must not depend on `app`. In this process, whose path has no current folder: an
    # `app.py` that lies there is not the service.
    import_module("app.__main__").main()
