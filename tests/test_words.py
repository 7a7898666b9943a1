"""Plain words: the product, README.md and CONTRIBUTING.md use the glossary of CONTRIBUTING.md."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("app", "model", "training", "configs")
DOCUMENTS = (
    "propense.py",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "Makefile",
    "Dockerfile",
    "compose.yaml",
)
KINDS = {"", ".py", ".j2", ".md", ".yaml", ".conf"}
PLAIN = {
    "alas": "",
    "asked about": "eligible, or predicted",
    "asleep": "idle",
    "awake": "busy polling",
    "careful": "explain",
    "dear": "slow",
    "desk": "scorer",
    "everybody": "all customers",
    "foretold": "predicted",
    "however it": "got",
    "however one": "got",
    "however there": "got",
    "in the house": "in the project",
    "luck": "chance",
    "luckier": "",
    "lucky": "",
    "outbox": "response",
    "sight": "snapshot",
    "takes its leave": "ends",
    "tidy": "trim, or freeze",
    "told": "answer, text, values or result",
    "twin": "measured model",
    "twins": "measured models",
}
"""Each word that is not to be used, and the plain one."""

WORD = re.compile(rf"(?<![a-z])({'|'.join(PLAIN).replace(' ', '[ _]')})(?![a-z])", re.IGNORECASE)


def texts() -> list[Path]:
    """Return the files that a reader or a user reads."""
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*")]
    return [f for f in (*files, *(ROOT / name for name in DOCUMENTS)) if f.suffix in KINDS and f.is_file()]


def found(text: str) -> list[str]:
    """Return each old word of a text with its line and the plain word."""
    return [
        f"{number}: {match[0]!r}, plainly {PLAIN[match[0].lower().replace('_', ' ')]!r}"
        for number, line in enumerate(text.splitlines(), 1)
        for match in WORD.finditer(line)
    ]


@pytest.mark.parametrize("word", PLAIN)
def test_each_old_word_is_found(word: str) -> None:
    assert found(f"first\nAs {word.capitalize()}.") == [f"2: {word.capitalize()!r}, plainly {PLAIN[word]!r}"]


def test_a_part_of_a_word_is_no_word() -> None:
    assert found("a dearth of luckyish endearments") == []
    assert found("self._dear") == ["1: 'dear', plainly 'slow'"]


def test_no_old_word_is_left() -> None:
    left = [f"{file.relative_to(ROOT)}:{each}" for file in texts() for each in found(file.read_text())]
    assert not left, "\n".join(left)
