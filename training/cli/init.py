"""The command that writes a first study."""

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from model.errors import StudyError
from training.cli.options import AsJson

_NAME: Final = 63  # letters of a model's name

app = typer.Typer()


@app.command("init")
def init_command(
    files: Annotated[
        list[Path], typer.Argument(help="A customer table, an event log, or both.", metavar="FILE [FILE]")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="The study to write; default: NAME.yaml.")] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", help="A column of the table, an event type, `occurs` or `absent`."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="The model's name; default: that of the first file.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Look at a customer table and an event log, and write a commented study that fits them."""
    from model.store.registry import NAME_PATTERN
    from training.cli import console
    from training.init.draft import draft_study
    from training.init.write import study_text

    if len(files) > len(("table", "log")):
        raise typer.BadParameter(f"one or two files, got {len(files)}")
    name = name or _name_of(files[0])
    path = out or Path(f"{name}.yaml")
    if not NAME_PATTERN.fullmatch(name):
        raise StudyError(f"--name must be a lower-case letter, then a-z, 0-9 and hyphens, got {name!r}.")
    if path.exists():
        raise StudyError(f"{path} must be a new file, got one that exists. Name another with --out.")
    draft = draft_study(files, name, target)
    with path.open("x", encoding="utf-8") as file:
        file.write(study_text(draft, path.parent))
    chosen = dict(draft.target.keys) if draft.target else None
    if json:
        facts = {
            "study": str(path),
            **draft.values(path.parent),
            "target": chosen,
            "exclude": dict(draft.exclude),
        }
        others = [{"target": dict(one.keys), "why": one.why} for one in draft.others]
        about = {"files": draft.files.sentences, "why": draft.target.why if draft.target else None}
        tail = {"others": others, "failed": list(draft.failed), "refused": list(draft.refused)}
        console.print_json({**facts, **about, **tail, "next": f"propense audit {path}"})
        return
    lines = list(draft.files.sentences)
    lines += [f"Target: {draft.target.spelt} ({draft.target.why})."] if draft.target else []
    lines += [f"Excluded {column!r}: {why}" for column, why in draft.exclude.items()]
    lines += [f"Training would be refused: {why}" for why in draft.refused]
    lines += [f"Not {why}" for why in draft.failed]
    if draft.target:
        lines.append(f"Wrote {path}. Check its guesses, then: propense audit {path}")
    else:
        lines.append(f"Wrote {path} without a target: none is plain from the files. Choose one at its end.")
    console.print_lines(lines)


def _name_of(path: Path) -> str:
    stem = re.sub("[^a-z0-9]+", "-", path.name.split(".")[0].lower()).strip("-")
    return (stem if stem[:1].isalpha() else f"study-{stem}".rstrip("-"))[:_NAME]
