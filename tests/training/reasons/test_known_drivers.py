"""A table whose true drivers are known: they are among the first reasons of the likeliest to leave."""

from pathlib import Path

import numpy as np
import pytest

from model.values.rows import rows_from_json
from tests.training.shops import TABLE, Shop, publish

WEIGHTS = {"complaints": 1.2, "price": 0.8, "tenure": -1.0, "monthly": 1.5, "age": 0.0, "noise": 0.0}
N = 1500


@pytest.mark.heavy
def test_the_true_top_driver_is_among_the_first_two_reasons(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    values = {name: draw.normal(size=N).round(3) for name in WEIGHTS}
    values["monthly"] = (draw.random(N) < 0.4).astype(float)
    pushes = np.stack([w * (values[name] - np.median(values[name])) for name, w in WEIGHTS.items()], axis=1)
    churned = draw.random(N) < 1 / (1 + np.exp(2.6 - pushes.sum(axis=1)))
    rows = [{name: float(column[at]) for name, column in values.items()} for at in range(N)]
    for row in rows:
        row["monthly"] = ("yearly", "monthly")[int(row["monthly"])]  # type: ignore[assignment]
    shop = Shop(tmp_path, [{"id": f"{at:04d}", **row} for at, row in enumerate(rows)], churned.tolist())
    shop.save_table()
    predictor = publish(shop, TABLE, "network.choose=true").predictor
    asked = rows_from_json(rows, predictor.manifest.schema_, 0)
    scored = predictor.predict_rows(asked)
    likely = np.flatnonzero(scored.probabilities[:, -1] > 2 * churned.mean())
    found = predictor.explain(scored.take(likely), most=2)
    names = list(WEIGHTS)
    hits = [
        names[int(pushes[at].argmax())] in {reason.group for reason in one.reasons}
        for at, one in zip(likely.tolist(), found, strict=True)
    ]
    assert len(hits) > 100
    assert np.mean(hits) >= 0.9
