"""Made-up customers: the 28 fields that every server reads, and histories of 50 events."""

from typing import Any, Final, get_args

import numpy as np

from tests.benchmarks.serving.customer import Customer

Row = dict[str, Any]

_KINDS: Final = {name: field.annotation for name, field in Customer.model_fields.items()}
INTEGERS: Final = tuple(name for name, kind in _KINDS.items() if kind is int)
FLOATS: Final = tuple(name for name, kind in _KINDS.items() if kind is float)
NUMBERS: Final = INTEGERS + FLOATS
CATEGORIES: Final = {name: get_args(kind) for name, kind in _KINDS.items() if name not in NUMBERS}

EVENTS: Final = 50  # a customer
KINDS: Final = ("buy", "visit", "ticket")
SHOPS: Final = ("north", "south", "web", "phone")
_DAYS: Final = 400  # that a history spans
_START: Final = np.datetime64("2023-01-01")


def customers(n: int, *, seed: int = 0) -> list[Row]:
    """N customers of a table, as a request has them."""
    rng = np.random.default_rng(seed)
    columns: dict[str, list[Any]] = {
        name: rng.poisson(3 + 5 * i, n).tolist() for i, name in enumerate(INTEGERS)
    }
    columns |= {name: np.round(rng.gamma(2, 20, n), 2).tolist() for name in FLOATS}
    columns |= {name: rng.choice(known, n).tolist() for name, known in CATEGORIES.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def labels(rows: list[Row], *, seed: int = 0) -> list[str]:
    """Of each customer whether he left, which the fields tell in part."""
    z = np.array([0.05 * r["tickets"] - 0.03 * r["rating"] + (r["contract"] == "monthly") for r in rows])
    drawn = np.random.default_rng(seed).random(len(rows)) < 1 / (1 + np.exp(-z + z.mean() + 1))
    return ["yes" if left else "no" for left in drawn]


def histories(n: int, *, seed: int = 0) -> list[Row]:
    """N customers with 50 events each, oldest first, as a request has them."""
    rng = np.random.default_rng(seed)
    shape = (n, EVENTS)
    days = np.sort(rng.integers(0, _DAYS, shape), axis=1)
    when = np.datetime_as_string(_START + days.astype("timedelta64[D]"))
    fields = {
        "when": when.tolist(),
        "kind": rng.choice(KINDS, shape).tolist(),
        "shop": rng.choice(SHOPS, shape).tolist(),
        "amount": np.round(rng.gamma(2, 20, shape), 2).tolist(),
    }
    return [
        {"customer_id": str(i), "events": [dict(zip(fields, e, strict=True)) for e in zip(*own, strict=True)]}
        for i, own in enumerate(zip(*fields.values(), strict=True))
    ]
