"""The commands of the registry: models, compare, promote, rollback, delete, prune."""

from typing import Annotated, Any, Final

import typer

from training.cli.options import DEFAULT_REGISTRY, AsJson, Name, RegistryDir

_VERDICTS: Final = {"beats": "better", "equals": "no better", "trails": "worse"}  # than the best baseline

app = typer.Typer()


@app.command("models")
def models_command(registry: RegistryDir = DEFAULT_REGISTRY, json: AsJson = False) -> None:
    """List the versions of the registry's models: date, head, figures of their tests, verdict, champion.

    The verdict is about the best baseline, by log loss.
    """
    from model.store.registry import Registry
    from training.cli import console
    from training.publish.versions import version_figures

    shelf = Registry(registry)
    listed: list[dict[str, Any]] = [
        {
            "name": name,
            "versions": shelf.versions(name),
            "champion": shelf.champion(name),
            "figures": version_figures(shelf, name),
        }
        for name in shelf.names()
    ]
    if json:
        console.print_json({"models": listed})
        return
    for model in listed:
        rows = [_row(figures) for figures in model["figures"]]
        console.print_table(
            model["name"], ("version", "date", "head", "AUC", "log loss", "verdict", ""), rows
        )
        console.print_lines(
            [f"Version {f['version']}: {f['error']}" for f in model["figures"] if "error" in f]
        )


def _row(figures: dict[str, Any]) -> tuple[str, ...]:
    mark, version = "champion" if figures["champion"] else "", str(figures["version"])
    if "error" in figures:
        return version, "", "", "", "", "damaged", mark
    numbers = ("-" if figures[key] is None else f"{figures[key]:.4f}" for key in ("auc", "log_loss"))
    verdict = "not fit for service" if figures["fault"] else _VERDICTS.get(figures["outcome"], "")
    return version, figures["created"][: len("2024-01-31")], figures["head"], *numbers, verdict, mark


@app.command("compare")
def compare_command(
    name: Name,
    one: Annotated[int, typer.Argument(help="A version.")],
    other: Annotated[int, typer.Argument(help="Another version.")],
    registry: RegistryDir = DEFAULT_REGISTRY,
    json: AsJson = False,
) -> None:
    """Compare two versions on customers that neither was trained on, in the present files of the study."""
    from model.store.registry import Registry
    from training.cli import console, figures
    from training.publish.versions import compare_versions

    found = compare_versions(Registry(registry), name, one, other)
    if json:
        console.print_json(found)
    else:
        figures.print_decision(found, challenger=f"version {other}")


@app.command("delete")
def delete_command(
    name: Name,
    version: Annotated[int, typer.Argument(help="The version to remove.")],
    registry: RegistryDir = DEFAULT_REGISTRY,
    json: AsJson = False,
) -> None:
    """Remove a version that is neither the champion nor the one before it."""
    from model.store.registry import Registry

    Registry(registry).delete(name, version)
    _print_removed(name, [version], json)


@app.command("prune")
def prune_command(
    name: Name,
    keep: Annotated[int, typer.Option("--keep", min=1, help="How many of the latest versions stay.")],
    registry: RegistryDir = DEFAULT_REGISTRY,
    json: AsJson = False,
) -> None:
    """Remove old versions; the champion and the one before it stay as well."""
    from model.store.registry import Registry

    _print_removed(name, Registry(registry).prune(name, keep), json)


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


def _print_removed(name: str, versions: list[int], as_json: bool) -> None:
    from training.cli import console

    if as_json:
        console.print_json({"name": name, "deleted": versions})
    else:
        console.print_lines(
            [f"{name}: removed {', '.join(f'version {v}' for v in versions) or 'no version'}"]
        )


def _print_champion(name: str, version: int, as_json: bool) -> None:
    from training.cli import console

    if as_json:
        console.print_json({"name": name, "champion": version})
    else:
        console.print_lines([f"{name}: version {version} is champion; a running service follows"])
