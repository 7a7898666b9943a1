"""The logs of the experiment, and a few labelled customers of each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import yaml

from model.values.customers import Examples
from tests.benchmarks.pretraining.order import simulate_order
from training.prepare import Prepared, prepare
from training.simulation.simulate import simulate
from training.split.plan import Folds, Plan
from training.study.study import read_study

SHOPPERS: Final = 12_000
ORDERLY: Final = 6000  # customers of the log where nothing but the order tells

_CDNOW: Final = """\
name: cdnow
data:
  events:
    path: package:lifetimes/datasets/CDNOW_master.txt
    id: customer_id
    time: date
    time_format: "%Y%m%d"
    values: [number_of_cds, dollar_value]
target:
  outcome: occurs
  horizons_days: [90]
  cutoffs: {every_days: 60, first: 1997-05-01}
split: {test_fraction: 0.5}
"""

_SHOP: Final = """\
name: shop
data:
  customers: {path: customers.csv, id: customer_id}
  events:
    path: events.csv
    id: customer_id
    time: time
    type: type
    values: [amount]
    attributes: [device]
target:
  event: cancel
  outcome: occurs
  horizons_days: [90]
  cutoffs: {every_days: 90, first: 2024-01-01}
split: {test_fraction: 0.4}
network: {max_events: 32}
"""

_ORDER: Final = """\
name: order
data:
  customers: {path: customers.csv, id: customer_id}
  events: {path: events.csv, id: customer_id, time: time, type: type}
target: {column: left, positive: "yes"}
split: {test_fraction: 0.4}
"""


def cdnow(folder: Path) -> Prepared:
    """Who buys within 90 days? Real purchases of a CD shop, which the package `lifetimes` carries."""
    return _prepared(folder, _CDNOW)


def shop(folder: Path, customers: int = SHOPPERS) -> Prepared:
    """Who cancels within 90 days? The made-up shop, whose hidden moods show only in what customers do."""
    simulate(customers, folder)
    return _prepared(folder, _SHOP)


def order(folder: Path, customers: int = ORDERLY) -> Prepared:
    """Who leaves? Made-up customers whom nothing but the order of their events tells apart."""
    simulate_order(customers, folder)
    return _prepared(folder, _ORDER)


PROBLEMS: Final[Mapping[str, Callable[[Path], Prepared]]] = {
    "CDNOW": cdnow,
    "simulated shop": shop,
    "order alone": order,
}


def labelled(plan: Plan, n_customers: int, seed: int) -> Folds:
    """What a fit reads that has the labels of so many training customers, at all of their cutoffs.

    A smaller number's customers are among a larger one's.
    """
    customers = np.unique(plan.groups[plan.measured.rows])
    chosen = np.random.default_rng(seed).permutation(customers)[:n_customers]
    return plan.measured.among(plan.measured.rows[np.isin(plan.groups[plan.measured.rows], chosen)])


def unlabelled(plan: Plan) -> Examples:
    """Every training customer at the last cutoff that training asks about: events, and no label."""
    asked = plan.examples.take(plan.measured.rows)
    order = np.lexsort((asked.cutoffs, asked.customers))
    last = np.flatnonzero(np.diff(asked.customers[order], append=-1))
    return asked.take(order[last])


def _prepared(folder: Path, text: str) -> Prepared:
    path = folder / f"{yaml.safe_load(text)['name']}.yaml"
    path.write_text(text)
    return prepare(read_study(path))
