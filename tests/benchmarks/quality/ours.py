"""Propense as a user runs it: `propense train` and `propense score` in processes of their own."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import yaml

from tests.benchmarks.quality.problem import Floats, Split

RUN: Final = "from training.cli.main import main; main()"


class RunError(Exception):
    """A command failed; the text is what it said."""


@dataclass(frozen=True)
class Run:
    """What came out of both commands.

    Attributes:
        probabilities: (M,) float64, in the order of the split's labels.
        fit_seconds: of the fit that was published.
        wall_seconds: of the whole train command: it also reads, audits, measures and compares.
        published: the head.
        verdict: of the report: whether the model beats, equals or loses to the best baseline.
    """

    probabilities: Floats
    fit_seconds: float
    wall_seconds: float
    published: str
    verdict: str


def run_propense(split: Split, head: str, seed: int, folder: Path) -> Run:
    """Train the default study with its head named, and score the test customers by what is published.

    Raises:
        RunError: a command failed.
    """
    name = yaml.safe_load(split.study.read_text())["name"]
    registry, out = folder / f"registry-{head}-{seed}", folder / f"scores-{head}-{seed}.parquet"
    settings = [f"network.head={head}", f"fit.seed={seed}", "fit.device=cpu"]
    started = time.perf_counter()
    overrides = [word for setting in settings for word in ("--set", setting)]
    report = propense("train", str(split.study), "--registry", str(registry), *overrides)
    wall = time.perf_counter() - started
    propense("score", name, "--registry", str(registry), "--out", str(out), *split.scoring)
    return Run(
        _scores(out, split), fit_seconds(report), wall, report["fit"]["head"], report["verdict"]["outcome"]
    )


def propense(*words: str) -> dict[str, Any]:
    """What a command prints.

    Raises:
        RunError: it failed.
    """
    done = subprocess.run([sys.executable, "-c", RUN, *words, "--json"], capture_output=True, text=True)
    if done.returncode:
        raise RunError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it said nothing")
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def fit_seconds(report: Mapping[str, Any]) -> float:
    """Seconds of the published model's fit."""
    return float(report["fit"]["seconds_published"])


def _scores(out: Path, split: Split) -> Floats:
    scored = pd.read_parquet(out)
    if split.ids is not None:
        scored = scored.set_index("customer_id").loc[list(split.ids)]
    return np.asarray(scored["probability"], dtype=np.float64)
