"""The commands that list versions and choose the champion: models, promote, rollback."""

from typing import Annotated

import typer

from training.cli.options import DEFAULT_REGISTRY, AsJson, Name, RegistryDir

app = typer.Typer()


@app.command("models")
def models_command(registry: RegistryDir = DEFAULT_REGISTRY, json: AsJson = False) -> None:
    """List the models of the registry with their versions and champions."""
    from model.store.registry import Registry
    from training.cli import console

    shelf = Registry(registry)
    listed = [(name, shelf.versions(name), shelf.champion(name)) for name in shelf.names()]
    if json:
        console.print_json(
            {"models": [dict(zip(("name", "versions", "champion"), one, strict=True)) for one in listed]}
        )
        return
    rows = [(name, ", ".join(map(str, versions)), str(champion)) for name, versions, champion in listed]
    console.print_table(str(registry), ("model", "versions", "champion"), rows)


@app.command("promote")
def promote_command(
    name: Name,
    version: Annotated[int, typer.Argument(help="The version to put in service.")],
    registry: RegistryDir = DEFAULT_REGISTRY,
    json: AsJson = False,
) -> None:
    """Put a version in service."""
    from model.store.registry import Registry

    Registry(registry).promote(name, version)
    _print_champion(name, version, json)


@app.command("rollback")
def rollback_command(name: Name, registry: RegistryDir = DEFAULT_REGISTRY, json: AsJson = False) -> None:
    """Put the previous champion back in service."""
    from model.store.registry import Registry

    _print_champion(name, Registry(registry).rollback(name), json)


def _print_champion(name: str, version: int, as_json: bool) -> None:
    from training.cli import console

    if as_json:
        console.print_json({"name": name, "champion": version})
    else:
        console.print_lines([f"{name}: version {version} is champion; a running service follows"])
