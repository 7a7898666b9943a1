"""Exit codes, help, and one JSON object whatever happens."""

from pathlib import Path

import pytest
import typer

from tests.training.cli.commands import Run, in_a_process
from training.cli import main as cli

COMMANDS = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
USAGE = {
    "no command": [],
    "unknown command": ["tran"],
    "unknown option": ["models", "--regstry", "x"],
    "missing argument": ["train"],
    "missing option": ["score", "table"],
    "too many arguments": ["models", "x"],
    "not a number": ["promote", "table", "two"],
    "out of range": ["serve", "--port", "0"],
    "option without a value": ["train", "x", "--set"],
}


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_wrong_usage_is_told_in_one_line_with_status_2(run: Run, words: list[str]) -> None:
    ran = run(*words)
    assert ran.status == 2
    assert ran.err.startswith("propense: ")
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.err
    if words:
        assert ran.out == ""
        as_json = run(*words[:1], "--json", *words[1:])
        assert (as_json.status, as_json.told) == (2, {"error": as_json.err.removeprefix("propense: ")[:-1]})
    else:
        assert "Usage: propense" in ran.out


def test_a_run_that_is_stopped_says_so(run: Run, registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("model.predictor.load_version", stop)
    ran = run("evaluate", "table", "--registry", registry, "--json")
    assert (ran.status, ran.err, ran.told) == (1, "propense: stopped\n", {"error": "stopped"})


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_explains_every_option(run: Run, name: str) -> None:
    ran = run(*filter(None, [name]), "--help")
    assert (ran.status, ran.err) == (0, "")
    if not name:
        assert all(f" {command} " in ran.out for command in COMMANDS)
        return
    assert COMMANDS[name].help
    for parameter in COMMANDS[name].params:
        assert getattr(parameter, "help", None), f"{name} does not explain {parameter.name}"
        for spelling in (*parameter.opts, *parameter.secondary_opts):
            if spelling.startswith("-"):
                assert spelling in ran.out
    assert run(*filter(None, [name]), "-h").out == ran.out


def test_every_command_can_answer_in_json() -> None:
    assert COMMANDS
    for name, command in COMMANDS.items():
        assert "--json" in {option for parameter in command.params for option in parameter.opts}, name


def test_the_installed_command_refuses_with_its_status_alone(tmp_path: Path) -> None:
    wrong = in_a_process(tmp_path, "promote", "table")
    assert (wrong.status, wrong.out) == (2, "")
    assert wrong.err == "propense: Missing argument 'version'.\n"
    assert list(tmp_path.iterdir()) == []
