"""Linear models with weights that a test knows."""

import numpy as np

from model.features.inputs import Inputs
from model.network.layout import Layout
from model.probability import Calibration
from model.schema import NumericColumn, Schema
from model.scorer import Scorer, build_scorer
from model.store.manifest import ModelDescription, NetworkSpec
from model.task import ColumnTask
from tests.model.build import tiny_scaling

N = 200


def scorer_of(schema: Schema, weights: list[float] | None = None) -> Scorer:
    layout = Layout.of(schema, piecewise=False)
    shapes = {"numbers": len(layout.edges), "missing": len(layout.edges), "codes": sum(layout.sizes)}
    network = {name: np.zeros((n, 1), dtype=np.float32) for name, n in shapes.items()}
    if weights:
        network["numbers"][:, 0] = weights
    model = ModelDescription(
        task=ColumnTask(column="Churn", positive="Yes"),
        schema_=schema,
        network=NetworkSpec(head="linear"),
        calibration=Calibration(slopes=(1.0,), intercepts=(0.0,)),
    )
    return build_scorer(model, {**network, "bias": np.zeros(1, dtype=np.float32)})


def columns(n: int) -> Schema:
    return Schema(
        id=None, columns=tuple(NumericColumn(name=f"c{i}", scaling=tiny_scaling()) for i in range(n))
    )


def numbers(values: np.ndarray) -> Inputs:
    return Inputs(values.astype(np.float32), np.zeros((len(values), 0), np.int64))
