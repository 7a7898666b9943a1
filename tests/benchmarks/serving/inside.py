"""The same models without a server: their answers, and what scoring costs in this process."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from model.predictor import Predictor, load_predictor
from model.store.registry import Registry
from model.times import parse_time
from model.values.rows import RequestRows, rows_from_json
from tests.benchmarks.serving.models import AS_OF
from tests.benchmarks.serving.sample import Row

_LEAST: Final = 5  # repetitions


@dataclass(frozen=True)
class Inside:
    """What n rows cost at once, in microseconds.

    Attributes:
        predict_us: `Predictor.predict_rows`: from decoded rows to probabilities.
        network_us: the network alone, from encoded rows to logits.
    """

    n: int
    predict_us: float
    network_us: float


def answers(registry: Path, name: str, rows: Sequence[Row]) -> list[float]:
    """The probabilities that the service must answer."""
    predictor = _load(registry, name)
    told: list[float] = predictor.predict_rows(_rows(predictor, rows)).probabilities[:, -1].tolist()
    return told


def times(
    registry: Path, name: str, rows: Sequence[Row], counts: Sequence[int], *, seconds: float
) -> list[Inside]:
    """What the first so many rows cost.

    Args:
        seconds: that each figure is measured for.
    """
    predictor = _load(registry, name)
    return [_time(predictor, _rows(predictor, rows[:n]), seconds) for n in counts]


def _time(predictor: Predictor, rows: RequestRows, seconds: float) -> Inside:
    scorer = predictor.scorer
    customers = rows.customers(scorer.schema)
    inputs = scorer.inputs(customers.columns, customers.log, customers.examples())
    return Inside(
        len(rows),
        _median_us(lambda: predictor.predict_rows(rows), seconds),
        _median_us(lambda: scorer.logits(inputs), seconds),
    )


def _median_us(work: Callable[[], object], seconds: float) -> float:
    work()
    spent: list[float] = []
    end = time.perf_counter() + seconds
    while len(spent) < _LEAST or time.perf_counter() < end:
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return float(np.median(spent)) * 1e6


def _load(registry: Path, name: str) -> Predictor:
    torch.set_num_threads(1)
    store = Registry(registry)
    version = store.champion(name)
    assert version is not None
    return load_predictor(store.folder(name, version))


def _rows(predictor: Predictor, rows: Sequence[Row]) -> RequestRows:
    schema = predictor.scorer.schema
    return rows_from_json(rows, schema, parse_time(AS_OF, zone=schema.time_zone))
