"""RESULTS.md: every benchmark command replaces its own section there and leaves the others alone."""

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
HEADER: Final = """# Results of the benchmarks

Each section is written by the command that it names. Run it again to replace it: the others stay.
"""
_CPU_MODEL: Final = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)


def write_section(
    name: str,
    title: str,
    lines: Sequence[str],
    versions: Sequence[str],
    *,
    command: str,
    path: Path = RESULTS,
) -> None:
    """Replace the section of this name, or add it.

    Args:
        name: of the section, unseen by a reader; [a-z-]+.
        title: its heading.
        lines: the body in Markdown.
        versions: names of installed packages whose versions matter.
        command: what the reader runs to get the section again, without a path of this machine.
        path: the Markdown file.
    """
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    packages = ", ".join(f"{package} {_version(package)}" for package in versions)
    facts = [
        f"`{command}`",
        "",
        f"{datetime.now(UTC):%Y-%m-%d} on {machine()}; Python {platform.python_version()}, {packages}.",
    ]
    section = "\n".join([f"## {title}", "", *facts, "", *lines, ""])
    text = path.read_text() if path.is_file() else HEADER
    before, found, rest = text.partition(start)
    after = rest.partition(end)[2] if found else ""
    body = before if found else f"{before.rstrip()}\n\n"
    path.write_text(f"{body}{start}{section}{end}{after}")


def machine() -> str:
    """Cores that this process may use, the processor and the memory, in words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cores} cores of {_processor()}, {memory:.0f} GB"


def _processor() -> str:
    try:
        found = _CPU_MODEL.search(Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found.group(1) if found else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
